// Loops on threads of their own, as worker_threads have them; peers on other threads, so that events come at any moment.
#include <atomic>
#include <random>
#include <thread>

#include "tests/io_host.h"

namespace millrace {
namespace {

class Threads : public IoTest {};
INSTANTIATE_TEST_SUITE_P(Backends, Threads, kBackends, backend_of);

TEST_P(Threads, NeverSleepsThroughAnEvent) {
  host->keep_events = false;
  int ended = 0;
  host->on_event = [&](const Event& event) {
    if (event.kind == Completion::Data) {
      host->submit(Submission::Send, event.handle, event.a, event.b, kFromReceiveArena);
    } else if (event.kind == Completion::End) {
      host->close(event.handle);
      ended++;
    }
  };
  listener = host->listen();
  uint16_t port = host->port_of(listener);
  constexpr int kPeers = 4;
  constexpr int kMessages = 3000;
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int i = 0; i < kPeers; i++) {
    threads.emplace_back([port, i, &wrong] {
      std::mt19937 random(static_cast<uint32_t>(i));
      Peer peer = Peer::connect_to(port);
      fcntl(peer.fd(), F_SETFL, 0);  // blocking
      char text[64], answer[64];
      for (int k = 0; k < kMessages; k++) {
        size_t bytes = 1 + random() % sizeof text;
        memset(text, k, bytes);
        if (send(peer.fd(), text, bytes, MSG_NOSIGNAL) < 0) wrong++;
        if (recv(peer.fd(), answer, bytes, MSG_WAITALL) != static_cast<ssize_t>(bytes)) wrong++;
        // Now and then the loop gets the time to fall asleep.
        for (uint32_t spin = random() % 2000; spin > 0; spin--) std::atomic_signal_fence(std::memory_order_seq_cst);
      }
    });
  }
  EXPECT_TRUE(host->run_until([&] { return ended == kPeers; }));
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_P(Threads, EndAmidTrafficAHundredTimes) {
  std::string name = GetParam();
  for (int round = 0; round < 100; round++) {
    std::thread worker([&name, round] {
      Host host(name);
      host.keep_events = false;
      int received = 0;
      host.on_event = [&](const Event& event) {
        if (event.kind != Completion::Data) return;
        received++;
        host.submit(Submission::Send, event.handle, event.a, event.b, kFromReceiveArena);
      };
      uint32_t listener = host.listen();
      std::vector<Peer> peers;
      for (int i = 0; i < 8; i++) peers.push_back(Peer::connect_to(host.port_of(listener)));
      std::string bytes(40'000, 'w');
      EXPECT_TRUE(host.run_watching([&] {
        for (Peer& peer : peers) peer.send_some(bytes.data(), bytes.size());
        return received > round;
      }));
      for (Peer& peer : peers) peer.send_some(bytes.data(), bytes.size());
      host.stop();
    });
    worker.join();
  }
}

}  // namespace
}  // namespace millrace

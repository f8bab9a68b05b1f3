// How connections begin and end: connect, accept, close, reset, descriptors that run out, and the end of the backend.
#include <dirent.h>
#include <sys/resource.h>

#include "tests/io_host.h"

namespace millrace {
namespace {

class Lifecycle : public IoTest {};
INSTANTIATE_TEST_SUITE_P(Backends, Lifecycle, kBackends, backend_of);

int open_descriptors() {
  DIR* directory = opendir("/proc/self/fd");
  int count = 0;
  while (readdir(directory) != nullptr) count++;
  closedir(directory);
  return count;
}

uint16_t unused_port() {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  socklen_t bytes = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &bytes);
  close(fd);
  return ntohs(address.sin_port);
}

TEST_P(Lifecycle, ConnectsToItsOwnListener) {
  listener = host->listen();
  uint32_t client = 0, server = 0;
  ASSERT_EQ(host->connect(host->port_of(listener), &client), 0);
  // Sent before the connection stands: it waits.
  host->send(client, "early");
  EXPECT_TRUE(host->run_until([&] { return host->find(Completion::Accept, listener) != nullptr; }));
  server = host->find(Completion::Accept, listener)->a;
  EXPECT_TRUE(host->run_until([&] { return host->data_of(server) == "early"; }));
  ASSERT_NE(host->find(Completion::Connect, client), nullptr);
  EXPECT_EQ(host->find(Completion::Connect, client)->a, 0u);

  SocketAddress name;
  EXPECT_EQ(host->backend->name_of(client, true, &name), 0);
  EXPECT_EQ(ntohs(name.v4.sin_port), host->port_of(listener));

  host->close(client);
  EXPECT_TRUE(host->run_until([&] { return host->count(Completion::End, server) == 1; }));
  host->close(server);
  host->close(listener);
  EXPECT_TRUE(closed(client) && closed(server) && closed(listener));
  EXPECT_FALSE(host->backend->keeps_alive());
  EXPECT_EQ(host->backend->counters().sockets_open, 0u);
}

TEST_P(Lifecycle, TellsOfARefusedConnectionAndClosesIt) {
  uint32_t client;
  ASSERT_EQ(host->connect(unused_port(), &client), 0);
  EXPECT_TRUE(closed(client));
  ASSERT_EQ(host->events.size(), 2u);
  EXPECT_EQ(host->events[0].kind, Completion::Connect);
  EXPECT_EQ(static_cast<int32_t>(host->events[0].a), -ECONNREFUSED);
  EXPECT_EQ(host->events[1].kind, Completion::Closed);
}

TEST_P(Lifecycle, RefusesAnAddressInUse) {
  listener = host->listen();
  uint32_t second;
  EXPECT_EQ(host->backend->listen(loopback(host->port_of(listener)), 10, 0, 0, &second), -EADDRINUSE);
}

TEST_P(Lifecycle, SharesAPortByReusePort) {
  uint32_t first = host->listen(2);
  uint32_t second = host->listen(2, host->port_of(first));
  EXPECT_NE(first, second);
}

TEST_P(Lifecycle, AbandonsAConnectionThatNeverComes) {
  // A listener whose backlog is full lets the third connection wait.
  int full = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(full, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(full, 0), 0);
  socklen_t bytes = sizeof address;
  getsockname(full, reinterpret_cast<sockaddr*>(&address), &bytes);
  uint32_t clients[4];
  for (uint32_t& client : clients) ASSERT_EQ(host->connect(ntohs(address.sin_port), &client), 0);
  host->run_idle(5);
  uint32_t waiting = 0;
  for (uint32_t client : clients) {
    if (host->count(Completion::Connect, client) == 0) waiting = client;
  }
  ASSERT_NE(waiting, 0u);
  host->close(waiting);
  EXPECT_TRUE(closed(waiting));
  EXPECT_EQ(host->count(Completion::Connect, waiting), 0);
  close(full);
}

TEST_P(Lifecycle, CloseLetsQueuedDataLeaveFirst) {
  uint32_t socket;
  Peer peer = connect_peer(&socket, 4096);
  std::string block(kSendBlockBytes, 'q');
  for (int i = 0; i < 100; i++) host->send(socket, block);
  host->close(socket);
  host->close(socket);                    // again: nothing
  EXPECT_TRUE(host->send(socket, "no"));  // ignored, and no fault
  peer.send("nobody listens");
  host->run_idle(10);
  EXPECT_EQ(host->count(Completion::Closed, socket), 0);
  EXPECT_TRUE(host->run_watching([&] { return peer.take(200'000), peer.ended || peer.error != 0; }));
  EXPECT_TRUE(peer.ended) << "reset: " << strerror(peer.error);
  EXPECT_EQ(peer.received.size(), size_t{100} * kSendBlockBytes);
  EXPECT_TRUE(closed(socket));
  EXPECT_EQ(host->find(Completion::Closed, socket)->a, 0u);
  EXPECT_EQ(host->count(Completion::Data, socket), 0);
}

TEST_P(Lifecycle, ASecondCloseWithResetEndsTheWaiting) {
  uint32_t socket;
  Peer peer = connect_peer(&socket, 4096);
  std::string block(kSendBlockBytes, 'q');
  for (int i = 0; i < 100; i++) host->send(socket, block);
  host->submit(Submission::NotifyDrain, socket);
  host->close(socket);
  host->run_idle(5);
  EXPECT_EQ(host->count(Completion::Closed, socket), 0);
  host->close(socket, kReset);
  EXPECT_TRUE(closed(socket));
  uint32_t unsent = host->find(Completion::Closed, socket)->a;
  EXPECT_GT(unsent, 0u);
  EXPECT_EQ(unsent + host->bytes_sent[socket & kSlotMask], 100 * kSendBlockBytes);
  EXPECT_EQ(host->count(Completion::Drain, socket), 0);
  EXPECT_TRUE(host->run_watching([&] { return peer.take(), peer.error != 0; }));
  EXPECT_EQ(peer.error, ECONNRESET);
  for (uint32_t segments : host->block_segments) EXPECT_EQ(segments, 0u);
}

TEST_P(Lifecycle, CloseWithResetResets) {
  uint32_t socket;
  Peer peer = connect_peer(&socket);
  host->close(socket, kReset);
  EXPECT_TRUE(closed(socket));
  EXPECT_TRUE(host->run_watching([&] { return peer.take(), peer.error != 0 || peer.ended; }));
  EXPECT_EQ(peer.error, ECONNRESET);
}

TEST_P(Lifecycle, TellsOfAResetByThePeer) {
  uint32_t socket;
  Peer peer = connect_peer(&socket);
  peer.reset();
  EXPECT_TRUE(closed(socket));
  ASSERT_NE(host->find(Completion::Error, socket), nullptr);
  EXPECT_EQ(static_cast<int32_t>(host->find(Completion::Error, socket)->a), -ECONNRESET);
  EXPECT_EQ(static_cast<Syscall>(host->find(Completion::Error, socket)->b), Syscall::Read);
  EXPECT_EQ(host->events.back().kind, Completion::Closed);
}

TEST_P(Lifecycle, TellsOfAResetWhileSending) {
  uint32_t socket;
  Peer peer = connect_peer(&socket, 4096);
  host->submit(Submission::Pause, socket);
  std::string block(kSendBlockBytes, 'q');
  for (int i = 0; i < 100; i++) host->send(socket, block);
  host->run_idle(5);
  peer.reset();
  EXPECT_TRUE(closed(socket));
  EXPECT_EQ(host->count(Completion::Error, socket), 1);
  EXPECT_GT(host->find(Completion::Closed, socket)->a, 0u);
  for (uint32_t segments : host->block_segments) EXPECT_EQ(segments, 0u);
}

TEST_P(Lifecycle, GivesTheDataThatCameBeforeAReset) {
  uint32_t socket;
  Peer peer = connect_peer(&socket);
  peer.send("before");
  EXPECT_TRUE(host->run_until([&] { return host->data_of(socket) == "before"; }));
  peer.reset();
  EXPECT_TRUE(closed(socket));
}

TEST_P(Lifecycle, AnAcceptThatCompletesAfterCloseLeavesNoDescriptor) {
  int before = open_descriptors();
  for (int round = 0; round < 30; round++) {
    uint32_t once = host->listen();
    uint16_t port = host->port_of(once);
    host->run_idle(1);
    std::vector<Peer> peers;
    for (int i = 0; i < 3; i++) peers.push_back(Peer::connect_to(port));
    host->close(once);
    EXPECT_TRUE(closed(once));
    std::vector<Event> events = host->events;
    for (const Event& event : events) {
      if (event.kind == Completion::Accept && event.handle == once) host->close(event.a);
    }
    EXPECT_TRUE(host->run_until([&] { return host->backend->counters().sockets_open == 0; }));
    host->events.clear();
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST_P(Lifecycle, AnAcceptThatWasReadyBeforeCloseAndSeenAfterItLeavesNoDescriptor) {
  listener = host->listen();
  uint16_t port = host->port_of(listener);
  host->run_idle(2);
  int before = open_descriptors();
  // JavaScript's ring is full, so what the kernel has accepted waits.
  host->javascript_drains = false;
  while (host->completions.room() > 0) host->completions.push(Completion::Timer, 0);
  std::vector<Peer> peers;
  for (int i = 0; i < 5; i++) peers.push_back(Peer::connect_to(port));
  host->run_idle(3);
  host->close(listener);
  host->javascript_drains = true;
  EXPECT_TRUE(closed(listener));
  EXPECT_EQ(host->count(Completion::Accept, listener), 0);
  for (Peer& peer : peers) {
    EXPECT_TRUE(host->run_watching([&] { return peer.take(), peer.ended || peer.error != 0; }));
  }
  peers.clear();
  EXPECT_EQ(open_descriptors(), before - 1);  // the listener's own
}

TEST_P(Lifecycle, ThousandsOfConnectionsLeaveNothing) {
  host->keep_events = false;
  int accepted = 0, ended = 0, released = 0;
  host->on_event = [&](const Event& event) {
    if (event.kind == Completion::Accept) accepted++;
    if (event.kind == Completion::Data) {
      host->submit(Submission::Send, event.handle, event.a, event.b, kFromReceiveArena);
    }
    if (event.kind == Completion::End) {
      ended++;
      host->close(event.handle, ended % 5 == 0 ? kReset : 0);
    }
    if (event.kind == Completion::Closed) released++;
  };
  listener = host->listen();
  uint16_t port = host->port_of(listener);
  host->run_idle(3);
  int before = open_descriptors();
  constexpr int kConnections = 10'000;
  for (int i = 0; i < kConnections; i += 20) {
    std::vector<Peer> peers;
    for (int k = 0; k < 20; k++) peers.push_back(Peer::connect_to(port));
    for (int k = 0; k < 20; k++) {
      if (k % 2 == 0) peers[k].send("x");
      if (k % 3 == 0) {
        peers[k].send_fin();
      } else if (k % 7 == 0) {
        peers[k].reset();
      }
    }
    peers.clear();
    ASSERT_TRUE(host->run_until([&] { return released == accepted && accepted >= i + 20 - 3; })) << i;
  }
  EXPECT_TRUE(host->run_until([&] { return host->backend->counters().sockets_open == 1; }));
  EXPECT_GE(accepted, kConnections * 8 / 10);
  EXPECT_EQ(open_descriptors(), before);
  host->run_idle(3);
  EXPECT_EQ(host->backend->counters().receive_buffers_in_use, 0u);
}

// A low limit of descriptors, and a way to use them all up.
class DescriptorLimit {
 public:
  DescriptorLimit() {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit lower = {256, before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &lower);
  }
  ~DescriptorLimit() {
    lift();
    for (int fd : fillers_) close(fd);
  }
  void use_up() {
    for (int fd = dup(0); fd >= 0; fd = dup(0)) fillers_.push_back(fd);
  }
  void lift() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_;
  std::vector<int> fillers_;
};

TEST_P(Lifecycle, SurvivesRunningOutOfDescriptors) {
  // io_uring's accept goes by the limit at the time when it was begun: lower it first.
  constexpr int kWaiting = 8;
  DescriptorLimit limit;
  uint32_t socket;
  Peer old = connect_peer(&socket);
  int fds[kWaiting];
  for (int& fd : fds) fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  limit.use_up();
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(host->port_of(listener));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int fd : fds) ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);

  EXPECT_TRUE(host->run_until([&] { return host->count(Completion::Error, listener) == 1; }));
  EXPECT_EQ(static_cast<int32_t>(host->find(Completion::Error, listener)->a), -EMFILE);
  EXPECT_EQ(static_cast<Syscall>(host->find(Completion::Error, listener)->b), Syscall::Accept);
  // No spin, no second complaint, and the others live.
  uint64_t entries = host->backend->counters().kernel_entries;
  host->run_idle(60);
  EXPECT_LE(host->backend->counters().kernel_entries - entries, 40u);
  EXPECT_EQ(host->count(Completion::Error, listener), 1);
  old.send("alive");
  EXPECT_TRUE(host->run_until([&] { return host->data_of(socket) == "alive"; }));
  EXPECT_EQ(host->count(Completion::Accept, listener), 1);

  // A descriptor of ours is closed: the next connection is taken at once, by no timer.
  host->close(socket);
  host->run_idle(8);  // of 2 ms at most; the timer's period is 100 ms
  EXPECT_EQ(host->count(Completion::Accept, listener), 2);
  // And when the limit is lifted, the rest after a while.
  limit.lift();
  EXPECT_TRUE(host->run_watching([&] { return host->count(Completion::Accept, listener) == 1 + kWaiting; }));
  for (int fd : fds) close(fd);
}

TEST_P(Lifecycle, KeepsTheProcessAliveForWhatIsReferencedOrUnsent) {
  EXPECT_FALSE(host->backend->keeps_alive());
  uint32_t socket;
  Peer peer = connect_peer(&socket, 4096);
  EXPECT_TRUE(host->backend->keeps_alive());
  EXPECT_TRUE(host->submit(Submission::SocketRef, listener, 0));
  EXPECT_TRUE(host->backend->keeps_alive());
  EXPECT_TRUE(host->submit(Submission::SocketRef, socket, 0));
  EXPECT_FALSE(host->backend->keeps_alive());
  std::string block(kSendBlockBytes, 'q');
  for (int i = 0; i < 100; i++) host->send(socket, block);
  EXPECT_TRUE(host->backend->keeps_alive());
  EXPECT_TRUE(host->run_watching([&] { return peer.take(), peer.received.size() == 100 * kSendBlockBytes; }));
  EXPECT_TRUE(host->run_watching([&] { return !host->backend->keeps_alive(); }));
  EXPECT_TRUE(host->submit(Submission::SocketRef, socket, 1));
  EXPECT_TRUE(host->backend->keeps_alive());
  host->submit(Submission::Close, socket);
  EXPECT_TRUE(closed(socket));
  EXPECT_FALSE(host->backend->keeps_alive());
}

TEST_P(Lifecycle, StopsAmidEverything) {
  int before = open_descriptors();
  listener = host->listen();
  uint16_t port = host->port_of(listener);
  host->on_event = [this](const Event& event) {
    if (event.kind == Completion::Data) {
      host->submit(Submission::Send, event.handle, event.a, event.b, kFromReceiveArena);
    }
  };
  std::vector<Peer> peers;
  std::string bytes(60'000, 'x');
  for (int i = 0; i < 30; i++) peers.push_back(Peer::connect_to(port, 4096));
  for (int round = 0; round < 10; round++) {
    for (Peer& peer : peers) peer.send_some(bytes.data(), bytes.size());
    host->run_idle(1);
  }
  uint32_t client;
  host->connect(port, &client);
  peers[0].reset();
  host->close(host->find(Completion::Accept, listener)->a);
  peers.push_back(Peer::connect_to(port));
  host->stop();
  // The arenas are the kernel's no longer: what peers send now changes nothing.
  std::vector<uint8_t> copy = host->receive_arena;
  for (Peer& peer : peers) peer.send_some(bytes.data(), bytes.size());
  EXPECT_EQ(copy, host->receive_arena);
  peers.clear();
  EXPECT_LE(open_descriptors(), before);
}

TEST_P(Lifecycle, StopsBeforeAnythingBegan) { host->stop(); }

TEST_P(Lifecycle, StopsWithWorkThatWasNotYetSubmitted) {
  listener = host->listen();
  uint32_t client;
  host->connect(host->port_of(listener), &client);
  host->send(client, "never leaves");
  host->stop();
}

}  // namespace
}  // namespace millrace

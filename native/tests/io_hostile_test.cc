// What JavaScript must not be able to do: records that name what is not there, or not theirs.
#include <random>

#include "tests/io_host.h"

namespace millrace {
namespace {

class Hostile : public IoTest {
 protected:
  // The socket that a fault hit is told, reset and gone.
  void expect_refused(uint32_t socket) {
    EXPECT_TRUE(closed(socket));
    ASSERT_NE(host->find(Completion::Error, socket), nullptr);
    EXPECT_EQ(static_cast<int32_t>(host->find(Completion::Error, socket)->a), -EINVAL);
    EXPECT_EQ(host->events.back().kind, Completion::Closed);
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, Hostile, kBackends, backend_of);

TEST_P(Hostile, RefusesSegmentsOutsideTheArenasOrAcrossAnEnd) {
  constexpr uint32_t kSendBytes = kSendBlocks * kSendBlockBytes;
  constexpr uint32_t kReceiveBytes = kReceiveBuffers * kReceiveBufferBytes;
  struct {
    uint32_t offset, length, flags;
  } cases[] = {
      {kSendBytes, 1, 0},
      {kSendBytes - 1, 2, 0},
      {0, kSendBytes + 1, 0},
      {0xffffffff, 1, 0},
      {1, 0xffffffff, 0},
      {kSendBlockBytes - 1, 2, 0},
      {0, kSendBlockBytes + 1, 0},
      {kReceiveBytes, 1, kFromReceiveArena},
      {kReceiveBytes - 1, 2, kFromReceiveArena},
      {kReceiveBufferBytes - 1, 2, kFromReceiveArena},
      {0, kReceiveBufferBytes + 1, kFromReceiveArena},
  };
  for (auto [offset, length, flags] : cases) {
    uint32_t socket;
    Peer peer = connect_peer(&socket);
    EXPECT_FALSE(host->submit(Submission::Send, socket, offset, length, flags)) << offset << " " << length;
    expect_refused(socket);
    EXPECT_TRUE(host->run_watching([&] { return peer.take(), peer.ended || peer.error != 0; }));
    EXPECT_EQ(peer.received, "");
    EXPECT_EQ(peer.error, ECONNRESET);
  }
}

TEST_P(Hostile, SendsOnlyReceiveBuffersThatAreDeliveredOrHeld) {
  uint32_t socket;
  Peer peer = connect_peer(&socket);
  std::vector<uint32_t> refused;
  // No buffer is anybody's: each of them is free or the kernel's.
  for (uint32_t buffer : {0u, 1u, 63u, 64u, kReceiveBuffers - 1}) {
    uint32_t other;
    Peer second = connect_peer(&other);
    EXPECT_FALSE(host->submit(Submission::Send, other, buffer * kReceiveBufferBytes, 10, kFromReceiveArena));
    expect_refused(other);
  }
  // Delivered: in the tick of its Data.
  uint32_t offset = UINT32_MAX;
  host->on_event = [&](const Event& event) {
    if (event.kind != Completion::Data || offset != UINT32_MAX) return;
    offset = event.a;
    EXPECT_TRUE(host->submit(Submission::Send, socket, event.a, event.b, kFromReceiveArena));
  };
  peer.send("mine");
  EXPECT_TRUE(host->run_watching([&] { return peer.take(), peer.received == "mine"; }));
  host->run_idle(3);
  // And not afterwards.
  EXPECT_FALSE(host->submit(Submission::Send, socket, offset, 4, kFromReceiveArena));
  expect_refused(socket);
}

TEST_P(Hostile, IgnoresStaleHandlesAndRefusesInventedOnes) {
  uint32_t socket;
  Peer peer = connect_peer(&socket);
  host->close(socket);
  EXPECT_TRUE(closed(socket));
  size_t events = host->events.size();
  for (Submission kind : {Submission::Send, Submission::NotifyDrain, Submission::Pause, Submission::Resume,
                          Submission::Shutdown, Submission::Close, Submission::SocketRef}) {
    EXPECT_TRUE(host->submit(kind, socket, 0, 1)) << static_cast<int>(kind);
    EXPECT_FALSE(host->submit(kind, 0xffffffff, 0, 1)) << static_cast<int>(kind);
    EXPECT_FALSE(host->submit(kind, 5000, 0, 1)) << static_cast<int>(kind);
  }
  host->run_idle(5);
  EXPECT_EQ(host->events.size(), events);
  EXPECT_EQ(host->block_segments[0], 0u);
  SocketAddress name;
  Credentials credentials;
  int value = 0;
  EXPECT_EQ(host->backend->name_of(socket, false, &name), -EBADF);
  EXPECT_EQ(host->backend->descriptor_of(socket, &value), -EBADF);
  EXPECT_EQ(host->backend->set_option(socket, SocketOption::NoDelay, 1), -EBADF);
  EXPECT_EQ(host->backend->get_option(socket, SocketOption::NoDelay, &value), -EBADF);
  EXPECT_EQ(host->backend->credentials_of(socket, &credentials), -EBADF);
}

TEST_P(Hostile, AStaleHandleDoesNotReachTheSlotsNextOwner) {
  uint32_t first;
  Peer peer = connect_peer(&first);
  host->close(first);
  EXPECT_TRUE(closed(first));
  uint32_t next = first;
  std::vector<Peer> peers;
  for (int i = 0; i < 200 && ((next & kSlotMask) != (first & kSlotMask) || next == first); i++) {
    peers.push_back(connect_peer(&next));
    if ((next & kSlotMask) == (first & kSlotMask)) break;
    host->close(next);
    EXPECT_TRUE(closed(next));
  }
  ASSERT_EQ(next & kSlotMask, first & kSlotMask);
  ASSERT_NE(next, first);
  EXPECT_TRUE(host->close(first, kReset));
  EXPECT_TRUE(host->send(first, "wrong"));
  peers.back().send("right");
  EXPECT_TRUE(host->run_until([&] { return host->data_of(next) == "right"; }));
  EXPECT_EQ(host->count(Completion::Closed, next), 0);
  peers.back().take();
  EXPECT_EQ(peers.back().received, "");
}

TEST_P(Hostile, RefusesKindsAndFlagsThatDoNotExist) {
  uint32_t socket;
  Peer peer = connect_peer(&socket);
  for (uint32_t kind : {0u, 1u, 2u, 3u, 12u, 255u}) {
    EXPECT_FALSE(host->submit(static_cast<Submission>(kind), socket)) << kind;
  }
  EXPECT_FALSE(host->submit(Submission::Send, socket, 0, 1, 1u << 16));
  EXPECT_FALSE(host->submit(Submission::Pause, socket, 0, 0, 1u << 31));
  EXPECT_FALSE(host->submit(Submission::SocketRef, socket, 2));
  EXPECT_FALSE(host->submit(Submission::Detach, socket, 0, 0, kReset));
  for (Submission kind : {Submission::Send, Submission::NotifyDrain, Submission::Shutdown}) {
    EXPECT_FALSE(host->submit(kind, listener, 0, 1)) << static_cast<int>(kind);
  }
  peer.send("unharmed");
  EXPECT_TRUE(host->run_until([&] { return host->data_of(socket) == "unharmed"; }));
  connect_peer(&socket);
}

TEST_P(Hostile, AnEmptySendIsNothing) {
  uint32_t socket;
  Peer peer = connect_peer(&socket);
  EXPECT_TRUE(host->submit(Submission::Send, socket, 0, 0));
  EXPECT_TRUE(host->submit(Submission::Send, socket, kSendBlocks * kSendBlockBytes, 0));
  EXPECT_EQ(host->block_segments[0], 0u);
  host->run_idle(3);
  EXPECT_EQ(host->count(Completion::Error, socket), 0);
}

TEST_P(Hostile, ASendAfterShutdownFails) {
  uint32_t socket;
  Peer peer = connect_peer(&socket);
  host->submit(Submission::Shutdown, socket);
  EXPECT_TRUE(host->send(socket, "too late"));
  EXPECT_TRUE(closed(socket));
  EXPECT_EQ(static_cast<int32_t>(host->find(Completion::Error, socket)->a), -EPIPE);
}

TEST_P(Hostile, SurvivesNonsense) {
  // Millions would only be slower: whatever is found here is found within seconds under the sanitizers.
  std::mt19937 random(20240607);
  listener = host->listen();
  uint16_t port = host->port_of(listener);
  std::vector<uint32_t> handles = {listener};
  std::vector<Peer> peers;
  host->keep_events = false;
  host->on_event = [&](const Event& event) {
    if (event.kind == Completion::Accept) handles.push_back(event.a);
    // What was detached comes back, so that nothing leaks.
    if (event.kind == Completion::Closed && event.b != 0) {
      int fd = static_cast<int>(event.b) - 1;
      uint32_t handle;
      int status = host->backend->adopt(fd, &handle);
      if (status == 0) {
        if (event.handle == listener) listener = handle;
        handles.push_back(handle);
      } else {
        EXPECT_EQ(status, -ENOTCONN);  // reset by its peer in between
        close(fd);
      }
    }
  };
  auto number = [&] {
    switch (random() % 5) {
      case 0:
        return static_cast<uint32_t>(random());
      case 1:
        return static_cast<uint32_t>(random() % kReceiveBuffers) * kReceiveBufferBytes;
      case 2:
        return static_cast<uint32_t>(random() % 70000);
      case 3:
        return 0u;
      default:
        return static_cast<uint32_t>(random() % 64);
    }
  };
  for (int i = 0; i < 60'000; i++) {
    if (i % 200 == 0) {
      peers.push_back(Peer::connect_to(port));
      if (peers.size() > 20) peers.erase(peers.begin());
    }
    if (i % 7 == 0 && !peers.empty()) {
      Peer& peer = peers[random() % peers.size()];
      std::string text(random() % 30'000, 'n');
      peer.send_some(text.data(), text.size());
      if (random() % 3 == 0) peer.take(), peer.received.clear();
    }
    uint32_t handle = random() % 4 == 0 ? static_cast<uint32_t>(random()) : handles[random() % handles.size()];
    uint32_t kind = random() % 12 == 0 ? random() : random() % 12;
    if (handle == listener && kind == static_cast<uint32_t>(Submission::Close)) continue;
    if (kind == static_cast<uint32_t>(Submission::Close) && random() % 4 != 0) continue;
    if (random() % 10 == 0) {
      auto option = static_cast<SocketOption>(random() % 10);
      int value = static_cast<int>(number());
      if (option != SocketOption::SendBuffer) host->backend->set_option(handle, option, value);
      host->backend->get_option(handle, option, &value);
    }
    uint32_t flags = random() % 20 == 0 ? random() << 8 : (random() % 3) << 8;
    host->submit(static_cast<Submission>(kind & 0xff), handle, number(), number(), flags & 0xffffff00);
    if (i % 20 == 0) host->run_idle(1);
  }
  // And it still works.
  for (uint32_t handle : handles) host->submit(Submission::Resume, handle);
  host->run_idle(5);
  host->keep_events = true;
  uint32_t socket;
  host->on_event = nullptr;
  Peer peer = connect_peer(&socket);
  peer.send("fine");
  EXPECT_TRUE(host->run_until([&] { return host->data_of(socket) == "fine"; }));
  for (uint32_t handle : handles) host->close(handle, kReset);
  host->close(socket);
  EXPECT_TRUE(host->run_until([&] { return host->backend->counters().sockets_open == 0; }));
  EXPECT_EQ(host->backend->counters().receive_buffers_in_use, 0u);
  for (uint32_t segments : host->block_segments) EXPECT_EQ(segments, 0u);
}

}  // namespace
}  // namespace millrace

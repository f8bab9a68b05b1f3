// Descriptors that come and go: adopting, detaching, a listener that several share; and the calls that concern them.
#include <sys/stat.h>

#include "tests/io_host.h"

namespace millrace {
namespace {

class Handover : public IoTest {
 protected:
  int detach(uint32_t handle) {
    EXPECT_TRUE(host->submit(Submission::Detach, handle));
    EXPECT_TRUE(closed(handle));
    return static_cast<int>(host->find(Completion::Closed, handle)->b) - 1;
  }
  static void set_blocking(int fd, bool blocks) {
    int flags = fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFL, blocks ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, Handover, kBackends, backend_of);

TEST_P(Handover, AStreamGoesOutAndComesBack) {
  uint32_t socket;
  Peer peer = connect_peer(&socket);
  peer.send("before");
  EXPECT_TRUE(host->run_until([&] { return host->data_of(socket) == "before"; }));
  host->send(socket, "sent first");
  int fd = detach(socket);
  ASSERT_GE(fd, 0);
  EXPECT_NE(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_EQ(host->count(Completion::End, socket), 0);
  EXPECT_TRUE(host->run_watching([&] { return peer.take(), peer.received == "sent first"; }));
  EXPECT_FALSE(peer.ended);
  // It is ours alone.
  peer.send("raw");
  char buffer[16];
  EXPECT_TRUE(host->run_watching([&] { return recv(fd, buffer, sizeof buffer, 0) == 3; }));

  uint32_t again;
  ASSERT_EQ(host->backend->adopt(fd, &again), 0);
  peer.send("after");
  EXPECT_TRUE(host->run_until([&] { return host->data_of(again) == "after"; }));
  host->send(again, " and back");
  EXPECT_TRUE(host->run_watching([&] { return peer.take(), peer.received == "sent first and back"; }));
  host->close(again);
  EXPECT_TRUE(closed(again));
  EXPECT_TRUE(host->run_watching([&] { return peer.take(), peer.ended; }));
  EXPECT_EQ(fcntl(fd, F_GETFD), -1);
}

TEST_P(Handover, WhatWasSentBeforeLeavesBeforeADetach) {
  uint32_t socket;
  Peer peer = connect_peer(&socket, 4096);
  std::string block(kSendBlockBytes, 'q');
  for (int i = 0; i < 100; i++) host->send(socket, block);
  host->submit(Submission::Detach, socket);
  host->run_idle(5);
  EXPECT_EQ(host->count(Completion::Closed, socket), 0);
  size_t all = size_t{100} * kSendBlockBytes;
  EXPECT_TRUE(host->run_watching([&] { return peer.take(200'000), host->count(Completion::Closed, socket) == 1; }));
  EXPECT_TRUE(host->run_watching([&] { return peer.take(), peer.received.size() == all; }));
  EXPECT_EQ(host->find(Completion::Closed, socket)->a, 0u);
  int fd = static_cast<int>(host->find(Completion::Closed, socket)->b) - 1;
  ASSERT_GE(fd, 0);
  EXPECT_FALSE(peer.ended);
  close(fd);
}

// Data that the kernel had taken for us already is told before Closed; what comes later stays in the socket.
TEST_P(Handover, NothingThatArrivesIsLostByADetach) {
  for (int round = 0; round < 50; round++) {
    uint32_t socket;
    Peer peer = connect_peer(&socket);
    std::string sent;
    for (int i = 0; i < 40; i++) {
      std::string part(200, static_cast<char>('a' + i % 26));
      peer.send(part);
      sent += part;
      if (i == round % 40) host->submit(Submission::Detach, socket);
      if (i % 3 == 0) host->run_idle(1);
    }
    EXPECT_TRUE(closed(socket));
    int fd = static_cast<int>(host->find(Completion::Closed, socket)->b) - 1;
    ASSERT_GE(fd, 0);
    std::string received = host->data_of(socket);
    char buffer[16384];
    EXPECT_TRUE(host->run_watching([&] {
      ssize_t count = recv(fd, buffer, sizeof buffer, 0);
      if (count > 0) received.append(buffer, static_cast<size_t>(count));
      return received.size() >= sent.size();
    }));
    ASSERT_EQ(received, sent);
    close(fd);
    host->events.clear();
  }
}

TEST_P(Handover, NoDescriptorComesOfWhatFailedOrIsReset) {
  uint32_t socket;
  Peer peer = connect_peer(&socket, 4096);
  std::string block(kSendBlockBytes, 'q');
  for (int i = 0; i < 100; i++) host->send(socket, block);
  host->submit(Submission::Detach, socket);
  host->run_idle(3);
  host->close(socket);  // changes nothing
  host->run_idle(3);
  EXPECT_EQ(host->count(Completion::Closed, socket), 0);
  host->close(socket, kReset);
  EXPECT_TRUE(closed(socket));
  EXPECT_EQ(host->find(Completion::Closed, socket)->b, 0u);

  peer = connect_peer(&socket, 4096);
  for (int i = 0; i < 100; i++) host->send(socket, block);
  host->submit(Submission::Detach, socket);
  host->run_idle(3);
  peer.reset();
  EXPECT_TRUE(closed(socket));
  EXPECT_EQ(host->find(Completion::Closed, socket)->b, 0u);

  // After a Close it is too late.
  peer = connect_peer(&socket, 4096);
  for (int i = 0; i < 100; i++) host->send(socket, block);
  host->close(socket);
  host->submit(Submission::Detach, socket);
  EXPECT_TRUE(host->run_watching([&] { return peer.take(), host->count(Completion::Closed, socket) == 1; }));
  EXPECT_EQ(host->find(Completion::Closed, socket)->b, 0u);
}

TEST_P(Handover, StopClosesADetachedDescriptorThatNobodyHasTaken) {
  uint32_t first, second;
  Peer one = connect_peer(&first);
  int taken = detach(first);
  Peer other = connect_peer(&second);
  int fd = -1;
  ASSERT_EQ(host->backend->descriptor_of(second, &fd), 0);
  host->javascript_drains = false;
  host->submit(Submission::Detach, second);
  host->run_idle(5);
  ASSERT_FALSE(host->completions.empty());
  EXPECT_NE(fcntl(fd, F_GETFD), -1);
  host->stop();
  EXPECT_EQ(fcntl(fd, F_GETFD), -1);
  // That one is JavaScript's.
  EXPECT_NE(fcntl(taken, F_GETFD), -1);
  ::close(taken);
}

TEST_P(Handover, StopClosesWhatWasToBeDetached) {
  uint32_t socket, other;
  Peer peer = connect_peer(&socket, 4096);
  Peer second = connect_peer(&other);
  std::string block(kSendBlockBytes, 'q');
  for (int i = 0; i < 100; i++) host->send(socket, block);
  host->submit(Submission::Detach, socket);
  host->submit(Submission::Detach, other);
  host->javascript_drains = false;
  host->completions.push(Completion::Timer, 0);
  while (host->completions.room() > 0) host->completions.push(Completion::Timer, 0);
  host->run_idle(3);
  host->stop();
  EXPECT_TRUE(host->missing == nullptr);
  auto ends = [](Peer& one) {
    for (int i = 0; i < 10'000 && !one.ended && one.error == 0; i++) one.take();
    return one.ended || one.error != 0;
  };
  EXPECT_TRUE(ends(second));
  EXPECT_TRUE(ends(peer));
}

// The predecessor goes on accepting until it closes; whatever mode the shared socket has, each connection is somebody's.
TEST_P(Handover, TwoAcceptFromOneListener) {
  for (bool blocks : {true, false}) {
    listener = host->listen();
    uint16_t port = host->port_of(listener);
    int fd = -1;
    ASSERT_EQ(host->backend->descriptor_of(listener, &fd), 0);
    Host successor(GetParam());
    uint32_t adopted;
    ASSERT_EQ(successor.backend->adopt(dup(fd), &adopted), 0);
    // What a third one might do; only whoever does not block in accept(2) may be used with sockets that block.
    set_blocking(fd, blocks && std::string(GetParam()) == "uring");
    std::vector<Peer> peers;
    for (int i = 0; i < 60; i++) {
      peers.push_back(Peer::connect_to(port));
      host->run_idle(1);
      successor.run_idle(1);
    }
    host->run_idle(5);
    successor.run_idle(5);
    int here = host->count(Completion::Accept, listener), there = successor.count(Completion::Accept, adopted);
    EXPECT_EQ(here + there, 60);
    EXPECT_EQ(host->count(Completion::Error, listener) + successor.count(Completion::Error, adopted), 0);
    host->close(listener);
    EXPECT_TRUE(closed(listener));
    for (int i = 0; i < 20; i++) peers.push_back(Peer::connect_to(port));
    EXPECT_TRUE(successor.run_until([&] { return successor.count(Completion::Accept, adopted) == there + 20; }));
    host->events.clear();
  }
}

TEST_P(Handover, AListenerThatOthersMadeNonBlockingIsWatchedAndNotSpunOn) {
  listener = host->listen();
  int fd = -1;
  ASSERT_EQ(host->backend->descriptor_of(listener, &fd), 0);
  set_blocking(fd, false);
  for (int i = 0; i < 5; i++) {
    uint32_t socket;
    Peer peer = connect_peer(&socket);
    host->run_idle(2);
  }
  EXPECT_EQ(host->count(Completion::Error, listener), 0);
  uint64_t before = host->backend->counters().kernel_entries;
  host->run_idle(20);
  EXPECT_LE(host->backend->counters().kernel_entries, before + 20);
}

TEST_P(Handover, APausedListenerLeavesConnectionsInTheBacklog) {
  listener = host->listen();
  uint16_t port = host->port_of(listener);
  uint32_t first;
  Peer peer = connect_peer(&first);
  host->submit(Submission::Pause, listener);
  host->run_idle(3);
  std::vector<Peer> peers;
  for (int i = 0; i < 10; i++) peers.push_back(Peer::connect_to(port));
  host->run_idle(5);
  EXPECT_EQ(host->count(Completion::Accept, listener), 1);
  uint64_t before = host->backend->counters().kernel_entries;
  host->run_idle(10);
  EXPECT_LE(host->backend->counters().kernel_entries, before + 10);
  host->submit(Submission::Resume, listener);
  EXPECT_TRUE(host->run_until([&] { return host->count(Completion::Accept, listener) == 11; }));
  // In one tick, and the other way round.
  for (int i = 0; i < 5; i++) {
    host->submit(Submission::Pause, listener);
    host->submit(Submission::Resume, listener);
    peers.push_back(Peer::connect_to(port));
    EXPECT_TRUE(host->run_until([&] { return host->count(Completion::Accept, listener) == 12 + i; }));
    host->submit(Submission::Pause, listener);
    host->run_idle(1);
    host->submit(Submission::Resume, listener);
  }
  host->submit(Submission::Pause, listener);
  host->close(listener);
  EXPECT_TRUE(closed(listener));
}

TEST_P(Handover, AListenerIsDetachedWithoutLosingAConnection) {
  for (int round = 0; round < 20; round++) {
    listener = host->listen();
    uint16_t port = host->port_of(listener);
    host->run_idle(1);
    std::vector<Peer> peers;
    for (int i = 0; i < 8; i++) {
      peers.push_back(Peer::connect_to(port));
      if (i == round % 8) host->submit(Submission::Detach, listener);
    }
    EXPECT_TRUE(closed(listener));
    int fd = static_cast<int>(host->find(Completion::Closed, listener)->b) - 1;
    ASSERT_GE(fd, 0);
    int accepted = host->count(Completion::Accept, listener);
    uint32_t again;
    ASSERT_EQ(host->backend->adopt(fd, &again), 0);
    EXPECT_TRUE(host->run_until([&] { return accepted + host->count(Completion::Accept, again) == 8; }));
    for (Peer& peer : peers) {
      peer.take();
      ASSERT_FALSE(peer.ended || peer.error != 0);
    }
    host->close(again);
    EXPECT_TRUE(closed(again));
    host->events.clear();
  }
}

TEST_P(Handover, AdoptsOnlyStreamSockets) {
  uint32_t handle;
  EXPECT_EQ(host->backend->adopt(1'000'000, &handle), -EBADF);
  int fds[2];
  ASSERT_EQ(pipe(fds), 0);
  EXPECT_EQ(host->backend->adopt(fds[0], &handle), -ENOTSOCK);
  close(fds[0]);
  close(fds[1]);
  int udp = ::socket(AF_INET, SOCK_DGRAM, 0);
  EXPECT_EQ(host->backend->adopt(udp, &handle), -EPROTOTYPE);
  close(udp);
  int unconnected = ::socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_EQ(host->backend->adopt(unconnected, &handle), -ENOTCONN);
  EXPECT_EQ(fcntl(unconnected, F_GETFL) & O_NONBLOCK, 0) << "refused, and changed";
  close(unconnected);
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
  EXPECT_EQ(host->backend->adopt(fds[0], &handle), -EPROTOTYPE);
  close(fds[0]);
  close(fds[1]);
  uint32_t socket;
  Peer peer = connect_peer(&socket);
  int ours = -1;
  ASSERT_EQ(host->backend->descriptor_of(socket, &ours), 0);
  EXPECT_EQ(host->backend->adopt(ours, &handle), -EEXIST);
}

TEST_P(Handover, AdoptsAPairOfUnixSockets) {
  int fds[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  uint32_t handle;
  ASSERT_EQ(host->backend->adopt(fds[0], &handle), 0);
  Peer peer(fds[1]);
  peer.send("paired");
  EXPECT_TRUE(host->run_until([&] { return host->data_of(handle) == "paired"; }));
  host->close(handle);
  EXPECT_TRUE(closed(handle));
}

TEST_P(Handover, OptionsAreTheKernels) {
  uint32_t socket;
  Peer peer = connect_peer(&socket);
  auto get = [&](SocketOption option) {
    int value = -7;
    EXPECT_EQ(host->backend->get_option(socket, option, &value), 0);
    return value;
  };
  auto set = [&](SocketOption option, int value) { return host->backend->set_option(socket, option, value); };
  EXPECT_EQ(get(SocketOption::NoDelay), 1);
  EXPECT_EQ(get(SocketOption::KeepAlive), 0);
  EXPECT_EQ(get(SocketOption::Linger), -1);
  for (auto [option, value] : {std::pair{SocketOption::NoDelay, 0},
                               {SocketOption::KeepAlive, 1},
                               {SocketOption::KeepAliveIdle, 77},
                               {SocketOption::KeepAliveInterval, 5},
                               {SocketOption::KeepAliveCount, 3},
                               {SocketOption::Linger, 0},
                               {SocketOption::Linger, 9},
                               {SocketOption::Linger, -1}}) {
    EXPECT_EQ(set(option, value), 0) << static_cast<int>(option);
    EXPECT_EQ(get(option), value) << static_cast<int>(option);
  }
  EXPECT_EQ(set(SocketOption::SendBuffer, 50'000), 0);
  EXPECT_EQ(get(SocketOption::SendBuffer), 100'000);
  for (auto [option, value] : {std::pair{SocketOption::NoDelay, 2},
                               {SocketOption::KeepAlive, -1},
                               {SocketOption::KeepAliveIdle, 0},
                               {SocketOption::KeepAliveCount, INT32_MAX},
                               {SocketOption::ReceiveBuffer, -1},
                               {SocketOption::Linger, -2},
                               {SocketOption::Linger, 65'536},
                               {static_cast<SocketOption>(0), 1},
                               {static_cast<SocketOption>(9), 1}}) {
    EXPECT_EQ(set(option, value), -EINVAL) << static_cast<int>(option);
  }
  int value;
  EXPECT_EQ(host->backend->get_option(socket, static_cast<SocketOption>(9), &value), -EINVAL);
}

// close(2) with a linger time waits on Linux, whatever the descriptor's mode: the loop must not.
TEST_P(Handover, LingerDoesNotStopTheLoop) {
  listener = host->listen();
  ASSERT_EQ(host->backend->set_option(listener, SocketOption::Linger, 30), 0);
  uint32_t socket;
  Peer peer = connect_peer(&socket, 4096);
  int value = 0;
  ASSERT_EQ(host->backend->get_option(socket, SocketOption::Linger, &value), 0);
  EXPECT_EQ(value, 30) << "accepted sockets have the listener's options";
  host->send(socket, std::string(kSendBlockBytes, 'l'));
  host->close(socket);
  uint64_t before = uv_hrtime();
  EXPECT_TRUE(closed(socket));
  EXPECT_LT(uv_hrtime() - before, 10'000'000'000u);
  EXPECT_TRUE(host->run_watching([&] { return peer.take(), peer.ended || peer.error != 0; }));
  EXPECT_EQ(peer.received.size(), size_t{kSendBlockBytes});
  EXPECT_TRUE(peer.ended);
}

TEST_P(Handover, ConnectsFromAnAddressOfItsOwn) {
  listener = host->listen();
  SocketAddress local = loopback(0);
  local.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);  // 127.0.0.2
  uint32_t client;
  ASSERT_EQ(host->backend->connect(loopback(host->port_of(listener)), local, &client), 0);
  EXPECT_TRUE(host->run_until([&] { return host->find(Completion::Accept, listener) != nullptr; }));
  SocketAddress name;
  ASSERT_EQ(host->backend->name_of(host->find(Completion::Accept, listener)->a, true, &name), 0);
  EXPECT_EQ(ntohl(name.v4.sin_addr.s_addr), INADDR_LOOPBACK + 1);

  // The port too.
  local.v4.sin_port = name.v4.sin_port;
  local.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 2);
  ASSERT_EQ(host->backend->connect(loopback(host->port_of(listener)), local, &client), 0);
  EXPECT_TRUE(host->run_until([&] { return host->count(Completion::Accept, listener) == 2; }));
  ASSERT_EQ(host->backend->name_of(client, false, &name), 0);
  EXPECT_EQ(name.v4.sin_port, local.v4.sin_port);

  local.v4.sin_addr.s_addr = htonl(0x08080808);  // not of this host
  EXPECT_EQ(host->backend->connect(loopback(host->port_of(listener)), local, &client), -EADDRNOTAVAIL);
  SocketAddress v6;
  v6.bytes = sizeof v6.v6;
  v6.v6.sin6_family = AF_INET6;
  EXPECT_EQ(host->backend->connect(loopback(host->port_of(listener)), v6, &client), -EINVAL);
}

}  // namespace
}  // namespace millrace

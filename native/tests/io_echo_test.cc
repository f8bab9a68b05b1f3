// Data there and back: whole, split, half closed, paused, more than fits.
#include <map>
#include <random>

#include "tests/io_host.h"

namespace millrace {
namespace {

class Echo : public IoTest {
 protected:
  // What was received goes back, out of the buffer in which it arrived.
  void echo_everything() {
    host->on_event = [this](const Event& event) {
      if (event.kind == Completion::Data) {
        EXPECT_TRUE(host->submit(Submission::Send, event.handle, event.a, event.b, kFromReceiveArena));
      } else if (event.kind == Completion::End) {
        host->close(event.handle);
      }
    };
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, Echo, kBackends, backend_of);

std::string pattern(size_t bytes) {
  std::string text(bytes, 0);
  for (size_t i = 0; i < bytes; i++) text[i] = static_cast<char>(i * 31 + (i >> 8) * 7);
  return text;
}

TEST_P(Echo, ReturnsAMessage) {
  echo_everything();
  uint32_t socket;
  Peer peer = connect_peer(&socket);
  peer.send("a drop in the race");
  EXPECT_TRUE(host->run_watching([&] { return peer.take(), peer.received.size() == 18; }));
  EXPECT_EQ(peer.received, "a drop in the race");
  EXPECT_EQ(host->bytes_sent[socket & kSlotMask], 18u);
  BackendCounters counters = host->backend->counters();
  EXPECT_EQ(counters.accepts, 1u);
  EXPECT_EQ(counters.receive_bytes, 18u);
  EXPECT_EQ(counters.send_bytes, 18u);
}

TEST_P(Echo, KeepsEveryByteInOrderUnderLoad) {
  echo_everything();
  host->keep_events = false;
  constexpr int kPeers = 40;
  constexpr size_t kBytes = 600'000;
  listener = host->listen();
  std::string sent = pattern(kBytes);
  std::vector<Peer> peers;
  std::vector<size_t> offsets(kPeers);
  for (int i = 0; i < kPeers; i++) peers.push_back(Peer::connect_to(host->port_of(listener)));
  EXPECT_TRUE(host->run_watching([&] {
    bool all = true;
    for (int i = 0; i < kPeers; i++) {
      // Odd sizes, so that messages are cut everywhere.
      size_t piece = std::min<size_t>(kBytes - offsets[i], 1 + (offsets[i] * 17 + i * 997) % 40'000);
      offsets[i] += peers[i].send_some(&sent[offsets[i]], piece);
      peers[i].take();
      all = all && peers[i].received.size() == kBytes;
    }
    return all;
  }));
  for (Peer& peer : peers) EXPECT_EQ(peer.received, sent);
  // Every buffer came back.
  host->run_idle(3);
  EXPECT_EQ(host->backend->counters().receive_buffers_in_use, 0u);
}

TEST_P(Echo, MergesAndGathersTheSegmentsOfATick) {
  uint32_t socket;
  Peer peer = connect_peer(&socket);
  std::string expected;
  for (int i = 0; i < 40; i++) {
    std::string piece = "segment " + std::to_string(i) + ";";
    expected += piece;
    EXPECT_TRUE(host->send(socket, piece));
  }
  // Neighbours in one block are one segment.
  memcpy(&host->send_arena[200 * kSendBlockBytes], "abcdef", 6);
  for (uint32_t i = 0; i < 6; i += 2) host->submit(Submission::Send, socket, 200 * kSendBlockBytes + i, 2);
  EXPECT_EQ(host->block_segments[200], 1u);
  expected += "abcdef";
  uint64_t sends_before = host->backend->counters().sends;
  EXPECT_TRUE(host->run_watching([&] { return peer.take(), peer.received.size() >= expected.size(); }));
  EXPECT_EQ(peer.received, expected);
  EXPECT_LE(host->backend->counters().sends - sends_before, 3u);  // 41 segments, 16 at once
  for (uint32_t segments : host->block_segments) EXPECT_EQ(segments, 0u);
}

TEST_P(Echo, ContinuesAfterPartialWritesToASlowReader) {
  uint32_t socket;
  Peer peer = connect_peer(&socket, 4096);
  std::string block = pattern(kSendBlockBytes);
  constexpr int kBlocks = 120;
  for (int i = 0; i < kBlocks; i++) ASSERT_TRUE(host->send(socket, block));
  host->submit(Submission::NotifyDrain, socket);
  host->run_idle(10);
  EXPECT_EQ(host->count(Completion::Drain, socket), 0);
  uint32_t left_at_first = host->bytes_sent[socket & kSlotMask];
  EXPECT_LT(left_at_first, kBlocks * kSendBlockBytes);
  EXPECT_GT(left_at_first, 0u);
  EXPECT_TRUE(host->backend->keeps_alive());

  EXPECT_TRUE(host->run_watching([&] {
    peer.take(50'000);
    return peer.received.size() == size_t{kBlocks} * kSendBlockBytes;
  }));
  for (int i = 0; i < kBlocks; i++)
    ASSERT_EQ(peer.received.compare(size_t(i) * kSendBlockBytes, block.size(), block), 0);
  EXPECT_TRUE(host->run_until([&] { return host->count(Completion::Drain, socket) == 1; }));
  EXPECT_EQ(host->bytes_sent[socket & kSlotMask], kBlocks * kSendBlockBytes);
  for (uint32_t segments : host->block_segments) EXPECT_EQ(segments, 0u);
}

TEST_P(Echo, TellsOnceOfADrainThatWasAskedForAgain) {
  uint32_t socket;
  Peer peer = connect_peer(&socket, 4096);
  host->submit(Submission::NotifyDrain, socket);
  EXPECT_TRUE(host->run_until([&] { return host->count(Completion::Drain, socket) == 1; }));
  host->send(socket, "first");
  host->submit(Submission::NotifyDrain, socket);
  EXPECT_TRUE(host->run_until([&] { return host->count(Completion::Drain, socket) == 2; }));
  std::string block = pattern(kSendBlockBytes);
  for (int i = 0; i < 100; i++) host->send(socket, block);
  host->submit(Submission::NotifyDrain, socket);
  host->submit(Submission::NotifyDrain, socket);
  host->send(socket, "last");
  host->submit(Submission::NotifyDrain, socket);
  host->run_idle(5);
  EXPECT_EQ(host->count(Completion::Drain, socket), 2);
  size_t sent = size_t{100} * kSendBlockBytes + 9;
  EXPECT_TRUE(host->run_watching([&] { return peer.take(), host->count(Completion::Drain, socket) == 3; }));
  EXPECT_TRUE(host->run_watching([&] { return peer.take(), peer.received.size() == sent; }));
  host->run_idle(3);
  EXPECT_EQ(host->count(Completion::Drain, socket), 3);
}

TEST_P(Echo, TellsOfADrainAtALowWatermark) {
  uint32_t socket;
  Peer peer = connect_peer(&socket, 4096);
  // The kernel takes a few MiB at once.
  constexpr uint32_t kLow = 190 * kSendBlockBytes;
  constexpr uint32_t kSent = 200 * kSendBlockBytes;
  std::string block = pattern(kSendBlockBytes);
  for (int i = 0; i < 200; i++) host->send(socket, block);
  host->submit(Submission::NotifyDrain, socket, 0);
  host->submit(Submission::NotifyDrain, socket, kLow);  // replaces it
  uint32_t left_at_drain = 0;
  host->on_event = [&](const Event& event) {
    if (event.kind == Completion::Drain) left_at_drain = host->bytes_sent[socket & kSlotMask];
  };
  EXPECT_TRUE(host->run_watching([&] { return peer.take(20'000), host->count(Completion::Drain, socket) == 1; }));
  EXPECT_GE(left_at_drain, kSent - kLow);
  EXPECT_LT(left_at_drain, kSent);
  EXPECT_TRUE(host->run_watching([&] { return peer.take(), peer.received.size() == kSent; }));
  host->run_idle(3);
  EXPECT_EQ(host->count(Completion::Drain, socket), 1);
  // What is at the mark already is told at once.
  host->submit(Submission::NotifyDrain, socket, kLow);
  EXPECT_TRUE(host->run_until([&] { return host->count(Completion::Drain, socket) == 2; }));
}

TEST_P(Echo, HalfClosesEitherWay) {
  uint32_t socket;
  Peer peer = connect_peer(&socket);
  peer.send("the last words");
  peer.send_fin();
  EXPECT_TRUE(host->run_until([&] { return host->count(Completion::End, socket) == 1; }));
  EXPECT_EQ(host->data_of(socket), "the last words");
  // Ours stays open until we say so, and FIN follows all that was sent before.
  std::string block = pattern(kSendBlockBytes);
  for (int i = 0; i < 60; i++) host->send(socket, block);
  host->submit(Submission::Shutdown, socket);
  EXPECT_TRUE(host->run_watching([&] { return peer.take(100'000), peer.ended; }));
  EXPECT_EQ(peer.received.size(), 60 * kSendBlockBytes);
  EXPECT_EQ(host->count(Completion::Closed, socket), 0);
  host->close(socket);
  EXPECT_TRUE(closed(socket));
}

TEST_P(Echo, ReceivesAfterItsOwnFin) {
  uint32_t socket;
  Peer peer = connect_peer(&socket);
  host->submit(Submission::Shutdown, socket);
  EXPECT_TRUE(host->run_watching([&] { return peer.take(), peer.ended; }));
  peer.send("still talking");
  EXPECT_TRUE(host->run_until([&] { return host->data_of(socket) == "still talking"; }));
}

TEST_P(Echo, PausesAndResumes) {
  uint32_t socket;
  Peer peer = connect_peer(&socket);
  peer.send("one");
  EXPECT_TRUE(host->run_until([&] { return host->data_of(socket) == "one"; }));
  host->submit(Submission::Pause, socket);
  host->run_idle(3);
  peer.send("two");
  host->run_idle(20);
  EXPECT_EQ(host->data_of(socket), "one");
  host->submit(Submission::Resume, socket);
  EXPECT_TRUE(host->run_until([&] { return host->data_of(socket) == "onetwo"; }));
  // To and fro within a tick changes nothing.
  host->submit(Submission::Pause, socket);
  host->submit(Submission::Resume, socket);
  host->submit(Submission::Pause, socket);
  host->submit(Submission::Resume, socket);
  peer.send("three");
  EXPECT_TRUE(host->run_until([&] { return host->data_of(socket) == "onetwothree"; }));
}

TEST_P(Echo, ResumesWhileThePauseIsUnderWay) {
  uint32_t socket;
  Peer peer = connect_peer(&socket);
  for (int i = 0; i < 50; i++) {
    host->submit(Submission::Pause, socket);
    host->backend->flush();
    host->submit(Submission::Resume, socket);
    peer.send("x");
    ASSERT_TRUE(host->run_until([&] { return host->data_of(socket).size() == size_t(i) + 1; })) << i;
  }
}

TEST_P(Echo, PausedSocketDoesNotKeepTheLoopBusy) {
  uint32_t socket;
  Peer peer = connect_peer(&socket);
  host->submit(Submission::Pause, socket);
  peer.send("nobody reads this");
  host->run_idle(5);
  uint64_t entries = host->backend->counters().kernel_entries;
  host->run_idle(50);
  EXPECT_LE(host->backend->counters().kernel_entries - entries, 5u);
}

TEST_P(Echo, RecoversFromAnEmptyBufferPool) {
  // JavaScript takes nothing for a while: every buffer is full. When it does, all go on.
  host->keep_events = false;
  echo_everything();
  listener = host->listen();
  constexpr int kPeers = 20;
  std::vector<Peer> peers;
  std::vector<size_t> sent(kPeers);
  std::string bytes = pattern(1 << 20);
  for (int i = 0; i < kPeers; i++) peers.push_back(Peer::connect_to(host->port_of(listener)));
  EXPECT_TRUE(host->run_until([&] { return host->backend->counters().accepts == kPeers; }));
  host->run_idle(2);
  host->javascript_drains = false;
  EXPECT_TRUE(host->run_watching([&] {
    for (int i = 0; i < kPeers; i++) sent[i] += peers[i].send_some(&bytes[sent[i] % 65536], 65536);
    return host->backend->counters().out_of_buffers >= kPeers;
  }));
  EXPECT_EQ(host->backend->counters().receive_buffers_in_use, kReceiveBuffers);
  // Nothing spins while no buffer is free.
  host->run_idle(20);
  uint64_t entries = host->backend->counters().kernel_entries;
  host->run_idle(50);
  EXPECT_LE(host->backend->counters().kernel_entries - entries, 20u);
  host->javascript_drains = true;
  EXPECT_TRUE(host->run_watching([&] {
    bool all = true;
    for (int i = 0; i < kPeers; i++) {
      peers[i].take();
      all = all && peers[i].received.size() == sent[i];
    }
    return all;
  }));
  host->run_idle(3);
  EXPECT_EQ(host->backend->counters().receive_buffers_in_use, 0u);
}

TEST_P(Echo, PeersThatDoNotReadKeepNoBuffers) {
  echo_everything();
  host->keep_events = false;
  listener = host->listen();
  constexpr int kPeers = 12;
  constexpr size_t kBytes = 8 << 20;  // of each; the arenas together are 32 MiB
  std::vector<Peer> peers;
  std::vector<size_t> sent(kPeers);
  std::string bytes = pattern(2 << 16);
  for (int i = 0; i < kPeers; i++) peers.push_back(Peer::connect_to(host->port_of(listener), 4096));
  EXPECT_TRUE(host->run_watching([&] {
    bool all = true;
    for (int i = 0; i < kPeers; i++) {
      size_t offset = sent[i] % 65536;
      sent[i] += peers[i].send_some(&bytes[offset], std::min<size_t>(65536, kBytes - sent[i]));
      all = all && sent[i] == kBytes;
    }
    return all;
  }));
  EXPECT_TRUE(host->run_watching([&] { return host->backend->counters().receive_bytes == kPeers * kBytes; }));
  host->run_idle(3);
  EXPECT_EQ(host->backend->counters().receive_buffers_in_use, 0u);
  Peer honest = Peer::connect_to(host->port_of(listener));
  honest.send("let me through");
  EXPECT_TRUE(host->run_watching([&] { return honest.take(), honest.received == "let me through"; }));
  // And what the others sent is still all there, in order.
  EXPECT_TRUE(host->run_watching([&] {
    bool all = true;
    for (Peer& peer : peers) {
      peer.take();
      all = all && peer.received.size() == kBytes;
    }
    return all;
  }));
  for (Peer& peer : peers) {
    for (size_t i = 0; i < kBytes; i += 65536) ASSERT_EQ(peer.received.compare(i, 65536, bytes, 0, 65536), 0) << i;
  }
}

TEST_P(Echo, ABlockThatIsSaidToBeFreeIsReadByNobody) {
  // JavaScript writes over a block as soon as its count is zero, while the peer reads by fits and starts. It sends in the
  // middle of ticks, in which sends that waited have just ended.
  std::mt19937 random(7);
  uint32_t socket, ticking;
  Peer peer = connect_peer(&socket, 8192);
  Peer ticker = connect_peer(&ticking);
  host->keep_events = false;
  constexpr int kBlocks = 3000;
  std::string expected;
  int sent = 0;
  host->on_event = [&](const Event& event) {
    if (event.kind != Completion::Data || sent == kBlocks || host->block_segments[0] != 0) return;
    std::string text(1 + random() % kSendBlockBytes, static_cast<char>('a' + sent % 26));
    memcpy(host->send_arena.data(), text.data(), text.size());
    EXPECT_TRUE(host->submit(Submission::Send, socket, 0, static_cast<uint32_t>(text.size())));
    expected += text;
    sent++;
  };
  EXPECT_TRUE(host->run_watching([&] {
    ticker.send("x");
    if (expected.size() - peer.received.size() > 6'000'000 || sent == kBlocks) peer.take(random() % 400'000);
    return sent == kBlocks && peer.received.size() >= expected.size();
  }));
  EXPECT_TRUE(peer.received == expected);
}

TEST_P(Echo, ServesMoreSocketsInATickThanTheKernelsQueueHolds) {
  listener = host->listen();
  constexpr int kPeers = 600;
  std::vector<Peer> peers;
  for (int i = 0; i < kPeers; i++) {
    peers.push_back(Peer::connect_to(host->port_of(listener)));
    if (i % 100 == 0) host->run_idle(1);
  }
  EXPECT_TRUE(host->run_until([&] { return host->count(Completion::Accept, listener) == kPeers; }));
  host->run_idle(2);
  // Three pieces each, not neighbours: a message of several spans for every socket, in one tick.
  memcpy(&host->send_arena[0], "a.b.c", 5);
  std::vector<Event> accepts = host->events;
  for (const Event& event : accepts) {
    for (uint32_t offset : {0u, 2u, 4u}) EXPECT_TRUE(host->submit(Submission::Send, event.a, offset, 1));
  }
  EXPECT_EQ(host->block_segments[0], 3u * kPeers);
  EXPECT_TRUE(host->run_watching([&] {
    bool all = true;
    for (Peer& peer : peers) {
      peer.take();
      all = all && peer.received == "abc";
    }
    return all;
  }));
  host->run_idle(2);
  EXPECT_EQ(host->block_segments[0], 0u);
}

TEST_P(Echo, LosesNothingWhileJavaScriptLeavesTheRingFull) {
  listener = host->listen();
  constexpr int kPeers = 700;
  std::vector<Peer> peers;
  for (int i = 0; i < kPeers; i++) {
    peers.push_back(Peer::connect_to(host->port_of(listener)));
    if (i % 50 == 0) host->run_idle(1);
  }
  EXPECT_TRUE(host->run_until([&] { return host->count(Completion::Accept, listener) == kPeers; }));
  host->javascript_drains = false;
  std::string expected;
  for (char letter = 'a'; letter < 'm'; letter++) {
    for (Peer& peer : peers) peer.send(std::string(1, letter));
    host->run_idle(2);
    expected += letter;
  }
  for (Peer& peer : peers) peer.send_fin();
  host->run_idle(3);
  host->javascript_drains = true;
  int ended = 0;
  std::map<uint32_t, std::string> received;
  host->on_event = [&](const Event& event) {
    if (event.kind == Completion::Data) received[event.handle] += event.data;
    ended += event.kind == Completion::End;
  };
  EXPECT_TRUE(host->run_until([&] { return ended == kPeers; }));
  EXPECT_EQ(received.size(), size_t{kPeers});
  for (const auto& [handle, text] : received) ASSERT_EQ(text, expected);
}

TEST_P(Echo, SendsWithoutDelayOnAcceptedAndConnectedSockets) {
  uint32_t accepted, connected;
  Peer peer = connect_peer(&accepted);
  ASSERT_EQ(host->connect(host->port_of(listener), &connected), 0);
  EXPECT_TRUE(host->run_until([&] { return host->count(Completion::Connect, connected) == 1; }));
  // The descriptors are ours alone: find them by their names.
  int found = 0;
  for (int fd = 3; fd < 64; fd++) {
    sockaddr_in name = {};
    socklen_t bytes = sizeof name;
    if (fd == peer.fd() || getpeername(fd, reinterpret_cast<sockaddr*>(&name), &bytes) != 0) continue;
    if (name.sin_family != AF_INET) continue;
    int no_delay = 0;
    bytes = sizeof no_delay;
    getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &bytes);
    EXPECT_EQ(no_delay, 1) << fd;
    EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    found++;
  }
  EXPECT_EQ(found, 3);
}

}  // namespace
}  // namespace millrace

// Sends out of the caller's memory, past the arena.
#include "tests/io_host.h"

namespace millrace {
namespace {

class AtOnce : public IoTest {
 protected:
  uint32_t send_at_once(uint32_t socket, const std::string& text) {
    return host->backend->send_at_once(socket, reinterpret_cast<const uint8_t*>(text.data()),
                                       static_cast<uint32_t>(text.size()));
  }
  uint32_t bytes_left(uint32_t socket) const { return host->bytes_sent[socket & kSlotMask]; }
};
INSTANTIATE_TEST_SUITE_P(Backends, AtOnce, kBackends, backend_of);

TEST_P(AtOnce, HasLeftWhenTheCallReturns) {
  uint32_t socket;
  Peer peer = connect_peer(&socket);
  EXPECT_EQ(send_at_once(socket, "no turn of the loop"), 19u);
  peer.take();
  EXPECT_EQ(peer.received, "no turn of the loop");
  EXPECT_EQ(bytes_left(socket), 19u);
  EXPECT_EQ(host->backend->counters().send_bytes, 19u);
}

TEST_P(AtOnce, OvertakesNothing) {
  uint32_t socket;
  Peer peer = connect_peer(&socket);
  EXPECT_TRUE(host->send(socket, "first, "));
  EXPECT_EQ(send_at_once(socket, "second"), 0u);
  EXPECT_TRUE(host->send(socket, "second"));
  EXPECT_TRUE(host->run_watching([&] { return peer.take(), peer.received.size() == 13; }));
  EXPECT_EQ(peer.received, "first, second");
}

TEST_P(AtOnce, LeavesTheRestToTheQueueWhichOwnsIt) {
  uint32_t socket;
  Peer peer = connect_peer(&socket, 4096);
  std::string text(16u << 20, 0);
  for (size_t i = 0; i < text.size(); i++) text[i] = static_cast<char>(i * 31 + (i >> 8) * 7);
  std::string given = text;
  EXPECT_EQ(send_at_once(socket, given), given.size());
  given.assign(given.size(), 'x');
  EXPECT_LT(bytes_left(socket), text.size());
  EXPECT_GT(bytes_left(socket), 0u);
  EXPECT_TRUE(host->send(socket, "and then"));
  text += "and then";
  host->submit(Submission::NotifyDrain, socket);
  host->run_idle(3);
  EXPECT_EQ(host->count(Completion::Drain, socket), 0);
  EXPECT_TRUE(host->run_watching([&] { return peer.take(), peer.received.size() >= text.size(); }));
  EXPECT_TRUE(peer.received == text);
  EXPECT_TRUE(host->run_until([&] { return host->count(Completion::Drain, socket) == 1; }));
  EXPECT_EQ(bytes_left(socket), text.size());
  EXPECT_EQ(send_at_once(socket, "again"), 5u);
}

TEST_P(AtOnce, KeepsTheProcessAliveUntilTheRestHasLeft) {
  uint32_t socket;
  Peer peer = connect_peer(&socket, 4096);
  host->submit(Submission::SocketRef, socket, 0);
  host->submit(Submission::SocketRef, listener, 0);
  EXPECT_FALSE(host->backend->keeps_alive());
  std::string text(8u << 20, 'r');
  send_at_once(socket, text);
  EXPECT_TRUE(host->backend->keeps_alive());
  EXPECT_TRUE(host->run_watching([&] { return peer.take(), peer.received.size() == text.size(); }));
  EXPECT_TRUE(host->run_until([&] { return !host->backend->keeps_alive(); }));
}

TEST_P(AtOnce, CountsWhatIsLostWhenThePeerHasReset) {
  uint32_t socket;
  Peer peer = connect_peer(&socket);
  host->submit(Submission::Pause, socket);
  host->run_idle(3);
  peer.reset();
  // The first call is told of the reset.
  EXPECT_EQ(send_at_once(socket, "never read"), 10u);
  EXPECT_TRUE(closed(socket));
  const Event* error = host->find(Completion::Error, socket);
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(static_cast<int32_t>(error->a), -ECONNRESET);
  EXPECT_EQ(host->find(Completion::Closed, socket)->a, 10u);
}

TEST_P(AtOnce, IsOnlyForOpenStreams) {
  uint32_t socket;
  Peer peer = connect_peer(&socket);
  EXPECT_EQ(send_at_once(listener, "x"), 0u);
  EXPECT_EQ(send_at_once(socket + (1u << kSlotBits), "x"), 0u);
  EXPECT_EQ(send_at_once(kSlotMask, "x"), 0u);
  EXPECT_EQ(send_at_once(socket, ""), 0u);
  host->submit(Submission::Shutdown, socket);
  EXPECT_EQ(send_at_once(socket, "x"), 0u);
  host->close(socket);
  EXPECT_EQ(send_at_once(socket, "x"), 0u);
  EXPECT_TRUE(closed(socket));
  EXPECT_EQ(send_at_once(socket, "x"), 0u);
  EXPECT_TRUE(host->run_watching([&] { return peer.take(), peer.ended; }));
  EXPECT_EQ(peer.received, "");
}

TEST_P(AtOnce, StopsWithTheRestStillWaiting) {
  uint32_t socket;
  Peer peer = connect_peer(&socket, 4096);
  send_at_once(socket, std::string(8u << 20, 's'));
  host->run_idle(3);
  host->stop();
}

}  // namespace
}  // namespace millrace

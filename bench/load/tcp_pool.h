// TCP connections that echo messages, each checked byte for byte.
#pragma once

#include <stdint.h>

#include <vector>

#include "pattern.h"
#include "pool.h"
#include "sockets.h"
#include "time_queue.h"

namespace load {

// Positions are counted in bytes from the connection's start. Invariant: received <= sent <= wanted, and
// wanted = (messages that came back + messages waited for) * message_bytes.
class TcpConnection {
 public:
  TcpConnection(Descriptor socket, uint32_t message_bytes)
      : socket_(std::move(socket)), message_bytes_(message_bytes) {}

  int fd() const { return socket_.fd(); }
  bool is_blocked() const { return sent_ < wanted_; }
  size_t waiting() const { return times_.size(); }

  void Want(uint64_t counts_from_ns) {
    times_.Push(counts_from_ns);
    wanted_ += message_bytes_;
  }

  // Leaves is_blocked() when the socket takes no more.
  void Send(const Pattern& pattern);
  // Reads once and checks; how many messages are now whole. Their times go to the recorder, `*now_ns` says when that was.
  uint64_t Receive(const Pattern& pattern, uint8_t* buffer, Recorder* recorder, uint64_t* now_ns);
  void GiveUp(uint64_t now_ns, Recorder* recorder);

  bool is_watched_for_room = false;

 private:
  Descriptor socket_;
  uint32_t message_bytes_;
  TimeQueue times_;
  uint64_t wanted_ = 0;
  uint64_t sent_ = 0;
  uint64_t received_ = 0;
  uint64_t whole_ = 0;
};

class TcpPool final : public Pool {
 public:
  TcpPool(const Pattern& pattern, uint32_t message_bytes);

  void Open(Target* target, uint32_t count);
  // Exchanges `messages` messages, one after the other, on each connection from `first` on; ends when all are back.
  void Exchange(uint32_t first, uint32_t messages);

  uint32_t size() const override { return static_cast<uint32_t>(connections_.size()); }
  void Send(uint32_t index, uint64_t counts_from_ns, uint32_t messages) override;
  uint32_t Poll(int timeout_ms) override;
  uint64_t waiting() const override { return waiting_; }
  void GiveUp(uint64_t now_ns) override;
  int epoll() const override { return epoll_.fd(); }

 private:
  void Flush(uint32_t index);

  const Pattern& pattern_;
  const uint32_t message_bytes_;
  std::vector<uint8_t> buffer_;
  Descriptor epoll_;
  std::vector<TcpConnection> connections_;
  uint64_t waiting_ = 0;
};

}  // namespace load

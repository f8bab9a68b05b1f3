// A TCP connection that echoes messages, each checked byte for byte.
#pragma once

#include <stdint.h>

#include "pattern.h"
#include "pool.h"
#include "sockets.h"
#include "time_queue.h"

namespace load {

// Every connection sends the same: messages of one length, cut from the pattern.
class EchoScript {
 public:
  explicit EchoScript(uint32_t message_bytes) : message_bytes_(message_bytes) {}

  const Pattern& pattern() const { return pattern_; }
  uint32_t message_bytes() const { return message_bytes_; }
  uint32_t places() const { return 1; }

 private:
  const Pattern pattern_;
  const uint32_t message_bytes_;
};

// Positions are counted in bytes from the connection's start. Invariant: received <= sent <= wanted, and
// wanted = (messages that came back + messages waited for) * message_bytes.
class EchoConnection {
 public:
  using Script = EchoScript;

  EchoConnection(Descriptor socket, const EchoScript&, uint32_t) : socket_(std::move(socket)) {}

  int fd() const { return socket_.fd(); }
  bool is_blocked() const { return sent_ < wanted_; }
  size_t waiting() const { return times_.size(); }

  void Want(const EchoScript& script, uint64_t counts_from_ns) {
    times_.Push(counts_from_ns);
    wanted_ += script.message_bytes();
  }

  // Leaves is_blocked() when the socket takes no more.
  void Send(const EchoScript& script);
  // Reads once and checks; how many messages are now whole. Their times go to the recorder, `*now_ns` says when that was.
  uint64_t Receive(EchoScript* script, uint8_t* buffer, Recorder* recorder, uint64_t* now_ns);
  void GiveUp(uint64_t now_ns, Recorder* recorder);

  bool is_watched_for_room = false;

 private:
  Descriptor socket_;
  TimeQueue times_;
  uint64_t wanted_ = 0;
  uint64_t sent_ = 0;
  uint64_t received_ = 0;
  uint64_t whole_ = 0;
};

}  // namespace load

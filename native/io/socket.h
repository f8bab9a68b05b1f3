// A socket or listener, as both backends see it.
//
//   Connecting -> Open -> Leaving -> Ending -> Ended -> its slot is released when Closed is in the completion ring
//        \__________\________________/
//
// What JavaScript asks for only changes what the socket wants; the backend's advance() brings the kernel's operations in
// line with it, as often as it is called. The entry outlives every operation and handle that points at it: Closed is owed
// only after the last of them.
#ifndef MILLRACE_IO_SOCKET_H_
#define MILLRACE_IO_SOCKET_H_

#include <uv.h>

#include <cstdint>

#include "core/records.h"
#include "io/address.h"
#include "io/intrusive_queue.h"
#include "io/send_queue.h"

namespace millrace {

class SocketBackend;

struct Socket {
  enum class Kind : uint8_t { Stream, Listener };
  enum class Phase : uint8_t {
    Connecting,
    Open,     // a listener is in it from the start
    Leaving,  // Close: nothing is received any more, what was sent before leaves first
    Ending,   // nothing is started any more, what is under way is being ended
    Ended,    // the descriptor is closed
  };
  // Completions that are due, in this order.
  enum Owed : uint8_t { kOwedConnect = 1, kOwedEnd = 2, kOwedDrain = 4, kOwedError = 8, kOwedClosed = 16 };

  SocketBackend* backend = nullptr;
  int fd = -1;
  uint32_t handle = 0;
  Kind kind = Kind::Stream;
  Phase phase = Phase::Open;

  // What it wants.
  bool paused = false;
  bool fin_wanted = false;
  bool reset = false;  // close with RST
  bool referenced = true;

  // What it has.
  bool fin_sent = false;
  bool read_ended = false;
  bool accept_trouble = false;  // JavaScript knows that accepting fails
  bool counted_alive = false;
  bool detaching = false;  // its descriptor is not closed in the end, but given to JavaScript
  bool lingers = false;    // SO_LINGER with a time: close would block
  uint8_t owed = 0;
  bool drain_wanted = false;
  uint32_t drain_low = 0;  // Drain is due once at most so many bytes wait
  int32_t connect_result = 0;
  int32_t error = 0;
  Syscall error_call = Syscall::None;
  uint32_t unsent_bytes = 0;
  int32_t detached_fd = -1;
  bool given = false;     // Closed with the descriptor is in the completion ring,
  uint32_t given_at = 0;  // before this tail
  SendQueue sends;

  QueueLink<Socket> dirty_link;    // advance() is due
  QueueLink<Socket> owing_link;    // completions are owed
  QueueLink<Socket> starved_link;  // waits for a receive buffer or for room in the completion ring
  QueueLink<Socket> blocked_link;  // a listener that waits for descriptors

  // The uv backend's part.
  struct Readiness {
    uv_poll_t poll = {};
    int polled = 0;  // the events that the loop watches
    bool write_blocked = false;
    uint32_t last_receive_bytes = 0;
  };
  // The uring backend's part.
  struct Operations {
    uint8_t armed = 0;        // bits of operations that the kernel has
    uint8_t cancelling = 0;   // and of those that it was told to end
    bool send_waits = false;  // the peer does not read: sends wait in the kernel, and none of them lies in an arena
    bool poll_first = false;  // a listener that others made non-blocking: accept is asked for when it can succeed
    SocketAddress* address = nullptr;  // owned; while it connects
  };
  // Of whichever backend it belongs to, made by SocketBackend::prepare.
  union {
    Readiness ready;
    Operations ops;
  };

  Socket() {}  // NOLINT(modernize-use-equals-default): the union has no default

  // Our FIN goes out as soon as the queue is empty: with what was sent last, in one packet.
  bool ends_after_sends() const {
    return (phase == Phase::Leaving && !detaching) || (phase == Phase::Open && fin_wanted && !fin_sent);
  }
  bool wants_receive() const { return phase == Phase::Open && !paused && !read_ended; }
  // Whether what the kernel has taken for it already is JavaScript's: of one that is detached nothing may be lost.
  bool takes_what_came() const { return phase == Phase::Open || (detaching && !reset && phase < Phase::Ended); }
};

}  // namespace millrace

#endif  // MILLRACE_IO_SOCKET_H_

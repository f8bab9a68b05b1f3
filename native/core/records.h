// The border: what C++ and JavaScript say to each other, declared once. lib/internal/layout.ts is generated from this
// file's constants (scripts/generate-layout), and a test fails when the two differ.
//
// Two rings of 16-byte records live in ArrayBuffers that both sides see. JavaScript is the only writer of the
// submission ring's records and tail; C++ is the only writer of its head, and of the completion ring's records and tail.
// Both run on one thread, so the cursors need no atomics. Cursors are free-running 32-bit counters; the record of cursor
// c is at index c & (capacity - 1); a ring is full when tail - head == capacity.
//
// C++ trusts nothing that JavaScript can write: every cursor, handle, offset and length is checked where it is read.
#ifndef MILLRACE_CORE_RECORDS_H_
#define MILLRACE_CORE_RECORDS_H_

#include <cstddef>
#include <cstdint>

namespace millrace {

inline constexpr uint32_t kSubmissionCapacity = 4096;
inline constexpr uint32_t kCompletionCapacity = 4096;

// A socket handle is a slot with the generation of its use, so that a stale handle is refused.
inline constexpr uint32_t kSlotBits = 20;
inline constexpr uint32_t kSlotMask = (1u << kSlotBits) - 1;
inline constexpr uint32_t kSocketsMax = 1u << 18;

// The receive arena: equal buffers; a Data completion lies inside one of them.
inline constexpr uint32_t kReceiveBufferBytes = 16 * 1024;
inline constexpr uint32_t kReceiveBuffers = 1024;
// The send arena: blocks that JavaScript fills from the start; C++ counts the segments of each that are unsent.
inline constexpr uint32_t kSendBlockBytes = 64 * 1024;
inline constexpr uint32_t kSendBlocks = 256;

// Words of the control buffer (Uint32Array).
enum class Control : uint32_t {
  SubmissionHead = 0,  // C++ writes
  SubmissionTail = 1,  // JavaScript writes
  CompletionHead = 2,  // JavaScript writes
  CompletionTail = 3,  // C++ writes
  Awake = 4,     // 1: the loop will reach prepare and stays alive until then. C++ writes 0 when it lets the process go.
  Runnable = 5,  // JavaScript writes: tasks that wait for the next tick (0: none)
  Faults = 6,    // C++ counts submissions that it refused
  Ticks = 7,     // C++ counts calls into JavaScript
  Words = 16,
};

enum class Submission : uint8_t {
  TimerArm = 1,     // handle: timer slot; value: deadline, milliseconds of the clock (see Clock in addon)
  TimerCancel = 2,  // handle: timer slot
  TimerRef = 3,     // handle: timer slot; a: 1 keeps the process alive, 0 does not
  Send = 4,         // handle: socket; a: offset; b: length; flag kFromReceiveArena
  NotifyDrain = 5,  // handle: socket; a: bytes. One Drain completion once at most so many wait; replaces one before it.
  Pause = 6,        // handle: socket: no more Data after what is already received; or listener: it accepts nothing
  Resume = 7,       // handle: socket or listener
  Shutdown = 8,     // handle: socket; FIN after all that was sent before
  Close = 9,        // handle: socket or listener; flag kReset: RST. One Closed completion follows, and it is the last.
  SocketRef = 10,   // handle: socket or listener; a: 1 keeps the process alive, 0 does not
  Detach = 11,      // handle: socket or listener; as Close without kReset, but Closed brings the descriptor, open
  // UDP (io/datagrams.h). Their handles are of their own kind. What is sent goes through a table of its own, not as records.
  DatagramRead = 16,         // handle; a: 1 receives, 0 leaves what comes to the kernel
  DatagramNotifyDrain = 17,  // handle; a: bytes. One DatagramDrain once at most so many wait; a later one replaces it.
  DatagramClose = 18,        // handle; what waits leaves first, unless kReset. One DatagramClosed follows, as the last.
  DatagramRef = 19,          // handle; a: 1 keeps the process alive, 0 does not
};

enum class Completion : uint8_t {
  Timer = 1,    // handle: timer slot
  Accept = 2,   // handle: listener; a: the new socket's handle
  Connect = 3,  // handle: socket; a: 0 or a negative errno
  Data = 4,     // handle: socket; a: offset into the receive arena; b: length > 0
  End = 5,      // handle: socket; the peer sent FIN
  Drain = 6,    // handle: socket; answers NotifyDrain
  Error = 7,    // handle: socket or listener; a: negative errno; b: Syscall. On a socket only Closed follows.
  // handle: socket or listener; a: bytes that were accepted for sending and never left (low 32 bits); b: after a Detach
  // the descriptor + 1, which is now JavaScript's; 0 when there is none.
  Closed = 8,
  Datagrams = 16,       // handle; a: first record in the table of received ones; b: how many
  DatagramDrain = 17,   // handle: answers DatagramNotifyDrain
  DatagramClosed = 18,  // handle; a: datagrams that never left
};

enum class Syscall : uint32_t { None = 0, Read = 1, Write = 2, Accept = 3, Connect = 4, Shutdown = 5 };

// What setOption and getOption take; milliseconds never, as the kernel has seconds.
enum class SocketOption : uint32_t {
  NoDelay = 1,            // 0, 1; TCP only, as the next four
  KeepAlive = 2,          // 0, 1
  KeepAliveIdle = 3,      // seconds
  KeepAliveInterval = 4,  // seconds
  KeepAliveCount = 5,
  SendBuffer = 6,     // bytes; the kernel doubles what it is given, and getOption tells the double
  ReceiveBuffer = 7,  // bytes
  Linger = 8,         // seconds; -1: off
};

// Flags of listen, and the last one of connect.
inline constexpr uint32_t kListenIpv6Only = 1;
inline constexpr uint32_t kListenReusePort = 2;
inline constexpr uint32_t kListenUnix = 4;

// Flags, in bits 8..15 of the head.
inline constexpr uint32_t kFromReceiveArena = 1u << 8;  // Send: the offset is in the receive arena
inline constexpr uint32_t kUnref = 1u << 9;             // TimerArm: does not keep the process alive
inline constexpr uint32_t kReset = 1u << 10;            // Close: discard what is unsent, send RST

// UDP. The memory that both sides see: an arena and a table for what was received in this tick, and the same for what is
// to be sent. An entry of either table is DatagramWord::Words words. The table for sending is a ring, as the two above:
// JavaScript writes entries and SendTail, C++ takes them before it takes submissions and writes SendHead.
inline constexpr uint32_t kDatagramSocketsMax = 1u << 16;
inline constexpr uint32_t kDatagramBytesMax = 65535;
inline constexpr uint32_t kDatagramReceiveBytes = 8u << 20;
inline constexpr uint32_t kDatagramReceives = 1024;
inline constexpr uint32_t kDatagramSendBytes = 1u << 20;
inline constexpr uint32_t kDatagramSends = 1024;

enum class DatagramControl : uint32_t { SendHead = 0, SendTail = 1, Words = 16 };

enum class DatagramWord : uint32_t {
  Handle = 0,   // to be sent: the socket. Received: 0, or the negative errno of a call that failed (Length: Syscall).
  Offset = 1,   // in the arena for sending, or with kDatagramReceived in that for receiving
  Length = 2,   // bytes, and kDatagramTruncated or kDatagramReceived
  Port = 3,     // of the peer; kDatagramIpv6, kDatagramAddressed
  Address = 4,  // the peer's address as bytes in network order: one word, or four
  Scope = 8,    // of an IPv6 address: the interface
  Words = 9,
};

enum class DatagramOption : uint32_t {
  Broadcast = 1,      // 0, 1
  Ttl = 2,            // 1 to 255
  MulticastTtl = 3,   // 0 to 255
  MulticastLoop = 4,  // 0, 1
  ReceiveBuffer = 5,  // bytes, as the kernel counts them
  SendBuffer = 6,
  Dropped = 7,  // read only: datagrams that the kernel dropped because the receive buffer was full
};

inline constexpr uint32_t kDatagramTruncated = 1u << 24;  // Length of a received one: it was longer
inline constexpr uint32_t kDatagramReceived = 1u << 25;   // Length of one to be sent: what was received in this tick
inline constexpr uint32_t kDatagramIpv6 = 1u << 16;       // Port
inline constexpr uint32_t kDatagramAddressed = 1u
                                               << 17;  // Port: there is an address; without it, to the connected peer

struct Record {
  uint32_t head;  // kind in bits 0..7, flags in bits 8..15, the rest zero
  uint32_t handle;
  union {
    struct {
      uint32_t a;
      uint32_t b;
    };
    double value;
  };
};

static_assert(sizeof(Record) == 16);
static_assert(offsetof(Record, head) == 0 && offsetof(Record, handle) == 4 && offsetof(Record, a) == 8 &&
              offsetof(Record, b) == 12 && offsetof(Record, value) == 8);
static_assert((kSubmissionCapacity & (kSubmissionCapacity - 1)) == 0);
static_assert((kCompletionCapacity & (kCompletionCapacity - 1)) == 0);
static_assert(kSocketsMax <= kSlotMask + 1);
static_assert((kDatagramSends & (kDatagramSends - 1)) == 0);

}  // namespace millrace

#endif  // MILLRACE_CORE_RECORDS_H_

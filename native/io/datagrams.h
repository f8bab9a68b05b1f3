// UDP, the same for both backends: readiness by one uv_poll_t for each socket, and batches that do not block.
//
// Receiving. A batch is one recvmmsg. Every message has two parts: a place in the arena, as large as the largest datagram
// of the batch before, and private memory for what is longer; a longer one is put together in the arena afterwards. So
// small datagrams lie close together, large ones arrive whole, and the size need not be guessed. Arena and table fill up
// within a tick and are reused from the start when JavaScript has taken what they hold; a socket for which they have no
// room stays readable, and is served first in the next tick.
//
// Sending. JavaScript writes entries into a ring, and both its arena and that for receiving are read only until take_sends
// returns: what the kernel has no room for is copied to the socket's own queue. What was submitted before a Close is thus
// sent before it.
//
// An error of a call (ICMP, no route) is an entry in the table of received ones, in the order of events, with the
// address where there is one. It ends nothing.
//
// A socket's uv_poll_t is closed before its descriptor, and DatagramClosed is owed only in the close callback.
#ifndef MILLRACE_IO_DATAGRAMS_H_
#define MILLRACE_IO_DATAGRAMS_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/records.h"

struct sockaddr;
struct sockaddr_storage;
typedef struct uv_loop_s uv_loop_t;

namespace millrace {

class CompletionRing;  // core/rings.h

inline constexpr uint32_t kBindReuseAddress = 1;
inline constexpr uint32_t kBindReusePort = 2;
inline constexpr uint32_t kBindIpv6Only = 4;
inline constexpr uint32_t kBindFlagsMax = 7;

// Memory that JavaScript sees too; it outlives the last close callback.
struct DatagramMemory {
  uint8_t* receive = nullptr;    // kDatagramReceiveBytes
  uint32_t* receives = nullptr;  // kDatagramReceives entries
  uint8_t* send = nullptr;       // kDatagramSendBytes
  uint32_t* sends = nullptr;     // kDatagramSends entries
  uint32_t* control = nullptr;   // DatagramControl::Words
  uint32_t* queued = nullptr;  // kDatagramSocketsMax: bytes that wait for the kernel, kQueuedOverhead for each datagram
};

struct DatagramCounters {
  uint64_t received, sent, received_bytes, sent_bytes, kernel_entries, errors;
  uint32_t sockets_open, operations_in_flight;
};

class Datagrams {
 public:
  virtual ~Datagrams() = default;

  virtual void provide(const DatagramMemory& memory) = 0;

  // A handle in *handle, or a negative errno. Longer datagrams than `bytes_max` are truncated.
  virtual int bind(const sockaddr* address, uint32_t address_bytes, uint32_t flags, uint32_t bytes_max,
                   uint32_t* handle) = 0;
  virtual int connect(uint32_t handle, const sockaddr* address, uint32_t address_bytes) = 0;
  virtual int name_of(uint32_t handle, bool peer, sockaddr* address, uint32_t* address_bytes) = 0;
  virtual int set_option(uint32_t handle, DatagramOption option, int value) = 0;
  virtual int get_option(uint32_t handle, DatagramOption option) = 0;
  // `source` is nullptr for any source; `interface_name` is empty where the kernel chooses.
  virtual int change_membership(uint32_t handle, bool join, const sockaddr_storage& group,
                                const sockaddr_storage* source, const char* interface_name) = 0;
  virtual int set_multicast_interface(uint32_t handle, const char* interface_name) = 0;

  // A record of DatagramRead .. DatagramRef; false for a fault.
  virtual bool submit(const Record& record) = 0;
  // Sends what JavaScript has put into the table. The number of faults.
  virtual uint32_t take_sends() = 0;

  // As of a Backend.
  virtual bool harvest() = 0;
  virtual void release_delivered() = 0;
  virtual bool flush() = 0;
  virtual bool keeps_alive() const = 0;
  virtual DatagramCounters counters() const = 0;
  virtual void stop(void (*on_stopped)(void* data), void* data) = 0;
};

// nullptr: no memory. Everything gives ENOTSUP where there is no UDP (Windows, so far).
std::unique_ptr<Datagrams> create_datagrams(uv_loop_t* loop, CompletionRing* completions);

}  // namespace millrace

#endif  // MILLRACE_IO_DATAGRAMS_H_

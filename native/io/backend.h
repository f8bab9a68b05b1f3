// One interface over the ways to do socket I/O. A backend owns its sockets from accept or connect to the Closed
// completion. Everything runs on the loop's thread.
//
// A socket that failed (Error, or Connect with a negative errno) closes by itself: Closed follows without a Close, and a
// Close in between changes nothing. A connection that fails is reset, so that the peer cannot mistake it for a clean end.
// Close without kReset lets what was sent before leave first, however long it takes; a second Close with kReset ends that.
// A Unix socket knows no reset: the peer sees an end, or ECONNRESET where it had sent what was not read.
// The file of a listener on a Unix path is made by listen and stays at Close: it may be a successor's by then.
// A listener's Error is told once for each time that accepting stops working, and accepting goes on by itself.
#ifndef MILLRACE_IO_BACKEND_H_
#define MILLRACE_IO_BACKEND_H_

#include <cstddef>
#include <cstdint>

#include "core/records.h"

typedef struct uv_loop_s uv_loop_t;

namespace millrace {

class CompletionRing;  // core/rings.h

// Memory that JavaScript sees too. The addon allocates it (napi_create_arraybuffer), keeps a strong reference until
// Backend::stop has finished, and hands it over once, before the first socket.
struct Arenas {
  uint8_t* receive = nullptr;  // kReceiveBuffers * kReceiveBufferBytes
  uint8_t* send = nullptr;     // kSendBlocks * kSendBlockBytes
  // kSendBlocks: segments of the block that have not left. C++ adds one when it takes a Send from the submission ring
  // (none when the Send is ignored, or continues the one before it), and subtracts it when all of it has left or was
  // discarded. JavaScript only reads: a block is free at 0, once every Send of it has been drained.
  uint32_t* send_block_segments = nullptr;
  uint32_t* socket_bytes_sent = nullptr;  // kSocketsMax: bytes that left, modulo 2^32; 0 again for a new socket
};

struct BackendCounters {
  uint64_t accepts, connects, receives, sends, send_bytes, receive_bytes, kernel_entries, out_of_buffers;
  uint32_t sockets_open, receive_buffers_in_use, operations_in_flight;
};

struct SocketAddress;  // io/address.h
struct Credentials;    // io/descriptor.h

class Backend {
 public:
  virtual ~Backend() = default;
  virtual const char* name() const = 0;

  // Before anything below. 0 or a negative errno.
  virtual int start(uv_loop_t* loop, CompletionRing* completions) = 0;
  virtual void provide(const Arenas& arenas) = 0;

  // A handle in *handle, or a negative errno.
  virtual int listen(const SocketAddress& address, int backlog, uint32_t flags, uint32_t mode, uint32_t* handle) = 0;
  virtual int connect(const SocketAddress& address, const SocketAddress& local, uint32_t* handle) = 0;
  virtual int adopt(int fd, uint32_t* handle) = 0;

  // 0 or a negative errno, with *value untouched.
  virtual int name_of(uint32_t handle, bool peer, SocketAddress* name) = 0;
  virtual int descriptor_of(uint32_t handle, int* fd) = 0;
  virtual int set_option(uint32_t handle, SocketOption option, int value) = 0;
  virtual int get_option(uint32_t handle, SocketOption option, int* value) = 0;
  virtual int credentials_of(uint32_t handle, Credentials* credentials) = 0;

  // Sends from the caller's memory, at once: for much of it, which need not be copied into the arena first. What the kernel
  // does not take waits in memory of the queue's own. The bytes that were taken, sent or not; 0 where anything is queued
  // already, or the socket is no open stream: then they have to go by way of the arena.
  virtual uint32_t send_at_once(uint32_t handle, const uint8_t* bytes, uint32_t length) = 0;

  // A submission record that concerns a socket (Send .. SocketRef). Returns false for a fault (see docs/architecture.md).
  virtual bool submit(const Record& record) = 0;

  // check phase: move what has completed into the ring, while it has room. True: more is left.
  virtual bool harvest() = 0;
  // After JavaScript has drained the ring and its submissions were applied: receive buffers that no Send holds are free.
  virtual void release_delivered() = 0;
  // After submissions were applied: hand them to the kernel. True: completions may be ready already, do not block.
  virtual bool flush() = 0;

  // JavaScript has used up the send arena within one tick: what the kernel does not read from right now is copied out.
  virtual void make_room() = 0;

  virtual bool keeps_alive() const = 0;  // some referenced socket, listener or unsent data
  virtual BackendCounters counters() const = 0;

  // Ends every operation, closes every descriptor and handle; when it returns, the kernel no longer touches the arenas.
  // uv handles are closed asynchronously; on_stopped is called when the last close callback has run.
  virtual void stop(void (*on_stopped)(void* data), void* data) = 0;
};

// nullptr and a reason (a sentence for users) where the backend cannot run here.
Backend* create_uring_backend(const char** reason);
Backend* create_uv_backend();

}  // namespace millrace

#endif  // MILLRACE_IO_BACKEND_H_

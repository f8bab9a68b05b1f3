// Completion-based sockets: multishot accept and receive into a provided-buffer ring, one send at a time for a socket.
//
// Who may free what:
// - An entry of the slab stays until the kernel has told the last completion of each of its operations (ops.armed is
//   empty); only then is its descriptor closed, and Closed owed. The canceller's own completion means nothing.
// - Buffers of the arena that the kernel may write are in BufferRing; those that it may read are held by the send queue,
//   which is discarded only after the send's last completion.
//
// When the loop may block, no completion waits for us: flush() enables the eventfd, then looks again.
#ifndef MILLRACE_IO_URING_URING_BACKEND_H_
#define MILLRACE_IO_URING_URING_BACKEND_H_

#include <sys/socket.h>
#include <sys/uio.h>

#include "io/socket_backend.h"
#include "io/uring/buffer_ring.h"
#include "io/uring/ring.h"

namespace millrace {

class UringBackend final : public SocketBackend {
 public:
  ~UringBackend() override;
  const char* name() const override { return "uring"; }

  int open(const char** reason);

  int start(uv_loop_t* loop, CompletionRing* completions) override;
  bool harvest() override;
  bool flush() override;
  BackendCounters counters() const override;
  void stop(void (*on_stopped)(void*), void* data) override;

 protected:
  void advance(Socket& socket) override;
  bool is_sending(const Socket& socket) const override {
    return (socket.ops.armed & kSend) != 0 && !socket.ops.send_waits;
  }
  void note_blocked(Socket& socket) override { socket.ops.send_waits = true; }
  // io_uring answers -EAGAIN on some others instead of waiting.
  Blocking blocking() const override { return Blocking::Yes; }
  void prepare(Socket& socket) override { new (&socket.ops) Socket::Operations; }
  void start_connection(Socket& socket, const SocketAddress& address) override;
  void handle_closed() override;

 private:
  enum Operation : uint8_t { kCancel = 0, kAccept = 1, kReceive = 2, kSend = 4, kConnect = 8, kPoll = 16 };
  static uint64_t tag(const Socket& socket, Operation operation) { return uint64_t{operation} << 32 | socket.handle; }

  // operations.cc: what is asked of the kernel
  io_uring_sqe* begin(Socket& socket, Operation operation, uint8_t opcode);
  void begin_accept(Socket& listener);
  void begin_poll(Socket& listener);
  void begin_receive(Socket& socket);
  static uint32_t send_flags(const Socket& socket);
  void begin_send(Socket& socket);
  void begin_send_of_many(Socket& socket);
  void begin_connect(Socket& socket);
  void cancel(Socket& socket, Operation operation);
  void end(Socket& socket);
  static void forget_address(Socket& socket);
  bool cancel_everything();

  // completions.cc: what the kernel answers
  bool reap();
  void complete(uint64_t user_data, int32_t result, uint32_t flags);
  void on_accept(Socket& listener, int32_t result, bool more);
  void on_receive(Socket& socket, int32_t result, uint32_t flags);
  void on_send(Socket& socket, int32_t result);
  void end_of(Socket& socket, Operation operation);
  void feed_starved();
  void forget(uint64_t user_data, int32_t result, uint32_t flags);

  // A message of several segments, until the kernel has copied it at submission.
  struct Message {
    msghdr header;
    iovec spans[SendQueue::kSpansMax];
  };
  static constexpr uint32_t kMessages = 64;

  Ring ring_;
  BufferRing buffers_;
  Message messages_[kMessages];
  uint32_t messages_used_ = 0;
  uint32_t operations_ = 0;  // that the kernel has not ended
  bool queue_full_ = false;  // the kernel took no submission: try again in the next tick
  int eventfd_ = -1;
  uv_poll_t wake_;
  uint32_t handles_closing_ = 0;
  void (*on_stopped_)(void*) = nullptr;
  void* stopped_data_ = nullptr;
};

}  // namespace millrace

#endif  // MILLRACE_IO_URING_URING_BACKEND_H_

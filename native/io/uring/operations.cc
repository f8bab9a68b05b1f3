// What the uring backend asks of the kernel.
#ifdef __linux__
#include <errno.h>
#include <poll.h>

#include <cassert>

#include "io/descriptor.h"
#include "io/uring/uring_backend.h"

namespace millrace {
namespace {

// The kernel wants the two halves of the word swapped on big-endian machines.
constexpr uint32_t kPollReadable = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? POLLIN << 16 : POLLIN;

}  // namespace

void UringBackend::advance(Socket& socket) {
  if (socket.phase == Socket::Phase::Ended) return;
  uint8_t armed = socket.ops.armed;
  if (socket.kind == Socket::Kind::Listener) {
    if (!accepts(socket)) {
      cancel(socket, kAccept);
      cancel(socket, kPoll);
    } else if ((armed & (kAccept | kPoll)) == 0) {
      socket.ops.poll_first ? begin_poll(socket) : begin_accept(socket);
    }
  } else if (socket.phase == Socket::Phase::Connecting) {
    if ((armed & kConnect) == 0) begin_connect(socket);
  } else if (socket.phase < Socket::Phase::Ending) {
    // A send that waits in the kernel must not lie in an arena: neither the one to come, nor what is queued behind the one
    // under way, which is memory of the queue's own already and stays where it is.
    if (socket.ops.send_waits && !socket.sends.move_out(resources_)) fail(socket, -ENOBUFS, Syscall::Write);
    if ((armed & kSend) == 0 && socket.phase < Socket::Phase::Ending) {
      if (!socket.sends.empty()) begin_send(socket);
      after_sends(socket);
    }
    if (!socket.wants_receive()) {
      cancel(socket, kReceive);
    } else if ((armed & kReceive) == 0 && !socket.starved_link.linked) {
      begin_receive(socket);
    }
  }
  if (socket.phase == Socket::Phase::Ending) end(socket);
}

// nullptr: the queue is full, and the socket is dirty again.
io_uring_sqe* UringBackend::begin(Socket& socket, Operation operation, uint8_t opcode) {
  io_uring_sqe* entry = ring_.next_submission();
  if (entry == nullptr) {
    queue_full_ = true;
    touch(socket);
    return nullptr;
  }
  entry->opcode = opcode;
  entry->fd = socket.fd;
  entry->user_data = tag(socket, operation);
  assert((socket.ops.armed & operation) == 0);
  socket.ops.armed |= operation;
  operations_++;
  return entry;
}

void UringBackend::begin_accept(Socket& listener) {
  io_uring_sqe* entry = begin(listener, kAccept, IORING_OP_ACCEPT);
  if (entry == nullptr) return;
  entry->ioprio = IORING_ACCEPT_MULTISHOT;
  entry->accept_flags = SOCK_CLOEXEC;
}

void UringBackend::begin_poll(Socket& listener) {
  io_uring_sqe* entry = begin(listener, kPoll, IORING_OP_POLL_ADD);
  if (entry != nullptr) entry->poll32_events = kPollReadable;
}

void UringBackend::begin_receive(Socket& socket) {
  io_uring_sqe* entry = begin(socket, kReceive, IORING_OP_RECV);
  if (entry == nullptr) return;
  entry->ioprio = IORING_RECV_MULTISHOT;
  entry->flags = IOSQE_BUFFER_SELECT;
  entry->buf_group = BufferRing::kGroup;
}

// A send from the arenas must be over when it has been submitted, so it does not wait; from the queue's own memory it may.
uint32_t UringBackend::send_flags(const Socket& socket) {
  int last = socket.ends_after_sends() ? last_send_flag() : 0;
  return static_cast<uint32_t>(MSG_NOSIGNAL | last | (socket.ops.send_waits ? 0 : MSG_DONTWAIT));
}

void UringBackend::begin_send(Socket& socket) {
  if (!socket.sends.only_one()) {
    begin_send_of_many(socket);
    return;
  }
  io_uring_sqe* entry = begin(socket, kSend, IORING_OP_SEND);
  if (entry == nullptr) return;
  uint32_t length;
  entry->addr = reinterpret_cast<uintptr_t>(socket.sends.front(resources_, &length));
  entry->len = length;
  entry->msg_flags = send_flags(socket);
}

void UringBackend::begin_send_of_many(Socket& socket) {
  if (messages_used_ == kMessages) {
    if (ring_.submit() < 0 || ring_.unsubmitted() > 0) {
      queue_full_ = true;
      touch(socket);
      return;
    }
    messages_used_ = 0;
  }
  io_uring_sqe* entry = begin(socket, kSend, IORING_OP_SENDMSG);
  if (entry == nullptr) return;
  Message& message = messages_[messages_used_++];
  size_t bytes;
  message.header = {};
  message.header.msg_iov = message.spans;
  message.header.msg_iovlen = static_cast<size_t>(socket.sends.gather(resources_, message.spans, &bytes));
  entry->addr = reinterpret_cast<uintptr_t>(&message.header);
  entry->len = 1;
  entry->msg_flags = send_flags(socket);
}

void UringBackend::begin_connect(Socket& socket) {
  io_uring_sqe* entry = begin(socket, kConnect, IORING_OP_CONNECT);
  if (entry == nullptr) return;
  entry->addr = reinterpret_cast<uintptr_t>(&socket.ops.address->base);
  entry->off = socket.ops.address->bytes;
}

// The kernel has it no more.
void UringBackend::forget_address(Socket& socket) {
  delete socket.ops.address;
  socket.ops.address = nullptr;
}

// By user_data, which the kernel looks up in a hash table; by descriptor it would walk through all that is pending.
void UringBackend::cancel(Socket& socket, Operation operation) {
  if ((socket.ops.armed & ~socket.ops.cancelling & operation) == 0) return;
  io_uring_sqe* entry = ring_.next_submission();
  if (entry == nullptr) {
    queue_full_ = true;
    touch(socket);
    return;
  }
  entry->opcode = IORING_OP_ASYNC_CANCEL;
  entry->fd = -1;
  entry->addr = tag(socket, operation);
  entry->flags = IOSQE_CQE_SKIP_SUCCESS;
  entry->user_data = tag(socket, kCancel);
  socket.ops.cancelling |= operation;
}

void UringBackend::end(Socket& socket) {
  if (socket.ops.armed == 0) {
    forget_address(socket);
    close_and_discard(socket);
    owe(socket, Socket::kOwedClosed);
    return;
  }
  uint8_t left = socket.ops.armed & static_cast<uint8_t>(~socket.ops.cancelling);
  // close() alone would leave a receive in the kernel, which would swallow the peer's data. A reset sends no FIN first.
  bool ends = socket.kind == Socket::Kind::Stream && !socket.reset && !socket.detaching;
  if (left != 0 && ends) end_both_ways(socket.fd);
  for (Operation operation : {kAccept, kReceive, kSend, kConnect, kPoll}) cancel(socket, operation);
}

bool UringBackend::cancel_everything() {
  io_uring_sqe* entry = ring_.next_submission();
  if (entry == nullptr) return false;
  entry->opcode = IORING_OP_ASYNC_CANCEL;
  entry->fd = -1;
  entry->cancel_flags = IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL;
  return ring_.submit() == 0;
}

}  // namespace millrace
#endif  // __linux__

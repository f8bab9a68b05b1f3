// What the kernel answers to the uring backend.
#ifdef __linux__
#include <errno.h>

#include <algorithm>
#include <cassert>

#include "io/descriptor.h"
#include "io/uring/uring_backend.h"

namespace millrace {
namespace {

constexpr int kReapMax = 16384;

}  // namespace

// Takes what is in the kernel's completion ring. False: ours is full.
bool UringBackend::reap() {
  for (int i = 0; i < kReapMax; i++) {
    const io_uring_cqe* entry = ring_.front();
    if (entry == nullptr) return true;
    // A completion becomes one record at once at most; what follows from it is owed.
    if (completions_->room() == 0) return false;
    io_uring_cqe seen = *entry;
    ring_.pop();
    complete(seen.user_data, seen.res, seen.flags);
  }
  return false;
}

void UringBackend::complete(uint64_t user_data, int32_t result, uint32_t flags) {
  auto operation = static_cast<Operation>(user_data >> 32);
  if (operation == kCancel) return;
  Socket* socket = sockets_.lookup(static_cast<uint32_t>(user_data));
  assert(socket != nullptr && (socket->ops.armed & operation) != 0);
  if (socket == nullptr) return;
  switch (operation) {
    case kAccept:
      on_accept(*socket, result, (flags & IORING_CQE_F_MORE) != 0);
      break;
    case kReceive:
      on_receive(*socket, result, flags);
      break;
    case kSend:
      on_send(*socket, result);
      break;
    case kPoll:
      end_of(*socket, kPoll);
      socket->ops.poll_first = false;
      touch(*socket);
      break;
    default:
      end_of(*socket, kConnect);
      forget_address(*socket);
      connected(*socket, result);
      touch(*socket);
      break;
  }
}

void UringBackend::end_of(Socket& socket, Operation operation) {
  socket.ops.armed &= static_cast<uint8_t>(~operation);
  socket.ops.cancelling &= static_cast<uint8_t>(~operation);
  operations_--;
}

void UringBackend::on_accept(Socket& listener, int32_t result, bool more) {
  if (!more) {
    end_of(listener, kAccept);
    touch(listener);
  }
  if (result >= 0) {
    // It may complete after it was cancelled.
    if (listener.takes_what_came()) {
      accepted(listener, result);
    } else {
      close_descriptor(result);
    }
  } else if (result == -EAGAIN) {
    // Linux before 6.10 does not wait on a listener with O_NONBLOCK, which another process may have set: adopt, Detach.
    listener.ops.poll_first = true;
  } else if (result != -ECANCELED) {
    accept_failed(listener, result);
  }
}

void UringBackend::on_receive(Socket& socket, int32_t result, uint32_t flags) {
  if ((flags & IORING_CQE_F_BUFFER) != 0) {
    uint32_t buffer = flags >> IORING_CQE_BUFFER_SHIFT;
    buffers_.took_one();
    if (result > 0 && socket.takes_what_came()) {
      deliver(socket, buffer, 0, static_cast<uint32_t>(result));
    } else {
      pool_.give_back(buffer);
    }
  }
  if ((flags & IORING_CQE_F_MORE) != 0) return;

  end_of(socket, kReceive);
  if (result == -ENOBUFS) {
    counters_.out_of_buffers++;
    buffers_.note_empty();
    if (socket.wants_receive()) {
      // Armed again when buffers come back: on an empty ring it would fail at once, and spin.
      starve(socket);
      return;
    }
  } else if (result == 0) {
    received_end(socket);
  } else if (result < 0 && result != -ECANCELED) {
    fail(socket, result, Syscall::Read);
  }
  touch(socket);
}

void UringBackend::on_send(Socket& socket, int32_t result) {
  end_of(socket, kSend);
  if (result >= 0) {
    sent(socket, static_cast<size_t>(result));
  } else if (result == -EAGAIN) {
    socket.ops.send_waits = true;
  } else if (result != -ECANCELED && result != -EINTR) {
    fail(socket, result, Syscall::Write);
  }
  if (socket.sends.empty()) socket.ops.send_waits = false;
  bool idle = socket.sends.empty() && socket.phase == Socket::Phase::Open && !socket.fin_wanted;
  if (!idle) touch(socket);
}

// In the order in which they began to wait, and as many as there are buffers.
void UringBackend::feed_starved() {
  uint32_t buffers = buffers_.held();
  while (!starved_.empty() && buffers > 0) {
    Socket* socket = starved_.pop();
    if (socket->wants_receive()) buffers--;
    touch(*socket);
  }
}

// While stopping nothing is told to JavaScript.
void UringBackend::forget(uint64_t user_data, int32_t result, uint32_t flags) {
  auto operation = static_cast<Operation>(user_data >> 32);
  if (operation == kCancel) return;
  if (operation == kAccept && result >= 0) close_descriptor(result);
  if ((flags & IORING_CQE_F_MORE) == 0) operations_--;
}

}  // namespace millrace
#endif  // __linux__

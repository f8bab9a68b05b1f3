#ifndef _WIN32
#include "io/socket_backend.h"

#include <errno.h>
#include <sys/uio.h>

#include <cassert>

#include "io/descriptor.h"

namespace millrace {

int SocketBackend::start(uv_loop_t* loop, CompletionRing* completions) {
  loop_ = loop;
  completions_ = completions;
  if (int error = uv_timer_init(loop, &accept_retry_); error != 0) return error;
  accept_retry_.data = this;
  uv_unref(reinterpret_cast<uv_handle_t*>(&accept_retry_));
  return 0;
}

void SocketBackend::provide(const Arenas& arenas) { resources_.arenas = arenas; }

void SocketBackend::close_shared_handles() {
  uv_close(reinterpret_cast<uv_handle_t*>(&accept_retry_),
           [](uv_handle_t* handle) { static_cast<SocketBackend*>(handle->data)->handle_closed(); });
}

BackendCounters SocketBackend::counters() const {
  BackendCounters counters = counters_;
  counters.sockets_open = sockets_.live();
  // What may come to an end without JavaScript doing anything, so that virtual time waits for it. Not so a listener.
  const_cast<Slab<Socket>&>(sockets_).for_each([&counters](uint32_t, Socket& socket) {
    bool open = socket.phase == Socket::Phase::Open;
    bool under_way = !open || socket.wants_receive() || !socket.sends.empty();
    if (under_way && (!open || socket.kind == Socket::Kind::Stream)) counters.operations_in_flight++;
  });
  return counters;
}

void SocketBackend::release_delivered() {
  // What JavaScript has not taken yet (it was called in the middle of a tick) keeps its buffers.
  if (!completions_->empty()) return;
  pool_.release_delivered();
  while (Socket* socket = given_.pop()) {
    socket->detached_fd = -1;
    release(*socket);
  }
}

Socket* SocketBackend::add(int fd, Socket::Kind kind, Socket::Phase phase) {
  assert(resources_.arenas.receive != nullptr);
  uint32_t handle;
  Socket* socket = sockets_.allocate(&handle);
  if (socket == nullptr) return nullptr;
  socket->backend = this;
  socket->fd = fd;
  socket->handle = handle;
  socket->kind = kind;
  socket->phase = phase;
  prepare(*socket);
  resources_.arenas.socket_bytes_sent[Slab<Socket>::slot_of(handle)] = 0;
  recount(*socket);
  touch(*socket);
  return socket;
}

bool SocketBackend::advance_dirty() {
  for (uint32_t left = dirty_.count(); left > 0; left--) {
    Socket* socket = dirty_.pop();
    if (socket == nullptr) break;
    advance(*socket);
  }
  return dirty_.empty();
}

void SocketBackend::make_room() {
  if (resources_.arenas.send == nullptr) return;
  uint32_t used = 0;
  for (uint32_t block = 0; block < kSendBlocks; block++) used += resources_.arenas.send_block_segments[block] != 0;
  if (used < kSendBlocks / 2) return;
  for (Socket* socket = dirty_.front(); socket != nullptr; socket = socket->dirty_link.next) {
    if (!is_sending(*socket)) socket->sends.move_out(resources_);
  }
}

void SocketBackend::deliver(Socket& socket, uint32_t buffer, uint32_t offset, uint32_t length) {
  assert(can_deliver(socket) && length > 0 && offset + length <= kReceiveBufferBytes);
  pool_.deliver(buffer);
  counters_.receives++;
  counters_.receive_bytes += length;
  completions_->push(Completion::Data, socket.handle, buffer * kReceiveBufferBytes + offset, length);
}

void SocketBackend::accepted(Socket& listener, int fd) {
  assert(can_deliver(listener));
  Socket* socket = add(fd, Socket::Kind::Stream, Socket::Phase::Open);
  if (socket == nullptr) {
    reset_on_close(fd);
    close_descriptor(fd);
    accept_failed(listener, -ENFILE);
    return;
  }
  socket->lingers = listener.lingers;
  listener.accept_trouble = false;
  counters_.accepts++;
  completions_->push(Completion::Accept, listener.handle, socket->handle);
}

void SocketBackend::accept_failed(Socket& listener, int error) {
  if (listener.phase != Socket::Phase::Open) return;
  touch(listener);
  if (accept_error_is_of_the_connection(error)) return;
  // Mostly EMFILE or ENFILE: the connection stays in the backlog, and asking again at once would spin.
  blocked_.push(&listener);
  if (!uv_is_active(reinterpret_cast<uv_handle_t*>(&accept_retry_))) {
    uv_timer_start(
        &accept_retry_, [](uv_timer_t* timer) { static_cast<SocketBackend*>(timer->data)->unblock_listeners(); },
        kAcceptRetryMs, 0);
  }
  if (listener.accept_trouble) return;
  listener.accept_trouble = true;
  listener.error = error;
  listener.error_call = Syscall::Accept;
  owe(listener, Socket::kOwedError);
}

void SocketBackend::unblock_listeners() {
  while (Socket* listener = blocked_.pop()) touch(*listener);
}

void SocketBackend::connected(Socket& socket, int result) {
  if (socket.phase != Socket::Phase::Connecting) return;
  if (result < 0) {
    fail(socket, result, Syscall::Connect);
    return;
  }
  counters_.connects++;
  socket.phase = Socket::Phase::Open;
  socket.connect_result = 0;
  owe(socket, Socket::kOwedConnect);
  touch(socket);
}

void SocketBackend::received_end(Socket& socket) {
  if (socket.read_ended) return;
  socket.read_ended = true;
  if (socket.phase == Socket::Phase::Open) owe(socket, Socket::kOwedEnd);
}

void SocketBackend::count_sent(const Socket& socket, size_t bytes) {
  counters_.sends++;
  counters_.send_bytes += bytes;
  resources_.arenas.socket_bytes_sent[Slab<Socket>::slot_of(socket.handle)] += static_cast<uint32_t>(bytes);
}

void SocketBackend::sent(Socket& socket, size_t bytes) {
  count_sent(socket, bytes);
  socket.sends.consume(resources_, bytes);
  if (socket.drain_wanted) check_drain(socket);
  if (socket.sends.empty() && !socket.referenced) recount(socket);
}

void SocketBackend::fail(Socket& socket, int error, Syscall call) {
  if (socket.phase >= Socket::Phase::Ending) return;
  if (socket.phase == Socket::Phase::Connecting) {
    socket.connect_result = error;
    owe(socket, Socket::kOwedConnect);
  } else if (socket.phase == Socket::Phase::Open) {
    socket.error = error;
    socket.error_call = call;
    owe(socket, Socket::kOwedError);
  }
  socket.phase = Socket::Phase::Ending;
  socket.reset = true;
  touch(socket);
}

void SocketBackend::after_sends(Socket& socket) {
  if (!socket.sends.empty()) return;
  if (socket.phase == Socket::Phase::Leaving) {
    socket.phase = Socket::Phase::Ending;
  } else if (socket.phase == Socket::Phase::Open && socket.fin_wanted && !socket.fin_sent) {
    socket.fin_sent = true;
    int error = send_fin(socket.fd);
    // ENOTCONN: the peer has reset the connection, which the next receive tells.
    if (error != 0 && error != -ENOTCONN) fail(socket, error, Syscall::Shutdown);
  }
}

SocketBackend::SendOutcome SocketBackend::send_now(Socket& socket) {
  for (int round = 0; round < kSendRoundsMax; round++) {
    size_t offered;
    int64_t count;
    if (socket.sends.only_one()) {
      uint32_t length;
      const uint8_t* bytes = socket.sends.front(resources_, &length);
      offered = length;
      count = send_some(socket.fd, bytes, length, socket.ends_after_sends());
    } else {
      iovec spans[SendQueue::kSpansMax];
      int spans_count = socket.sends.gather(resources_, spans, &offered);
      count = send_spans(socket.fd, spans, spans_count, socket.ends_after_sends());
    }
    counters_.kernel_entries++;
    if (count == -EAGAIN) return SendOutcome::Blocked;
    if (count < 0) {
      fail(socket, static_cast<int>(count), Syscall::Write);
      return SendOutcome::Failed;
    }
    sent(socket, static_cast<size_t>(count));
    if (socket.sends.empty()) return SendOutcome::Emptied;
    if (static_cast<size_t>(count) < offered) return SendOutcome::Blocked;
  }
  return SendOutcome::More;
}

uint32_t SocketBackend::send_at_once(uint32_t handle, const uint8_t* bytes, uint32_t length) {
  Socket* socket = sockets_.lookup(handle);
  if (socket == nullptr || socket->kind != Socket::Kind::Stream || socket->phase != Socket::Phase::Open) return 0;
  if (socket->fin_wanted || !socket->sends.empty() || length == 0) return 0;
  int64_t count = send_some(socket->fd, bytes, length, false);
  counters_.kernel_entries++;
  uint32_t gone = count > 0 ? static_cast<uint32_t>(count) : 0;
  if (gone > 0) count_sent(*socket, gone);
  if (gone == length) return length;
  if (!socket->sends.push_copy(resources_, bytes + gone, length - gone)) return gone;
  if (!socket->counted_alive) recount(*socket);
  if (count < 0 && count != -EAGAIN) {
    fail(*socket, static_cast<int>(count), Syscall::Write);
  } else {
    note_blocked(*socket);
    touch(*socket);
  }
  return length;
}

void SocketBackend::close_and_discard(Socket& socket) {
  assert(socket.fd >= 0 && socket.phase == Socket::Phase::Ending);
  socket.unsent_bytes = static_cast<uint32_t>(socket.sends.bytes());
  socket.sends.discard(resources_);
  if (socket.detaching && !socket.reset) {
    prepare_detached(socket.fd);
    socket.detached_fd = socket.fd;
  } else {
    if (socket.reset) {
      reset_on_close(socket.fd);
    } else if (socket.kind == Socket::Kind::Stream) {
      if (!socket.read_ended) discard_received(socket.fd);
      if (socket.lingers) never_linger(socket.fd);
    }
    close_descriptor(socket.fd);
  }
  socket.fd = -1;
  socket.phase = Socket::Phase::Ended;
  starved_.remove(&socket);
  blocked_.remove(&socket);
  unblock_listeners();
}

void SocketBackend::close_at_stop(Socket& socket) {
  socket.detaching = false;
  bool taken = socket.given && completions_->taken(socket.given_at);
  if (socket.detached_fd >= 0 && !taken) close_descriptor(socket.detached_fd);
  socket.detached_fd = -1;
  if (socket.phase == Socket::Phase::Ended) return;
  socket.phase = Socket::Phase::Ending;
  close_and_discard(socket);
}

void SocketBackend::owe(Socket& socket, Socket::Owed what) {
  socket.owed |= what;
  owing_.push(&socket);
}

bool SocketBackend::pay_owed() {
  while (Socket* socket = owing_.front()) {
    while (socket->owed != 0) {
      if (completions_->room() == 0) return false;
      if ((socket->owed & Socket::kOwedConnect) != 0) {
        socket->owed &= static_cast<uint8_t>(~Socket::kOwedConnect);
        completions_->push(Completion::Connect, socket->handle, static_cast<uint32_t>(socket->connect_result));
      } else if ((socket->owed & Socket::kOwedEnd) != 0) {
        socket->owed &= static_cast<uint8_t>(~Socket::kOwedEnd);
        completions_->push(Completion::End, socket->handle);
      } else if ((socket->owed & Socket::kOwedDrain) != 0) {
        socket->owed &= static_cast<uint8_t>(~Socket::kOwedDrain);
        completions_->push(Completion::Drain, socket->handle);
      } else if ((socket->owed & Socket::kOwedError) != 0) {
        socket->owed &= static_cast<uint8_t>(~Socket::kOwedError);
        completions_->push(Completion::Error, socket->handle, static_cast<uint32_t>(socket->error),
                           static_cast<uint32_t>(socket->error_call));
      } else {
        socket->owed = 0;
        completions_->push(Completion::Closed, socket->handle, socket->unsent_bytes,
                           static_cast<uint32_t>(socket->detached_fd + 1));
        owing_.remove(socket);
        if (socket->detached_fd >= 0) {
          socket->given = true;
          socket->given_at = completions_->tail();
          given_.push(socket);
        } else {
          release(*socket);
        }
        socket = nullptr;
        break;
      }
    }
    if (socket != nullptr) owing_.remove(socket);
  }
  return true;
}

void SocketBackend::recount(Socket& socket) {
  bool alive = socket.referenced || !socket.sends.empty();
  if (alive == socket.counted_alive) return;
  socket.counted_alive = alive;
  alive ? alive_++ : alive_--;
}

void SocketBackend::release(Socket& socket) {
  assert(socket.phase == Socket::Phase::Ended && socket.fd < 0 && socket.detached_fd < 0);
  if (socket.counted_alive) alive_--;
  dirty_.remove(&socket);
  starved_.remove(&socket);
  blocked_.remove(&socket);
  sockets_.release(socket.handle);
}

}  // namespace millrace
#endif  // _WIN32

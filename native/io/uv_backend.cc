// Readiness through one uv_poll_t for each socket, and our own system calls that do not block.
//
// libuv implements a change of the polled events with up to two calls of epoll_ctl, so they change only when they must:
// reading stays polled while JavaScript pauses, until data really arrives, and writing is polled only after a short send.
// One receive for each readiness event, into several buffers where there is much: what is left fires again, after the
// other sockets had their turn.
//
// An entry's uv_poll_t is closed before its descriptor, and Closed is owed only in the close callback: the loop never
// holds a pointer into a released slot.
#ifndef _WIN32
#include <errno.h>
#include <sys/uio.h>

#include <algorithm>
#include <cassert>
#include <new>

#include "io/backend.h"
#include "io/descriptor.h"
#include "io/receive_packer.h"
#include "io/socket_backend.h"

namespace millrace {
namespace {

constexpr int kAcceptsPerEvent = 64;
constexpr uint32_t kReceiveBuffersPerCall = 8;

class UvBackend final : public SocketBackend {
 public:
  const char* name() const override { return "uv"; }

  bool harvest() override;
  bool flush() override;
  BackendCounters counters() const override;
  void stop(void (*on_stopped)(void*), void* data) override;

 protected:
  void advance(Socket& socket) override;
  bool is_sending(const Socket&) const override { return false; }
  void note_blocked(Socket& socket) override { socket.ready.write_blocked = true; }
  Blocking blocking() const override { return Blocking::No; }
  void prepare(Socket& socket) override { new (&socket.ready) Socket::Readiness; }
  void start_connection(Socket& socket, const SocketAddress& address) override;
  int watch(Socket& socket) override;
  void handle_closed() override;

 private:
  void poll_for(Socket& socket, int events);
  int wanted_events(const Socket& socket) const;
  void on_events(Socket& socket, int status, int events);
  void on_readable(Socket& socket);
  int64_t receive_into(Socket& socket, const ReceivePacker::Place& place);
  void on_acceptable(Socket& listener);
  void write(Socket& socket);
  void end(Socket& socket);
  bool feed_starved();

  ReceivePacker packer_;
  bool stopping_ = false;
  uint32_t handles_closing_ = 0;
  void (*on_stopped_)(void*) = nullptr;
  void* stopped_data_ = nullptr;
};

void UvBackend::start_connection(Socket& socket, const SocketAddress& address) {
  int result = start_connecting(socket.fd, address);
  if (result != -EINPROGRESS) connected(socket, result);
}

// The poll handle of a new entry, unless it is there.
int UvBackend::watch(Socket& socket) {
  if (socket.ready.poll.loop != nullptr) return 0;
  if (int error = uv_poll_init_socket(loop_, &socket.ready.poll, socket.fd); error != 0) {
    socket.ready.poll.loop = nullptr;
    return error;
  }
  socket.ready.poll.data = &socket;
  uv_unref(reinterpret_cast<uv_handle_t*>(&socket.ready.poll));
  return 0;
}

void UvBackend::poll_for(Socket& socket, int events) {
  if (socket.ready.polled == events) return;
  socket.ready.polled = events;
  counters_.kernel_entries++;
  if (events == 0) {
    uv_poll_stop(&socket.ready.poll);
    return;
  }
  uv_poll_start(&socket.ready.poll, events, [](uv_poll_t* poll, int status, int fired) {
    Socket& socket = *static_cast<Socket*>(poll->data);
    static_cast<UvBackend*>(socket.backend)->on_events(socket, status, fired);
  });
}

int UvBackend::wanted_events(const Socket& socket) const {
  if (socket.kind == Socket::Kind::Listener) {
    return accepts(socket) && !socket.starved_link.linked ? UV_READABLE : 0;
  }
  if (socket.phase == Socket::Phase::Connecting) return UV_WRITABLE;
  int events = socket.ready.write_blocked && !socket.sends.empty() ? UV_WRITABLE : 0;
  if (socket.starved_link.linked || socket.read_ended || socket.phase != Socket::Phase::Open) return events;
  // Paused: whoever is polled stays so until on_readable finds it.
  if (!socket.paused || (socket.ready.polled & UV_READABLE) != 0) events |= UV_READABLE;
  return events;
}

void UvBackend::advance(Socket& socket) {
  if (socket.phase == Socket::Phase::Ended) return;
  if (socket.phase < Socket::Phase::Ending) {
    if (int error = watch(socket); error != 0) {
      fail(socket, error, Syscall::None);
      return;
    }
    if (socket.kind == Socket::Kind::Stream && socket.phase != Socket::Phase::Connecting) write(socket);
  }
  if (socket.phase == Socket::Phase::Ending) {
    end(socket);
  } else {
    poll_for(socket, wanted_events(socket));
  }
}

void UvBackend::write(Socket& socket) {
  if (!socket.sends.empty() && !socket.ready.write_blocked) {
    SendOutcome outcome = send_now(socket);
    if (outcome == SendOutcome::Blocked) socket.ready.write_blocked = true;
    if (outcome == SendOutcome::More) touch(socket);
  }
  if (socket.ready.write_blocked) socket.sends.move_out(resources_);
  after_sends(socket);
}

void UvBackend::end(Socket& socket) {
  bool attached = socket.ready.poll.loop != nullptr;
  // Before the descriptor is closed and its number belongs to somebody else.
  if (attached) {
    handles_closing_++;
    uv_close(reinterpret_cast<uv_handle_t*>(&socket.ready.poll), [](uv_handle_t* handle) {
      Socket& socket = *static_cast<Socket*>(handle->data);
      auto* backend = static_cast<UvBackend*>(socket.backend);
      backend->owe(socket, Socket::kOwedClosed);
      backend->handle_closed();
    });
  }
  if (stopping_) {
    close_at_stop(socket);
  } else {
    close_and_discard(socket);
  }
  if (!attached) owe(socket, Socket::kOwedClosed);
}

void UvBackend::on_events(Socket& socket, int status, int events) {
  if (status < 0) {
    // libuv reports POLLERR so, and has stopped polling. What is wrong is told by the call that follows.
    socket.ready.polled = 0;
    events = UV_READABLE | UV_WRITABLE;
  }
  if (socket.kind == Socket::Kind::Listener) {
    on_acceptable(socket);
    return;
  }
  if (socket.phase == Socket::Phase::Connecting) {
    connected(socket, take_error(socket.fd));
    return;
  }
  if ((events & UV_READABLE) != 0) on_readable(socket);
  if ((events & UV_WRITABLE) != 0) socket.ready.write_blocked = false;
  if ((events & UV_WRITABLE) != 0 || status < 0) advance(socket);
}

void UvBackend::on_readable(Socket& socket) {
  if (!socket.wants_receive()) {
    poll_for(socket, socket.ready.polled & ~UV_READABLE);
    return;
  }
  ReceivePacker::Place place = {ReceivePool::kNone, 0, 0};
  if (can_deliver(socket)) {
    place = packer_.place_for(pool_, socket.ready.last_receive_bytes);
    if (place.buffer == ReceivePool::kNone) counters_.out_of_buffers++;
  }
  if (place.buffer == ReceivePool::kNone) {
    starve(socket);
    poll_for(socket, wanted_events(socket));
    return;
  }
  int64_t count = receive_into(socket, place);
  counters_.kernel_entries++;
  if (count == 0) {
    received_end(socket);
    // In flush: most sockets are closed by then, which would change the polled events once more.
    touch(socket);
  } else if (count < 0 && count != -EAGAIN) {
    fail(socket, static_cast<int>(count), Syscall::Read);
  }
}

// Bytes that were received and delivered, 0 at the end, or a negative errno.
int64_t UvBackend::receive_into(Socket& socket, const ReceivePacker::Place& place) {
  uint8_t* start = resources_.arenas.receive + place.buffer * kReceiveBufferBytes + place.offset;
  // A full buffer the last time says that there may be much more: several buffers in one call.
  uint32_t others[kReceiveBuffersPerCall - 1];
  uint32_t others_count = 0;
  if (socket.ready.last_receive_bytes >= kReceiveBufferBytes) {
    uint32_t fair = std::min({kReceiveBuffersPerCall - 1, pool_.free_count() / 16, completions_->room() - 1});
    while (others_count < fair) others[others_count++] = pool_.take();
  }
  int64_t count;
  if (others_count == 0) {
    count = receive_some(socket.fd, start, place.room);
  } else {
    iovec spans[kReceiveBuffersPerCall];
    spans[0] = {start, place.room};
    for (uint32_t i = 0; i < others_count; i++) {
      spans[i + 1] = {resources_.arenas.receive + others[i] * kReceiveBufferBytes, kReceiveBufferBytes};
    }
    count = receive_spans(socket.fd, spans, static_cast<int>(others_count + 1));
  }
  auto left = static_cast<uint32_t>(count > 0 ? count : 0);
  uint32_t first = std::min(left, place.room);
  packer_.filled(pool_, place, first);
  if (count > 0) {
    bool filled = first == place.room;
    socket.ready.last_receive_bytes = filled ? kReceiveBufferBytes : first;
    deliver(socket, place.buffer, place.offset, first);
  }
  left -= first;
  for (uint32_t i = 0; i < others_count; i++) {
    uint32_t bytes = std::min(left, kReceiveBufferBytes);
    if (bytes > 0) {
      deliver(socket, others[i], 0, bytes);
    } else {
      pool_.give_back(others[i]);
    }
    left -= bytes;
  }
  return count;
}

void UvBackend::on_acceptable(Socket& listener) {
  for (int i = 0; i < kAcceptsPerEvent && accepts(listener); i++) {
    if (!can_deliver(listener)) {
      starve(listener);
      break;
    }
    int fd = accept_stream(listener.fd);
    counters_.kernel_entries++;
    if (fd == -EAGAIN) break;
    if (fd < 0) {
      accept_failed(listener, fd);
    } else {
      accepted(listener, fd);
    }
  }
  poll_for(listener, wanted_events(listener));
}

// Whoever waited for a buffer or for room is polled again, in the order in which they began to wait, as many as there are
// buffers. False: some wait still, and could be fed.
bool UvBackend::feed_starved() {
  uint32_t buffers = pool_.free_count();
  while (!starved_.empty() && buffers > 0 && completions_->room() > 0) {
    Socket* socket = starved_.pop();
    if (socket->kind == Socket::Kind::Stream && socket->wants_receive()) buffers--;
    touch(*socket);
  }
  return starved_.empty() || pool_.free_count() == 0;
}

bool UvBackend::harvest() { return !pay_owed(); }

bool UvBackend::flush() {
  pay_owed();
  bool all = advance_dirty();
  all = feed_starved() && all;
  all = advance_dirty() && all;
  pay_owed();
  // The sends just now may have freed buffers for which somebody waits.
  if (!starved_.empty() && pool_.free_count() > 0) return true;
  return !all || !completions_->empty();
}

BackendCounters UvBackend::counters() const {
  BackendCounters counters = SocketBackend::counters();
  uint32_t pinned = pool_.pinned() != ReceivePool::kNone && !pool_.referenced(pool_.pinned()) ? 1 : 0;
  counters.receive_buffers_in_use = kReceiveBuffers - pool_.free_count() - pinned;
  return counters;
}

void UvBackend::stop(void (*on_stopped)(void*), void* data) {
  assert(!stopping_);
  stopping_ = true;
  on_stopped_ = on_stopped;
  stopped_data_ = data;
  handles_closing_++;
  close_shared_handles();
  sockets_.for_each([this](uint32_t, Socket& socket) {
    if (socket.phase == Socket::Phase::Ended) {
      close_at_stop(socket);
    } else {
      end(socket);
    }
  });
}

// The last of them ends the backend; until then every entry stays where the loop points.
void UvBackend::handle_closed() {
  handles_closing_--;
  if (stopping_ && handles_closing_ == 0) on_stopped_(stopped_data_);
}

}  // namespace

Backend* create_uv_backend() { return new (std::nothrow) UvBackend; }

}  // namespace millrace
#endif  // _WIN32

#include "stream_pool.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include <algorithm>

#include "clock.h"
#include "fail.h"
#include "pattern.h"

namespace load {
namespace {

constexpr int kEventsAtOnce = 64;  // few: the open loop looks at its schedule in between

void Watch(int epoll, int operation, int fd, uint32_t index, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u32 = index;
  if (epoll_ctl(epoll, operation, fd, &event) != 0) Fail(kServerFailed, "epoll_ctl: %s", strerror(errno));
}

}  // namespace

template <class Connection>
StreamPool<Connection>::StreamPool(Script* script)
    : script_(script), buffer_(kBufferBytes), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_.is_open()) Fail(kServerFailed, "epoll_create1: %s", strerror(errno));
}

template <class Connection>
void StreamPool<Connection>::Open(Target* target, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    connections_.emplace_back(target->Connect(), *script_, size() % script_->places());
    sent_.push_back(0);
    Watch(epoll_.fd(), EPOLL_CTL_ADD, connections_.back().fd(), size() - 1, EPOLLIN);
  }
}

template <class Connection>
void StreamPool<Connection>::Close() {
  connections_.clear();
  sent_.clear();
  waiting_ = 0;
}

template <class Connection>
void StreamPool<Connection>::Send(uint32_t index, uint64_t counts_from_ns, uint32_t messages) {
  for (uint32_t i = 0; i < messages; i++) connections_[index].Want(*script_, counts_from_ns);
  sent_[index] += messages;
  waiting_ += messages;
  Flush(index);
}

template <class Connection>
void StreamPool<Connection>::Flush(uint32_t index) {
  Connection& connection = connections_[index];
  connection.Send(*script_);
  if (connection.is_blocked() == connection.is_watched_for_room) return;
  connection.is_watched_for_room = connection.is_blocked();
  Watch(epoll_.fd(), EPOLL_CTL_MOD, connection.fd(), index, connection.is_blocked() ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

template <class Connection>
uint32_t StreamPool<Connection>::Poll(int timeout_ms) {
  epoll_event events[kEventsAtOnce];
  const int count = epoll_wait(epoll_.fd(), events, kEventsAtOnce, timeout_ms);
  if (count < 0 && errno != EINTR) Fail(kServerFailed, "epoll_wait: %s", strerror(errno));
  uint32_t of_sockets = 0;
  for (int i = 0; i < count; i++) {
    const uint32_t index = events[i].data.u32;
    if (index == kNotASocket) continue;
    of_sockets++;
    // An error or a hang-up shows in what recv returns.
    if ((events[i].events & ~static_cast<uint32_t>(EPOLLOUT)) != 0) Receive(index);
    Flush(index);
  }
  return of_sockets;
}

template <class Connection>
void StreamPool<Connection>::Receive(uint32_t index) {
  Connection& connection = connections_[index];
  uint64_t now_ns = 0;
  const uint64_t whole = connection.Receive(script_, buffer_.data(), &recorder(), &now_ns);
  const uint32_t more = replaces() ? StillAllowed(index, whole) : 0;
  for (uint32_t i = 0; i < more; i++) connection.Want(*script_, now_ns);
  sent_[index] += more;
  waiting_ -= whole - more;
}

template <class Connection>
uint32_t StreamPool<Connection>::StillAllowed(uint32_t index, uint64_t wanted) const {
  if (limit_ == UINT32_MAX) return static_cast<uint32_t>(wanted);
  return static_cast<uint32_t>(std::min<uint64_t>(wanted, limit_ - std::min(limit_, sent_[index])));
}

template <class Connection>
void StreamPool<Connection>::GiveUp(uint64_t now_ns) {
  for (Connection& connection : connections_) connection.GiveUp(now_ns, &recorder());
  waiting_ = 0;
}

template class StreamPool<EchoConnection>;
template class StreamPool<HttpConnection>;

}  // namespace load

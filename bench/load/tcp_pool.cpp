#include "tcp_pool.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>

#include "clock.h"
#include "fail.h"
#include "silence.h"

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

void TcpConnection::Send(const Pattern& pattern) {
  while (sent_ < wanted_) {
    const size_t length = static_cast<size_t>(std::min<uint64_t>(wanted_ - sent_, kBufferBytes));
    const ssize_t written = send(socket_.fd(), pattern.At(sent_), length, MSG_NOSIGNAL);
    if (written < 0) {
      if (errno == EAGAIN) return;
      if (errno == EINTR) continue;
      Fail(kServerFailed, "send: %s", strerror(errno));
    }
    sent_ += static_cast<uint64_t>(written);
  }
}

uint64_t TcpConnection::Receive(const Pattern& pattern, uint8_t* buffer, Recorder* recorder, uint64_t* now_ns) {
  const ssize_t length = recv(socket_.fd(), buffer, kBufferBytes, 0);
  if (length < 0) {
    if (errno == EAGAIN || errno == EINTR) return 0;
    Fail(kServerFailed, "recv: %s", strerror(errno));
  }
  if (length == 0) Fail(kServerFailed, "the server closed a connection");
  const uint64_t bytes = static_cast<uint64_t>(length);
  if (received_ + bytes > sent_) Fail(kServerFailed, "the server sent more than it got");
  if (memcmp(buffer, pattern.At(received_), bytes) != 0) {
    Fail(kServerFailed, "the server echoed wrong bytes at position %llu", static_cast<unsigned long long>(received_));
  }
  received_ += bytes;
  const uint64_t count = received_ / message_bytes_ - whole_;
  if (count == 0) return 0;
  whole_ += count;
  *now_ns = NowNs();
  for (uint64_t i = 0; i < count; i++) recorder->Answered(times_.Pop(), *now_ns);
  return count;
}

void TcpConnection::GiveUp(uint64_t now_ns, Recorder* recorder) {
  while (times_.size() > 0) recorder->GivenUp(times_.Pop(), now_ns);
}

TcpPool::TcpPool(const Pattern& pattern, uint32_t message_bytes)
    : pattern_(pattern), message_bytes_(message_bytes), buffer_(kBufferBytes), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_.is_open()) Fail(kServerFailed, "epoll_create1: %s", strerror(errno));
}

void TcpPool::Open(Target* target, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    connections_.emplace_back(target->Connect(), message_bytes_);
    Watch(epoll_.fd(), EPOLL_CTL_ADD, connections_.back().fd(), size() - 1, EPOLLIN);
  }
}

void TcpPool::Exchange(uint32_t first, uint32_t messages) {
  Silence silence;
  for (uint32_t round = 0; round < messages; round++) {
    for (uint32_t index = first; index < size(); index++) Send(index, NowNs(), 1);
    while (waiting_ > 0) silence.After(Poll(kPollMs));
  }
}

void TcpPool::Send(uint32_t index, uint64_t counts_from_ns, uint32_t messages) {
  for (uint32_t i = 0; i < messages; i++) connections_[index].Want(counts_from_ns);
  waiting_ += messages;
  Flush(index);
}

void TcpPool::Flush(uint32_t index) {
  TcpConnection& connection = connections_[index];
  connection.Send(pattern_);
  if (connection.is_blocked() == connection.is_watched_for_room) return;
  connection.is_watched_for_room = connection.is_blocked();
  Watch(epoll_.fd(), EPOLL_CTL_MOD, connection.fd(), index, connection.is_blocked() ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

uint32_t TcpPool::Poll(int timeout_ms) {
  epoll_event events[kEventsAtOnce];
  const int count = epoll_wait(epoll_.fd(), events, kEventsAtOnce, timeout_ms);
  if (count < 0 && errno != EINTR) Fail(kServerFailed, "epoll_wait: %s", strerror(errno));
  uint32_t of_sockets = 0;
  for (int i = 0; i < count; i++) {
    const uint32_t index = events[i].data.u32;
    if (index == kNotASocket) continue;
    of_sockets++;
    TcpConnection& connection = connections_[index];
    // An error or a hang-up shows in what recv returns.
    if ((events[i].events & ~static_cast<uint32_t>(EPOLLOUT)) != 0) {
      uint64_t now_ns = 0;
      const uint64_t whole = connection.Receive(pattern_, buffer_.data(), &recorder(), &now_ns);
      if (replaces()) {
        for (uint64_t k = 0; k < whole; k++) connection.Want(now_ns);
      } else {
        waiting_ -= whole;
      }
    }
    Flush(index);
  }
  return of_sockets;
}

void TcpPool::GiveUp(uint64_t now_ns) {
  for (TcpConnection& connection : connections_) connection.GiveUp(now_ns, &recorder());
  waiting_ = 0;
}

}  // namespace load

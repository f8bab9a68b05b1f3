#include "udp_pool.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <linux/udp.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "clock.h"
#include "fail.h"

namespace load {
namespace {

constexpr int kEventsAtOnce = 64;
constexpr size_t kBatch = 64;  // also what UDP_SEGMENT takes at most
constexpr size_t kMaxSegmentedBytes = 65000;
constexpr int kSocketBufferBytes = 4 << 20;

void Watch(int epoll, int operation, int fd, uint32_t index, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u32 = index;
  if (epoll_ctl(epoll, operation, fd, &event) != 0) Fail(kServerFailed, "epoll_ctl: %s", strerror(errno));
}

// As much as we may have: answers that find the buffer full are dropped.
void AskForRoom(int fd) {
  for (const int forced : {SO_RCVBUFFORCE, SO_SNDBUFFORCE}) {
    if (setsockopt(fd, SOL_SOCKET, forced, &kSocketBufferBytes, sizeof kSocketBufferBytes) == 0) continue;
    const int polite = forced == SO_RCVBUFFORCE ? SO_RCVBUF : SO_SNDBUF;
    setsockopt(fd, SOL_SOCKET, polite, &kSocketBufferBytes, sizeof kSocketBufferBytes);
  }
}

}  // namespace

void Numbers::Grow() {
  std::vector<Entry> larger(entries_.size() * 2);
  for (uint64_t number = oldest_; number < next_; number++) larger[number & (larger.size() - 1)] = at(number);
  entries_ = std::move(larger);
}

UdpPool::UdpPool(const Pattern& pattern, const Options& options)
    : pattern_(pattern),
      message_bytes_(options.message_bytes),
      timeout_ns_(SecondsToNs(options.timeout_seconds)),
      host_(options.host),
      port_(options.port),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      headers_(kBatch),
      out_parts_(kBatch * 2),
      out_(kBatch),
      buffer_(kBatch * (size_t{options.message_bytes} + 1)),
      in_parts_(kBatch),
      in_(kBatch) {
  if (!epoll_.is_open()) Fail(kServerFailed, "epoll_create1: %s", strerror(errno));
  for (size_t i = 0; i < kBatch; i++) {
    out_parts_[2 * i] = {&headers_[i], sizeof headers_[i]};
    out_[i].msg_hdr.msg_iov = &out_parts_[2 * i];
    out_[i].msg_hdr.msg_iovlen = 2;
    // One byte more than is expected, so that a datagram that grew is seen.
    in_parts_[i] = {&buffer_[i * (size_t{message_bytes_} + 1)], size_t{message_bytes_} + 1};
    in_[i].msg_hdr.msg_iov = &in_parts_[i];
    in_[i].msg_hdr.msg_iovlen = 1;
  }
}

void UdpPool::Open(Target* target, uint32_t count) {
  const uint64_t run = (NowNs() << 20) ^ (static_cast<uint64_t>(getpid()) << 40);
  sockets_.reserve(sockets_.size() + count);
  for (uint32_t i = 0; i < count; i++) {
    Socket& socket = sockets_.emplace_back();
    socket.descriptor = target->ConnectUdp();
    socket.tag = run + i;
    AskForRoom(socket.descriptor.fd());
    Watch(epoll_.fd(), EPOLL_CTL_ADD, socket.descriptor.fd(), size() - 1, EPOLLIN);
  }
}

uint64_t UdpPool::own_drops() const {
  uint64_t drops = 0;
  for (const Socket& socket : sockets_) {
    uint32_t values[SK_MEMINFO_VARS] = {};
    socklen_t length = sizeof values;
    if (getsockopt(socket.descriptor.fd(), SOL_SOCKET, SO_MEMINFO, values, &length) == 0)
      drops += values[SK_MEMINFO_DROPS];
  }
  return drops;
}

void UdpPool::FailOn(const char* what) const {
  Fail(kServerFailed, "%s %s:%u: %s", what, host_, port_, strerror(errno));
}

void UdpPool::Send(uint32_t index, uint64_t counts_from_ns, uint32_t messages) {
  const uint64_t now_ns = NowNs();
  for (uint32_t i = 0; i < messages; i++) sockets_[index].numbers.Push(counts_from_ns, now_ns);
  waiting_ += messages;
  Flush(index);
}

void UdpPool::Flush(uint32_t index) {
  Socket& socket = sockets_[index];
  while (socket.unsent < socket.numbers.next() && SendBatch(&socket) > 0) continue;
  const bool is_blocked = socket.unsent < socket.numbers.next();
  if (is_blocked == socket.is_watched_for_room) return;
  socket.is_watched_for_room = is_blocked;
  Watch(epoll_.fd(), EPOLL_CTL_MOD, socket.descriptor.fd(), index, is_blocked ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

// How many left; 0 when the socket takes no more now.
size_t UdpPool::SendBatch(Socket* socket) {
  const size_t count = std::min<uint64_t>(kBatch, socket->numbers.next() - socket->unsent);
  for (size_t i = 0; i < count; i++) {
    headers_[i] = {socket->tag, socket->unsent + i};
    // Only read from; iovec serves both directions.
    out_parts_[2 * i + 1] = {const_cast<uint8_t*>(BodyOf(socket->unsent + i)), message_bytes_ - sizeof(DatagramHeader)};
  }
  const int sent = count > 1 && can_segment_ && count * message_bytes_ <= kMaxSegmentedBytes
                       ? SendSegmented(socket->descriptor.fd(), count)
                       : sendmmsg(socket->descriptor.fd(), out_.data(), static_cast<unsigned>(count), MSG_NOSIGNAL);
  if (sent < 0) {
    if (errno == EAGAIN || errno == ENOBUFS || errno == EINTR) return 0;
    FailOn("send to");
  }
  socket->unsent += static_cast<uint64_t>(sent);
  return static_cast<size_t>(sent);
}

// Several datagrams as one that the kernel cuts up (UDP_SEGMENT, Linux 4.18). The server gets the same datagrams, and
// this program needs half the time for them. What sendmmsg returns.
int UdpPool::SendSegmented(int fd, size_t count) {
  const uint16_t segment_bytes = static_cast<uint16_t>(message_bytes_);
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof segment_bytes)] = {};
  msghdr message{};
  message.msg_iov = out_parts_.data();
  message.msg_iovlen = 2 * count;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = IPPROTO_UDP;
  header->cmsg_type = UDP_SEGMENT;
  header->cmsg_len = CMSG_LEN(sizeof segment_bytes);
  memcpy(CMSG_DATA(header), &segment_bytes, sizeof segment_bytes);
  if (sendmsg(fd, &message, MSG_NOSIGNAL) >= 0) return static_cast<int>(count);
  // An older kernel, or datagrams that do not fit into a packet of this network.
  if (errno == EINVAL || errno == EIO || errno == EMSGSIZE || errno == ENOPROTOOPT) {
    can_segment_ = false;
    errno = EAGAIN;
  }
  return -1;
}

uint32_t UdpPool::Receive(Socket* socket) {
  // No more than can be there: to ask for one that is not costs as much as to get one.
  socket->numbers.SkipSettled();
  const uint64_t outstanding = socket->numbers.next() - socket->numbers.oldest_waiting();
  const auto batch = static_cast<unsigned>(std::clamp<uint64_t>(outstanding, 1, kBatch));
  const int count = recvmmsg(socket->descriptor.fd(), in_.data(), batch, 0, nullptr);
  if (count < 0) {
    if (errno == EAGAIN || errno == EINTR) return 0;
    FailOn("receive from");
  }
  const uint64_t now_ns = NowNs();
  uint32_t expected = 0;
  for (int i = 0; i < count; i++) {
    const auto* datagram = static_cast<const uint8_t*>(in_parts_[static_cast<size_t>(i)].iov_base);
    if (Check(socket, datagram, in_[static_cast<size_t>(i)].msg_len, now_ns)) expected++;
  }
  return expected;
}

// Whether it was waited for; false when it is late.
bool UdpPool::Check(Socket* socket, const uint8_t* datagram, size_t length, uint64_t now_ns) {
  if (length != message_bytes_) Fail(kServerFailed, "the server echoed a datagram of another length");
  DatagramHeader header;
  memcpy(&header, datagram, sizeof header);
  if (header.tag != socket->tag) Fail(kServerFailed, "the server echoed wrong bytes, or to the wrong socket");
  if (header.number >= socket->unsent) Fail(kServerFailed, "the server answered a datagram that was never sent");
  if (memcmp(datagram + sizeof header, BodyOf(header.number), length - sizeof header) != 0) {
    Fail(kServerFailed, "the server echoed wrong bytes in datagram %llu",
         static_cast<unsigned long long>(header.number));
  }
  if (!socket->numbers.Remembers(header.number)) {
    late_++;
    return false;
  }
  Numbers::Entry& entry = socket->numbers.at(header.number);
  if (entry.state == Numbers::State::kAnswered) Fail(kServerFailed, "the server answered a datagram twice");
  const bool is_late = entry.state == Numbers::State::kLost;
  entry.state = Numbers::State::kAnswered;
  if (is_late) {
    late_++;
    return false;
  }
  waiting_--;
  recorder().Answered(entry.counts_from_ns, now_ns);
  return true;
}

uint32_t UdpPool::Poll(int timeout_ms) {
  const int look_ms = std::max(1, static_cast<int>(timeout_ns_ / 4'000'000u));
  const int wait_ms = waiting_ == 0 ? timeout_ms : timeout_ms < 0 ? look_ms : std::min(look_ms, timeout_ms);
  epoll_event events[kEventsAtOnce];
  const int count = epoll_wait(epoll_.fd(), events, kEventsAtOnce, wait_ms);
  if (count < 0 && errno != EINTR) Fail(kServerFailed, "epoll_wait: %s", strerror(errno));
  uint32_t of_sockets = 0;
  for (int i = 0; i < count; i++) {
    const uint32_t index = events[i].data.u32;
    if (index == kNotASocket) continue;
    of_sockets++;
    const uint32_t answered =
        (events[i].events & ~static_cast<uint32_t>(EPOLLOUT)) == 0 ? 0 : Receive(&sockets_[index]);
    if (replaces() && answered > 0) {
      Send(index, NowNs(), answered);
    } else if (sockets_[index].is_watched_for_room) {
      Flush(index);
    }
  }
  const uint64_t now_ns = NowNs();
  if (now_ns >= look_for_lost_ns_) {
    look_for_lost_ns_ = now_ns + timeout_ns_ / 4;
    LoseOld(now_ns);
  }
  return of_sockets;
}

void UdpPool::LoseOld(uint64_t now_ns) {
  if (now_ns < timeout_ns_) return;
  for (uint32_t index = 0; index < size(); index++) {
    const uint64_t lost = Lose(&sockets_[index], now_ns - timeout_ns_, now_ns);
    if (replaces() && lost > 0) Send(index, now_ns, static_cast<uint32_t>(lost));
  }
}

uint64_t UdpPool::Lose(Socket* socket, uint64_t sent_before_ns, uint64_t now_ns) {
  uint64_t lost = 0;
  Numbers& numbers = socket->numbers;
  // Numbers rise with the times at which they were sent, and those that have not left are not lost.
  for (numbers.SkipSettled(); numbers.oldest_waiting() < socket->unsent; numbers.SkipSettled()) {
    Numbers::Entry& entry = numbers.at(numbers.oldest_waiting());
    if (entry.sent_ns > sent_before_ns) break;
    entry.state = Numbers::State::kLost;
    recorder().GivenUp(entry.counts_from_ns, now_ns);
    waiting_--;
    lost++;
  }
  return lost;
}

void UdpPool::GiveUp(uint64_t now_ns) {
  for (Socket& socket : sockets_) Lose(&socket, UINT64_MAX, now_ns);
  // What never left:
  for (Socket& socket : sockets_) {
    socket.unsent = socket.numbers.next();
    Lose(&socket, UINT64_MAX, now_ns);
  }
}

}  // namespace load

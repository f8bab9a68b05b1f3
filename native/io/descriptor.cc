#ifndef _WIN32
#include "io/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace millrace {
namespace {

#ifdef MSG_NOSIGNAL
constexpr int kSendFlags = MSG_NOSIGNAL | MSG_DONTWAIT;
#else
constexpr int kSendFlags = MSG_DONTWAIT;
#endif

int set_option(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value) == 0 ? 0 : -errno;
}

int set_flags([[maybe_unused]] int fd, [[maybe_unused]] Blocking blocking) {
#ifndef __linux__
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) return -errno;
  if (blocking == Blocking::No && fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0) return -errno;
#endif
#ifdef SO_NOSIGPIPE
  if (int error = set_option(fd, SOL_SOCKET, SO_NOSIGPIPE, 1); error != 0) return error;
#endif
  return 0;
}

int fail_and_close(int fd, int error) {
  close_descriptor(fd);
  return error;
}

}  // namespace

int open_stream(int family, Blocking blocking) {
#ifdef __linux__
  int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | (blocking == Blocking::No ? SOCK_NONBLOCK : 0), 0);
#else
  int fd = socket(family, SOCK_STREAM, 0);
#endif
  if (fd < 0) return -errno;
  if (int error = set_flags(fd, blocking); error != 0) return fail_and_close(fd, error);
  if (int error = set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1); error != 0) return fail_and_close(fd, error);
  return fd;
}

int open_listener(const sockaddr* address, uint32_t address_bytes, int backlog, uint32_t flags, Blocking blocking) {
  int fd = open_stream(address->sa_family, blocking);
  if (fd < 0) return fd;
  int error = set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (error == 0 && (flags & kListenReusePort) != 0) error = set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (error == 0 && address->sa_family == AF_INET6) {
    error = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, (flags & kListenIpv6Only) != 0);
  }
  if (error == 0 && bind(fd, address, address_bytes) != 0) error = -errno;
  if (error == 0 && ::listen(fd, backlog) != 0) error = -errno;
  return error == 0 ? fd : fail_and_close(fd, error);
}

int accept_stream(int listener) {
  int fd;
  do {
#ifdef __linux__
    // TCP_NODELAY comes with the listener's options.
    fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
#else
    fd = accept(listener, nullptr, nullptr);
#endif
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return -errno;
#ifndef __linux__
  if (int error = set_flags(fd, Blocking::No); error != 0) return fail_and_close(fd, error);
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);  // fails on macOS when the peer has gone already
#endif
  return fd;
}

int start_connecting(int fd, const sockaddr* address, uint32_t address_bytes) {
  // After EINTR the connection goes on by itself, as after EINPROGRESS.
  if (::connect(fd, address, address_bytes) == 0) return 0;
  return errno == EINTR ? -EINPROGRESS : -errno;
}

int64_t receive_some(int fd, void* buffer, size_t bytes) {
  ssize_t count;
  do {
    count = recv(fd, buffer, bytes, MSG_DONTWAIT);
  } while (count < 0 && errno == EINTR);
  if (count >= 0) return count;
  return errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

int64_t send_some(int fd, const void* buffer, size_t bytes) {
  ssize_t count;
  do {
    count = send(fd, buffer, bytes, kSendFlags);
  } while (count < 0 && errno == EINTR);
  if (count >= 0) return count;
  return errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

int64_t send_spans(int fd, iovec* spans, int count) {
  msghdr message = {};
  message.msg_iov = spans;
  message.msg_iovlen = static_cast<decltype(message.msg_iovlen)>(count);
  ssize_t sent;
  do {
    sent = sendmsg(fd, &message, kSendFlags);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return sent;
  return errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

int take_error(int fd) {
  int error = 0;
  socklen_t bytes = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &bytes) != 0) return -errno;
  return -error;
}

int send_fin(int fd) { return shutdown(fd, SHUT_WR) == 0 ? 0 : -errno; }

int end_both_ways(int fd) { return shutdown(fd, SHUT_RDWR) == 0 ? 0 : -errno; }

void reset_on_close(int fd) {
  linger option = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &option, sizeof option);
}

void discard_received([[maybe_unused]] int fd) {
#ifdef __linux__
  // MSG_TRUNC on TCP drops the bytes without copying them (Linux 2.4 and later).
  recv(fd, nullptr, 1 << 20, MSG_TRUNC | MSG_DONTWAIT);
#endif
}

// Never retried: on Linux the descriptor is gone even after EINTR.
void close_descriptor(int fd) { close(fd); }

int name_of_descriptor(int fd, bool peer, sockaddr* address, uint32_t* address_bytes) {
  socklen_t bytes = *address_bytes;
  if ((peer ? getpeername(fd, address, &bytes) : getsockname(fd, address, &bytes)) != 0) return -errno;
  *address_bytes = bytes;
  return 0;
}

bool accept_error_is_of_the_connection(int error) {
  switch (-error) {
    case ECONNABORTED:
    case EINTR:
    case EPROTO:
    // accept(2): pending network errors of the new connection are passed on as accept's own.
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
    case EPERM:  // a firewall rule refused it
#ifdef ENONET
    case EHOSTDOWN:
    case ENONET:
#endif
      return true;
    default:
      return false;
  }
}

}  // namespace millrace
#endif  // _WIN32

#ifndef _WIN32
#include "io/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

namespace millrace {
namespace {

#ifdef MSG_NOSIGNAL
constexpr int kSendFlags = MSG_NOSIGNAL | MSG_DONTWAIT;
#else
constexpr int kSendFlags = MSG_DONTWAIT;
#endif

// More than a Unix socket's receive buffer holds by default.
[[maybe_unused]] constexpr int kDiscardRoundsMax = 64;

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

// Nagle's algorithm is TCP's.
int set_no_delay(int fd, int family) { return family == AF_UNIX ? 0 : set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1); }

int open_socket(int family, Blocking blocking) {
#ifdef __linux__
  int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | (blocking == Blocking::No ? SOCK_NONBLOCK : 0), 0);
#else
  int fd = socket(family, SOCK_STREAM, 0);
#endif
  if (fd < 0) return -errno;
  if (int error = set_flags(fd, blocking); error != 0) return fail_and_close(fd, error);
  if (int error = set_no_delay(fd, family); error != 0) return fail_and_close(fd, error);
  return fd;
}

bool is_path(const SocketAddress& address) {
  return address.base.sa_family == AF_UNIX && address.un.sun_path[0] != '\0';
}

// Gives the socket's file its mode while nobody can connect: before listen(2) that is refused.
int bind_path(int fd, const SocketAddress& address, uint32_t mode) {
  const char* path = address.un.sun_path;
#ifdef __linux__
  // The file is made with the mode of the socket, less the umask: never wider than what was asked for.
  if (mode != 0) fchmod(fd, static_cast<mode_t>(mode));
#endif
  if (bind(fd, &address.base, address.bytes) != 0) return -errno;
  struct stat made;
  if (mode == 0 || lstat(path, &made) != 0 || !S_ISSOCK(made.st_mode) || (made.st_mode & 0777) == mode) return 0;
  if (chmod(path, static_cast<mode_t>(mode)) == 0) return 0;
  int error = -errno;
  unlink(path);
  return error;
}

int bind_port(int fd, const SocketAddress& address, uint32_t flags) {
  int error = set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (error == 0 && (flags & kListenReusePort) != 0) error = set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (error == 0 && address.base.sa_family == AF_INET6) {
    error = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, (flags & kListenIpv6Only) != 0);
  }
  if (error != 0) return error;
  return bind(fd, &address.base, address.bytes) == 0 ? 0 : -errno;
}

int bind_local(int fd, const SocketAddress& local) {
  if (local.base.sa_family == AF_UNIX) return -EINVAL;
  bool any_port = (local.base.sa_family == AF_INET ? local.v4.sin_port : local.v6.sin6_port) == 0;
#ifdef IP_BIND_ADDRESS_NO_PORT
  // The port is chosen when the peer is known: as many connections as there are ports for each peer, not for all.
  if (any_port) set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
#endif
  if (!any_port) {
    if (int error = set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1); error != 0) return error;
  }
  return bind(fd, &local.base, local.bytes) == 0 ? 0 : -errno;
}

}  // namespace

int open_stream(const SocketAddress& remote, const SocketAddress& local, Blocking blocking) {
  if (local.bytes != 0 && local.base.sa_family != remote.base.sa_family) return -EINVAL;
  int fd = open_socket(remote.base.sa_family, blocking);
  if (fd < 0 || local.bytes == 0) return fd;
  int error = bind_local(fd, local);
  return error == 0 ? fd : fail_and_close(fd, error);
}

int open_listener(const SocketAddress& address, int backlog, uint32_t flags, uint32_t mode, Blocking blocking) {
  int fd = open_socket(address.base.sa_family, blocking);
  if (fd < 0) return fd;
  bool path = is_path(address);
  int error = 0;
  if (path) {
    error = bind_path(fd, address, mode);
  } else if (address.base.sa_family == AF_UNIX) {
    if (bind(fd, &address.base, address.bytes) != 0) error = -errno;
  } else {
    error = bind_port(fd, address, flags);
  }
  if (error != 0) return fail_and_close(fd, error);
  if (::listen(fd, backlog) == 0) return fd;
  error = -errno;
  if (path) unlink(address.un.sun_path);
  return fail_and_close(fd, error);
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

int start_connecting(int fd, const SocketAddress& address) {
  // After EINTR the connection goes on by itself, as after EINPROGRESS.
  if (::connect(fd, &address.base, address.bytes) == 0) return 0;
  return errno == EINTR ? -EINPROGRESS : -errno;
}

int inspect(int fd, bool* is_listener) {
  int value = 0;
  socklen_t bytes = sizeof value;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &bytes) != 0) return -errno;
  if (value != SOCK_STREAM) return -EPROTOTYPE;
  SocketAddress name;
  if (int error = name_of_descriptor(fd, false, &name); error != 0) return error;
  sa_family_t family = name.base.sa_family;
  if (family != AF_INET && family != AF_INET6 && family != AF_UNIX) return -EAFNOSUPPORT;
  bytes = sizeof value;
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &bytes) != 0) return -errno;
  *is_listener = value != 0;
  return *is_listener ? 0 : name_of_descriptor(fd, true, &name);
}

int prepare_adopted(int fd, bool is_listener, Blocking blocking) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) return -errno;
  int wanted = blocking == Blocking::No ? flags | O_NONBLOCK : is_listener ? flags : flags & ~O_NONBLOCK;
  if (wanted != flags && fcntl(fd, F_SETFL, wanted) != 0) return -errno;
#ifdef SO_NOSIGPIPE
  if (int error = set_option(fd, SOL_SOCKET, SO_NOSIGPIPE, 1); error != 0) return error;
#endif
  SocketAddress name;
  if (int error = name_of_descriptor(fd, false, &name); error != 0) return error;
  set_no_delay(fd, name.base.sa_family);  // fails on macOS when the peer has gone already
  return 0;
}

void prepare_detached(int fd) {
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

int64_t receive_some(int fd, void* buffer, size_t bytes) {
  ssize_t count;
  do {
    count = recv(fd, buffer, bytes, MSG_DONTWAIT);
  } while (count < 0 && errno == EINTR);
  if (count >= 0) return count;
  return errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

int64_t receive_spans(int fd, iovec* spans, int count) {
  msghdr message = {};
  message.msg_iov = spans;
  message.msg_iovlen = static_cast<decltype(message.msg_iovlen)>(count);
  ssize_t received;
  do {
    received = recvmsg(fd, &message, MSG_DONTWAIT);
  } while (received < 0 && errno == EINTR);
  if (received >= 0) return received;
  return errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

int last_send_flag() {
#ifdef MSG_MORE
  return MSG_MORE;
#else
  return 0;
#endif
}

int64_t send_some(int fd, const void* buffer, size_t bytes, bool last) {
  int flags = kSendFlags | (last ? last_send_flag() : 0);
  ssize_t count;
  do {
    count = send(fd, buffer, bytes, flags);
  } while (count < 0 && errno == EINTR);
  if (count >= 0) return count;
  return errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

int64_t send_spans(int fd, iovec* spans, int count, bool last) {
  int flags = kSendFlags | (last ? last_send_flag() : 0);
  msghdr message = {};
  message.msg_iov = spans;
  message.msg_iovlen = static_cast<decltype(message.msg_iovlen)>(count);
  ssize_t sent;
  do {
    sent = sendmsg(fd, &message, flags);
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

void never_linger(int fd) {
  linger option = {0, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &option, sizeof option);
}

void discard_received([[maybe_unused]] int fd) {
#ifdef __linux__
  // MSG_TRUNC on TCP drops the bytes without copying them (Linux 2.4 and later); Unix sockets have no such thing.
  if (recv(fd, nullptr, 1 << 20, MSG_TRUNC | MSG_DONTWAIT) >= 0 || errno != EFAULT) return;
  char bytes[16 * 1024];
  for (int round = 0; round < kDiscardRoundsMax; round++) {
    if (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) <= 0) return;
  }
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

int name_of_descriptor(int fd, bool peer, SocketAddress* name) {
  sockaddr_storage storage = {};
  uint32_t bytes = sizeof storage;
  if (int error = name_of_descriptor(fd, peer, reinterpret_cast<sockaddr*>(&storage), &bytes); error != 0) return error;
  // Longer ones are of families that are not ours; the family is told all the same.
  size_t most = sizeof *name - offsetof(SocketAddress, base);
  name->bytes = static_cast<uint32_t>(bytes < most ? bytes : most);
  memcpy(&name->base, &storage, name->bytes);
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

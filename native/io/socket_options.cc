// The options of a socket, and what else the kernel knows of it.
#ifndef _WIN32
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/descriptor.h"

namespace millrace {
namespace {

#ifdef __APPLE__
constexpr int kKeepAliveIdle = TCP_KEEPALIVE;
#else
constexpr int kKeepAliveIdle = TCP_KEEPIDLE;
#endif

constexpr int kLingerSecondsMax = 65535;

struct Place {
  int level, name, min, max;
};

// min > max: there is no such option. Linger stands alone: its value is a structure.
Place place_of(SocketOption option) {
  switch (option) {
    case SocketOption::NoDelay:
      return {IPPROTO_TCP, TCP_NODELAY, 0, 1};
    case SocketOption::KeepAlive:
      return {SOL_SOCKET, SO_KEEPALIVE, 0, 1};
    case SocketOption::KeepAliveIdle:
      return {IPPROTO_TCP, kKeepAliveIdle, 1, INT32_MAX};
    case SocketOption::KeepAliveInterval:
      return {IPPROTO_TCP, TCP_KEEPINTVL, 1, INT32_MAX};
    case SocketOption::KeepAliveCount:
      return {IPPROTO_TCP, TCP_KEEPCNT, 1, INT32_MAX};
    case SocketOption::SendBuffer:
      return {SOL_SOCKET, SO_SNDBUF, 0, INT32_MAX};
    case SocketOption::ReceiveBuffer:
      return {SOL_SOCKET, SO_RCVBUF, 0, INT32_MAX};
    case SocketOption::Linger:
      break;
  }
  return {0, 0, 1, 0};
}

int set_linger(int fd, int seconds) {
  if (seconds < -1 || seconds > kLingerSecondsMax) return -EINVAL;
  linger option = {seconds >= 0, seconds >= 0 ? seconds : 0};
  return setsockopt(fd, SOL_SOCKET, SO_LINGER, &option, sizeof option) == 0 ? 0 : -errno;
}

int get_linger(int fd, int* seconds) {
  linger option = {};
  socklen_t bytes = sizeof option;
  if (getsockopt(fd, SOL_SOCKET, SO_LINGER, &option, &bytes) != 0) return -errno;
  *seconds = option.l_onoff == 0 ? -1 : option.l_linger;
  return 0;
}

}  // namespace

int set_socket_option(int fd, SocketOption option, int value) {
  if (option == SocketOption::Linger) return set_linger(fd, value);
  Place place = place_of(option);
  if (value < place.min || value > place.max) return -EINVAL;
  return setsockopt(fd, place.level, place.name, &value, sizeof value) == 0 ? 0 : -errno;
}

int get_socket_option(int fd, SocketOption option, int* value) {
  if (option == SocketOption::Linger) return get_linger(fd, value);
  Place place = place_of(option);
  if (place.min > place.max) return -EINVAL;
  int got = 0;
  socklen_t bytes = sizeof got;
  if (getsockopt(fd, place.level, place.name, &got, &bytes) != 0) return -errno;
  // Some systems answer with a bit of their own for "on".
  *value = place.max == 1 ? got != 0 : got;
  return 0;
}

int credentials_of_descriptor(int fd, Credentials* credentials) {
  SocketAddress own;
  if (int error = name_of_descriptor(fd, false, &own); error != 0) return error;
  if (own.base.sa_family != AF_UNIX) return -ENOTSUP;
#ifdef __linux__
  ucred found = {};
  socklen_t bytes = sizeof found;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &found, &bytes) != 0) return -errno;
  *credentials = {found.pid, found.uid, found.gid};
#else
  uid_t uid;
  gid_t gid;
  if (getpeereid(fd, &uid, &gid) != 0) return -errno;
  *credentials = {0, uid, gid};
#ifdef LOCAL_PEERPID
  pid_t pid = 0;
  socklen_t bytes = sizeof pid;
  if (getsockopt(fd, 0 /* SOL_LOCAL */, LOCAL_PEERPID, &pid, &bytes) == 0) credentials->pid = pid;
#endif
#endif
  return 0;
}

}  // namespace millrace
#endif  // _WIN32

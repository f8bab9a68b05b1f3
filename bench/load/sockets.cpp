#include "sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "fail.h"

namespace load {
namespace {

constexpr uint32_t kLoopback = 0x7f000000;      // 127.0.0.0
constexpr uint32_t kLoopbackMask = 0xff000000;  // /8
constexpr uint64_t kOwnDescriptors = 32;        // standard streams, epoll, timer, and what a library may open

Descriptor OpenSocket(int type) {
  Descriptor socket(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) Fail(kServerFailed, "socket: %s", strerror(errno));
  return socket;
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    Close();
    fd_ = other.Release();
  }
  return *this;
}

int Descriptor::Release() { return std::exchange(fd_, -1); }

void Descriptor::Close() {
  if (fd_ >= 0) close(Release());
}

void Descriptor::CloseWithReset() {
  const linger reset{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  Close();
}

Target::Target(const Options& options, uint32_t sources) : host_(options.host), sources_(sources) {
  address_.sin_family = AF_INET;
  address_.sin_port = htons(static_cast<uint16_t>(options.port));
  if (inet_pton(AF_INET, options.host, &address_.sin_addr) != 1) {
    Fail(kUsage, "not an IPv4 address: %s", options.host);
  }
  if ((ntohl(address_.sin_addr.s_addr) & kLoopbackMask) != kLoopback) sources_ = 0;
}

void Target::BindToNextSource(int fd) {
  if (sources_ == 0) return;
  // The port is chosen at connect, where only the whole of addresses and ports must be unused.
  const int on = 1;
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  sockaddr_in source{};
  source.sin_family = AF_INET;
  source.sin_addr.s_addr = htonl(kLoopback + 2 + next_source_);
  next_source_ = (next_source_ + 1) % sources_;
  if (bind(fd, reinterpret_cast<const sockaddr*>(&source), sizeof source) != 0) {
    Fail(kServerFailed, "bind to a source address: %s", strerror(errno));
  }
}

bool Target::ConnectFd(int fd) const {
  int result;
  do {
    result = connect(fd, reinterpret_cast<const sockaddr*>(&address_), sizeof address_);
  } while (result != 0 && errno == EINTR);
  return result == 0 || errno == EINPROGRESS;
}

void Target::FailToConnect() const {
  const char* advice = errno == EADDRNOTAVAIL ? " (all ports are taken: give more --sources)" : "";
  Fail(kServerFailed, "connect to %s:%u: %s%s", host_, port(), strerror(errno), advice);
}

Descriptor Target::Connect() {
  Descriptor socket = TryConnect();
  if (!socket.is_open()) FailToConnect();
  return socket;
}

Descriptor Target::TryConnect() {
  Descriptor socket = OpenSocket(SOCK_STREAM);
  BindToNextSource(socket.fd());
  if (!ConnectFd(socket.fd())) {
    const int reason = errno;
    socket.Close();
    errno = reason;
    return socket;
  }
  const int on = 1;
  setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (fcntl(socket.fd(), F_SETFL, O_NONBLOCK) != 0) Fail(kServerFailed, "fcntl: %s", strerror(errno));
  return socket;
}

Descriptor Target::StartConnecting() {
  Descriptor socket = OpenSocket(SOCK_STREAM | SOCK_NONBLOCK);
  BindToNextSource(socket.fd());
  if (!ConnectFd(socket.fd())) FailToConnect();
  return socket;
}

Descriptor Target::ConnectUdp() {
  Descriptor socket = OpenSocket(SOCK_DGRAM | SOCK_NONBLOCK);
  if (!ConnectFd(socket.fd())) FailToConnect();
  return socket;
}

void RaiseFileLimit(uint64_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const uint64_t needed = wanted + kOwnDescriptors;
  if (limit.rlim_max != RLIM_INFINITY && needed > limit.rlim_max) {
    Fail(kServerFailed, "%llu connections need more open files than the hard limit of %llu (ulimit -Hn)",
         static_cast<unsigned long long>(wanted), static_cast<unsigned long long>(limit.rlim_max));
  }
  limit.rlim_cur = std::max<rlim_t>(limit.rlim_cur, needed);
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace load

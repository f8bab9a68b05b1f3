// Opening sockets to the server under load, and raising the limit of how many there may be.
#pragma once

#include <netinet/in.h>
#include <stdint.h>

#include "options.h"

namespace load {

// A descriptor that is closed with its owner.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.Release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { Close(); }

  int fd() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  int Release();
  void Close();
  // Ends a TCP connection with RST instead of FIN: no TIME_WAIT on either side.
  void CloseWithReset();

 private:
  int fd_ = -1;
};

// Where the server is, and the addresses from which it is called. Many connections to one port need several source
// addresses: each has about 28,000 ports, and one that was closed here stays in TIME_WAIT for a minute. All of
// 127.0.0.0/8 is the machine itself, so they cost nothing.
class Target {
 public:
  // `sources` = 0: the kernel chooses. Ends the program when the host is not an IPv4 address.
  Target(const Options& options, uint32_t sources);

  // Blocks until the connection stands; the socket is then non-blocking, with TCP_NODELAY.
  Descriptor Connect();
  // The same, but where nobody answers a closed descriptor, and why in `errno`.
  Descriptor TryConnect();
  // Does not wait: the connection may still be under way.
  Descriptor StartConnecting();
  Descriptor ConnectUdp();

  uint32_t sources() const { return sources_; }
  const sockaddr_in& address() const { return address_; }
  // How messages name it.
  const char* host() const { return host_; }
  uint16_t port() const { return ntohs(address_.sin_port); }

 private:
  void BindToNextSource(int fd);
  // Whether it is connected or under way; if not, why in `errno`.
  bool ConnectFd(int fd) const;
  [[noreturn]] void FailToConnect() const;

  const char* host_;
  sockaddr_in address_{};
  uint32_t sources_;
  uint32_t next_source_ = 0;
};

// Ends the program when the hard limit does not allow `wanted` descriptors.
void RaiseFileLimit(uint64_t wanted);

}  // namespace load

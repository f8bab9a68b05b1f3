// Where a socket is or goes to: an IPv4 or IPv6 address with its port, or a Unix path or abstract name.
#ifndef MILLRACE_IO_ADDRESS_H_
#define MILLRACE_IO_ADDRESS_H_

#ifdef _WIN32
#include <winsock2.h>
#include <ws2tcpip.h>
#else
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#endif

#include <cstdint>

namespace millrace {

struct SocketAddress {
  uint32_t bytes = 0;  // 0: none
  union {
    sockaddr base;
    sockaddr_in v4;
    sockaddr_in6 v6;
#ifndef _WIN32
    sockaddr_un un;
#endif
  };

  SocketAddress() : v6() {}
};

}  // namespace millrace

#endif  // MILLRACE_IO_ADDRESS_H_

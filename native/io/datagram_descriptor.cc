#ifndef _WIN32
#include "io/datagram_descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/sock_diag.h>
#include <linux/udp.h>
#endif

#include <cstring>

#include "io/descriptor.h"

namespace millrace {
namespace {

int set_int(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value) == 0 ? 0 : -errno;
}

int get_int(int fd, int level, int name) {
  int value = 0;
  socklen_t bytes = sizeof value;
  return getsockopt(fd, level, name, &value, &bytes) == 0 ? value : -errno;
}

// IPv4's option has its own value even on an IPv6 socket, which also sends to IPv4 peers. Where there is no such option
// (an IPv6 socket elsewhere than on Linux), IPv6's alone counts.
int set_both(int fd, int family, int v4_name, int v6_name, int value) {
  int v4 = set_int(fd, IPPROTO_IP, v4_name, value);
  return family == AF_INET6 ? set_int(fd, IPPROTO_IPV6, v6_name, value) : v4;
}

int get_either(int fd, int family, int v4_name, int v6_name) {
  return family == AF_INET6 ? get_int(fd, IPPROTO_IPV6, v6_name) : get_int(fd, IPPROTO_IP, v4_name);
}

}  // namespace

int open_datagrams(const sockaddr* address, uint32_t address_bytes, uint32_t flags) {
#ifdef __linux__
  int fd = socket(address->sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  int error = 0;
#else
  int fd = socket(address->sa_family, SOCK_DGRAM, 0);
  if (fd < 0) return -errno;
  int error = fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0 ? 0 : -errno;
#endif
  if (error == 0 && (flags & kBindReuseAddress) != 0) error = set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (error == 0 && (flags & kBindReusePort) != 0) error = set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (error == 0 && address->sa_family == AF_INET6) {
    error = set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, (flags & kBindIpv6Only) != 0);
  }
  if (error == 0 && bind(fd, address, address_bytes) != 0) error = -errno;
  if (error == 0) return fd;
  close_descriptor(fd);
  return error;
}

#ifdef UDP_SEGMENT

// An older kernel would take no notice of the control message, and send one long datagram.
bool has_segments(int fd) { return get_int(fd, IPPROTO_UDP, UDP_SEGMENT) >= 0; }

void set_segments(msghdr* header, SegmentControl* control, uint16_t bytes) {
  header->msg_control = control->bytes;
  header->msg_controllen = sizeof control->bytes;
  cmsghdr* message = CMSG_FIRSTHDR(header);
  message->cmsg_level = IPPROTO_UDP;
  message->cmsg_type = UDP_SEGMENT;
  message->cmsg_len = CMSG_LEN(sizeof bytes);
  memcpy(CMSG_DATA(message), &bytes, sizeof bytes);
}

#else

bool has_segments(int) { return false; }
void set_segments(msghdr*, SegmentControl*, uint16_t) {}

#endif

#ifdef UDP_GRO

bool receive_trains(int fd) { return set_int(fd, IPPROTO_UDP, UDP_GRO, 1) == 0; }

int segment_bytes_of(msghdr* header) {
  if ((header->msg_flags & MSG_CTRUNC) != 0) return -EMSGSIZE;
  // Nothing but this was asked for.
  cmsghdr* message = header->msg_controllen == 0 ? nullptr : CMSG_FIRSTHDR(header);
  if (message == nullptr || message->cmsg_level != IPPROTO_UDP || message->cmsg_type != UDP_GRO) return 0;
  int bytes = 0;
  memcpy(&bytes, CMSG_DATA(message), sizeof bytes);
  return bytes > 0 ? bytes : 0;
}

#else

bool receive_trains(int) { return false; }
int segment_bytes_of(msghdr*) { return 0; }

#endif

#ifdef __linux__

int receive_messages(int fd, Message* messages, unsigned int count) {
  int received;
  do {
    received = recvmmsg(fd, messages, count, MSG_DONTWAIT, nullptr);
  } while (received < 0 && errno == EINTR);
  return received >= 0 ? received : -errno;
}

int send_messages(int fd, Message* messages, unsigned int count) {
  int sent;
  do {
    sent = sendmmsg(fd, messages, count, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent >= 0 ? sent : -errno;
}

#else

int receive_messages(int fd, Message* messages, unsigned int count) {
  for (unsigned int i = 0; i < count; i++) {
    ssize_t bytes;
    do {
      bytes = recvmsg(fd, &messages[i].msg_hdr, MSG_DONTWAIT);
    } while (bytes < 0 && errno == EINTR);
    if (bytes < 0) return i > 0 ? static_cast<int>(i) : -errno;
    messages[i].msg_len = static_cast<unsigned int>(bytes);
  }
  return static_cast<int>(count);
}

int send_messages(int fd, Message* messages, unsigned int count) {
  for (unsigned int i = 0; i < count; i++) {
    ssize_t bytes;
    do {
      bytes = sendmsg(fd, &messages[i].msg_hdr, MSG_DONTWAIT);
    } while (bytes < 0 && errno == EINTR);
    if (bytes < 0) return i > 0 ? static_cast<int>(i) : -errno;
  }
  return static_cast<int>(count);
}

#endif

int set_datagram_option(int fd, int family, DatagramOption option, int value) {
  switch (option) {
    case DatagramOption::Broadcast:
      return set_int(fd, SOL_SOCKET, SO_BROADCAST, value);
    case DatagramOption::Ttl:
      return set_both(fd, family, IP_TTL, IPV6_UNICAST_HOPS, value);
    case DatagramOption::MulticastTtl:
      return set_both(fd, family, IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS, value);
    case DatagramOption::MulticastLoop:
      return set_both(fd, family, IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP, value);
    case DatagramOption::ReceiveBuffer:
      return set_int(fd, SOL_SOCKET, SO_RCVBUF, value);
    case DatagramOption::SendBuffer:
      return set_int(fd, SOL_SOCKET, SO_SNDBUF, value);
    case DatagramOption::Dropped:
      break;
  }
  return -EINVAL;
}

int get_datagram_option(int fd, int family, DatagramOption option) {
  switch (option) {
    case DatagramOption::Broadcast:
      return get_int(fd, SOL_SOCKET, SO_BROADCAST) == 0 ? 0 : 1;
    case DatagramOption::Ttl:
      return get_either(fd, family, IP_TTL, IPV6_UNICAST_HOPS);
    case DatagramOption::MulticastTtl:
      return get_either(fd, family, IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS);
    case DatagramOption::MulticastLoop:
      return get_either(fd, family, IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP);
    case DatagramOption::ReceiveBuffer:
      return get_int(fd, SOL_SOCKET, SO_RCVBUF);
    case DatagramOption::SendBuffer:
      return get_int(fd, SOL_SOCKET, SO_SNDBUF);
    case DatagramOption::Dropped: {
#ifdef __linux__
      // Costs nothing until it is asked for, where SO_RXQ_OVFL would add a control message to each datagram (Linux 4.12).
      uint32_t info[SK_MEMINFO_VARS] = {};
      socklen_t bytes = sizeof info;
      if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &bytes) != 0) return -errno;
      return static_cast<int>(info[SK_MEMINFO_DROPS] & INT32_MAX);
#else
      return -ENOTSUP;
#endif
    }
  }
  return -EINVAL;
}

int change_membership(int fd, bool join, const sockaddr_storage& group, const sockaddr_storage* source,
                      uint32_t interface_index) {
  // By the group's family: an IPv6 socket on Linux joins IPv4 groups too.
  int level = group.ss_family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
  if (source == nullptr) {
    group_req request = {};
    request.gr_interface = interface_index;
    memcpy(&request.gr_group, &group, sizeof group);
    int name = join ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP;
    return setsockopt(fd, level, name, &request, sizeof request) == 0 ? 0 : -errno;
  }
  group_source_req request = {};
  request.gsr_interface = interface_index;
  memcpy(&request.gsr_group, &group, sizeof group);
  memcpy(&request.gsr_source, source, sizeof *source);
  int name = join ? MCAST_JOIN_SOURCE_GROUP : MCAST_LEAVE_SOURCE_GROUP;
  return setsockopt(fd, level, name, &request, sizeof request) == 0 ? 0 : -errno;
}

int set_multicast_interface(int fd, int family, uint32_t interface_index) {
  ip_mreqn v4 = {};
  v4.imr_ifindex = static_cast<int>(interface_index);
  int result = setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &v4, sizeof v4) == 0 ? 0 : -errno;
  return family == AF_INET6 ? set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, static_cast<int>(interface_index)) : result;
}

}  // namespace millrace
#endif  // _WIN32

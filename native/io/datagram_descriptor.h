// System calls on UDP sockets, with the differences between the systems and the retries after EINTR taken away. Everything
// returns 0 or more, or a negative errno.
#ifndef MILLRACE_IO_DATAGRAM_DESCRIPTOR_H_
#define MILLRACE_IO_DATAGRAM_DESCRIPTOR_H_

#ifndef _WIN32
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>

#include "io/datagrams.h"

namespace millrace {

#ifdef __linux__
using Message = mmsghdr;
#else
struct Message {
  msghdr msg_hdr;
  unsigned int msg_len;
};
#endif

// Room for one control message: of a message to be sent, that the kernel cuts it into datagrams of so many bytes
// (UDP_SEGMENT, udp(7)); of a received one, that it is made of such (UDP_GRO).
struct SegmentControl {
  alignas(cmsghdr) unsigned char bytes[CMSG_SPACE(sizeof(int))];
};
inline constexpr uint32_t kSegmentsMax = 64;
// Of one datagram: what fits every link of IPv6 (RFC 8200), for a longer one than the path takes would be refused.
inline constexpr uint32_t kSegmentBytesMax = 1280 - 48;

bool has_segments(int fd);  // Linux 4.18
void set_segments(msghdr* header, SegmentControl* control, uint16_t bytes);

// From now on datagrams of one peer that came together are received as one message. False: an older kernel than Linux 5.0.
bool receive_trains(int fd);
// Of each datagram in a received message but the last, which may be shorter; 0: it is one datagram. Negative: the kernel
// has cut off what would say it.
int segment_bytes_of(msghdr* header);

// Not blocking, close-on-exec. `flags`: see datagrams.h.
int open_datagrams(const sockaddr* address, uint32_t address_bytes, uint32_t flags);

// How many, at least one; never blocks. An error of the kernel's that belongs to no message (ICMP) comes as a result too.
int receive_messages(int fd, Message* messages, unsigned int count);
int send_messages(int fd, Message* messages, unsigned int count);

int set_datagram_option(int fd, int family, DatagramOption option, int value);
int get_datagram_option(int fd, int family, DatagramOption option);

// RFC 3678, by interface index; 0: the kernel chooses. `source` is nullptr for any source.
int change_membership(int fd, bool join, const sockaddr_storage& group, const sockaddr_storage* source,
                      uint32_t interface_index);
int set_multicast_interface(int fd, int family, uint32_t interface_index);

}  // namespace millrace
#endif  // _WIN32
#endif  // MILLRACE_IO_DATAGRAM_DESCRIPTOR_H_

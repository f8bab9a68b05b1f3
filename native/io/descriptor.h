// System calls on sockets, with the differences between the systems and the retries after EINTR taken away. Everything
// returns 0 or more, or a negative errno.
#ifndef MILLRACE_IO_DESCRIPTOR_H_
#define MILLRACE_IO_DESCRIPTOR_H_

#include <cstddef>
#include <cstdint>

#include "core/records.h"

struct sockaddr;
struct iovec;

namespace millrace {

enum class Blocking : bool { No, Yes };

// Descriptors are close-on-exec, without Nagle's algorithm, and never raise SIGPIPE.
int open_listener(const sockaddr* address, uint32_t address_bytes, int backlog, uint32_t flags, Blocking blocking);
int open_stream(int family, Blocking blocking);
int accept_stream(int listener);  // not blocking
int start_connecting(int fd, const sockaddr* address, uint32_t address_bytes);

// Neither blocks: -EAGAIN.
int64_t receive_some(int fd, void* buffer, size_t bytes);
int64_t send_some(int fd, const void* buffer, size_t bytes);
int64_t send_spans(int fd, iovec* spans, int count);

int take_error(int fd);  // SO_ERROR, negative; 0: none
int send_fin(int fd);
int end_both_ways(int fd);
void reset_on_close(int fd);
// What has arrived and will never be read: closing with it in the buffer would reset the connection, and the peer could
// lose what was sent to it last.
void discard_received(int fd);
void close_descriptor(int fd);
int name_of_descriptor(int fd, bool peer, sockaddr* address, uint32_t* address_bytes);

// An accept that failed this way says nothing about the listener: the connection went away before it was taken.
bool accept_error_is_of_the_connection(int error);

}  // namespace millrace

#endif  // MILLRACE_IO_DESCRIPTOR_H_

// System calls on sockets, with the differences between the systems and the retries after EINTR taken away. Everything
// returns 0 or more, or a negative errno.
#ifndef MILLRACE_IO_DESCRIPTOR_H_
#define MILLRACE_IO_DESCRIPTOR_H_

#include <cstddef>
#include <cstdint>

#include "core/records.h"
#include "io/address.h"

struct iovec;

namespace millrace {

enum class Blocking : bool { No, Yes };

// Descriptors are close-on-exec, without Nagle's algorithm, and never raise SIGPIPE.
int open_listener(const SocketAddress& address, int backlog, uint32_t flags, uint32_t mode, Blocking blocking);
// `local` without bytes: the kernel chooses.
int open_stream(const SocketAddress& remote, const SocketAddress& local, Blocking blocking);
int accept_stream(int listener);  // not blocking
int start_connecting(int fd, const SocketAddress& address);

// Whether it is a listener or a connected stream of ours to take over: 0 or a negative errno.
int inspect(int fd, bool* is_listener);
// As all of ours are; a connected one blocks or not as asked. O_NONBLOCK belongs to all that share the socket: a listener
// that does not block stays so, for its owner before may accept from it still.
int prepare_adopted(int fd, bool is_listener, Blocking blocking);
// As Node's own are.
void prepare_detached(int fd);

int set_socket_option(int fd, SocketOption option, int value);
int get_socket_option(int fd, SocketOption option, int* value);

struct Credentials {
  int64_t pid;  // 0 where the system does not tell
  uint32_t uid, gid;
};
int credentials_of_descriptor(int fd, Credentials* credentials);

// Neither blocks: -EAGAIN.
int64_t receive_some(int fd, void* buffer, size_t bytes);
int64_t receive_spans(int fd, iovec* spans, int count);
// `last`: our end of the stream follows, so that the kernel may wait for it and put both into one packet.
int64_t send_some(int fd, const void* buffer, size_t bytes, bool last);
int64_t send_spans(int fd, iovec* spans, int count, bool last);
// For sends by other means.
int last_send_flag();

int take_error(int fd);  // SO_ERROR, negative; 0: none
int send_fin(int fd);
int end_both_ways(int fd);
void reset_on_close(int fd);
void never_linger(int fd);
// What has arrived and will never be read: closing with it in the buffer would reset the connection, and the peer could
// lose what was sent to it last.
void discard_received(int fd);
void close_descriptor(int fd);
int name_of_descriptor(int fd, bool peer, sockaddr* address, uint32_t* address_bytes);
int name_of_descriptor(int fd, bool peer, SocketAddress* name);

// An accept that failed this way says nothing about the listener: the connection went away before it was taken.
bool accept_error_is_of_the_connection(int error);

}  // namespace millrace

#endif  // MILLRACE_IO_DESCRIPTOR_H_

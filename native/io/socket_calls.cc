// What JavaScript asks of sockets by a call, and is answered at once.
#ifndef _WIN32
#include <errno.h>

#include "io/socket_backend.h"

namespace millrace {

int SocketBackend::listen(const SocketAddress& address, int backlog, uint32_t flags, uint32_t mode, uint32_t* handle) {
  if (resources_.arenas.receive == nullptr) return -EINVAL;
  int fd = open_listener(address, backlog, flags, mode, blocking());
  if (fd < 0) return fd;
  Socket* socket = add(fd, Socket::Kind::Listener, Socket::Phase::Open);
  if (socket == nullptr) {
    close_descriptor(fd);
    return -ENFILE;
  }
  *handle = socket->handle;
  return 0;
}

int SocketBackend::connect(const SocketAddress& address, const SocketAddress& local, uint32_t* handle) {
  if (resources_.arenas.receive == nullptr) return -EINVAL;
  int fd = open_stream(address, local, blocking());
  if (fd < 0) return fd;
  Socket* socket = add(fd, Socket::Kind::Stream, Socket::Phase::Connecting);
  if (socket == nullptr) {
    close_descriptor(fd);
    return -ENFILE;
  }
  *handle = socket->handle;
  start_connection(*socket, address);
  return 0;
}

int SocketBackend::adopt(int fd, uint32_t* handle) {
  if (resources_.arenas.receive == nullptr) return -EINVAL;
  bool is_listener = false;
  if (int error = inspect(fd, &is_listener); error != 0) return error;
  bool is_ours = false;
  sockets_.for_each([&](uint32_t, Socket& other) { is_ours = is_ours || other.fd == fd; });
  if (is_ours) return -EEXIST;
  int linger_seconds = -1;
  if (int error = get_socket_option(fd, SocketOption::Linger, &linger_seconds); error != 0) return error;
  if (int error = prepare_adopted(fd, is_listener, blocking()); error != 0) return error;

  Socket* socket = add(fd, is_listener ? Socket::Kind::Listener : Socket::Kind::Stream, Socket::Phase::Open);
  if (socket == nullptr) return -ENFILE;
  if (int error = watch(*socket); error != 0) {
    socket->fd = -1;
    socket->phase = Socket::Phase::Ended;
    release(*socket);
    return error;
  }
  socket->lingers = linger_seconds > 0;
  *handle = socket->handle;
  return 0;
}

// nullptr: stale, or closed.
Socket* SocketBackend::open_socket(uint32_t handle) {
  Socket* socket = sockets_.lookup(handle);
  return socket == nullptr || socket->fd < 0 ? nullptr : socket;
}

int SocketBackend::name_of(uint32_t handle, bool peer, SocketAddress* name) {
  Socket* socket = open_socket(handle);
  return socket == nullptr ? -EBADF : name_of_descriptor(socket->fd, peer, name);
}

int SocketBackend::descriptor_of(uint32_t handle, int* fd) {
  Socket* socket = open_socket(handle);
  if (socket == nullptr) return -EBADF;
  *fd = socket->fd;
  return 0;
}

int SocketBackend::set_option(uint32_t handle, SocketOption option, int value) {
  Socket* socket = open_socket(handle);
  if (socket == nullptr) return -EBADF;
  int error = set_socket_option(socket->fd, option, value);
  if (error == 0 && option == SocketOption::Linger) socket->lingers = value > 0;
  return error;
}

int SocketBackend::get_option(uint32_t handle, SocketOption option, int* value) {
  Socket* socket = open_socket(handle);
  return socket == nullptr ? -EBADF : get_socket_option(socket->fd, option, value);
}

int SocketBackend::credentials_of(uint32_t handle, Credentials* credentials) {
  Socket* socket = open_socket(handle);
  if (socket == nullptr) return -EBADF;
  if (socket->kind == Socket::Kind::Listener) return -ENOTSUP;
  if (socket->phase == Socket::Phase::Connecting) return -ENOTCONN;
  return credentials_of_descriptor(socket->fd, credentials);
}

}  // namespace millrace
#endif  // _WIN32

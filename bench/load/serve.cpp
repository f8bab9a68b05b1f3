#include "serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <unordered_map>
#include <vector>

#include "fail.h"

namespace load {
namespace {

constexpr int kEventsAtOnce = 256;
constexpr size_t kReadBytes = 1u << 16;
constexpr size_t kBatch = 64;
constexpr size_t kDatagramBytes = 65536;
constexpr int kBacklog = 4096;
constexpr int kUdpBufferBytes = 16 << 20;

void Watch(int epoll, int operation, int fd, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (epoll_ctl(epoll, operation, fd, &event) != 0) Fail(kServerFailed, "epoll_ctl: %s", strerror(errno));
}

// Reads only while all that it read has been sent.
class Client {
 public:
  explicit Client(Descriptor socket) : socket_(std::move(socket)) {}

  int fd() const { return socket_.fd(); }
  bool is_blocked() const { return sent_ < unsent_.size(); }
  bool is_watched_for_room = false;

  // False when the connection is done with.
  bool Go(uint8_t* buffer) {
    if (is_blocked()) return SendRest();
    const ssize_t length = recv(fd(), buffer, kReadBytes, 0);
    if (length < 0) return errno == EAGAIN || errno == EINTR;
    if (length == 0) return false;
    const ssize_t written = send(fd(), buffer, static_cast<size_t>(length), MSG_NOSIGNAL);
    if (written < 0 && errno != EAGAIN) return false;
    if (written == length) return true;
    unsent_.assign(buffer + std::max<ssize_t>(written, 0), buffer + length);
    sent_ = 0;
    return true;
  }

 private:
  bool SendRest() {
    const ssize_t written = send(fd(), unsent_.data() + sent_, unsent_.size() - sent_, MSG_NOSIGNAL);
    if (written < 0) return errno == EAGAIN || errno == EINTR;
    sent_ += static_cast<size_t>(written);
    return true;
  }

  Descriptor socket_;
  std::vector<uint8_t> unsent_;
  size_t sent_ = 0;
};

class TcpServer {
 public:
  explicit TcpServer(int listener) : listener_(listener), buffer_(kReadBytes) {}

  void OnEvent(int epoll, int fd) {
    if (fd == listener_) return Accept(epoll);
    Client& client = *clients_.at(fd);
    if (!client.Go(buffer_.data())) {
      clients_.erase(fd);
      return;
    }
    if (client.is_blocked() == client.is_watched_for_room) return;
    client.is_watched_for_room = client.is_blocked();
    Watch(epoll, EPOLL_CTL_MOD, fd, client.is_blocked() ? EPOLLOUT : EPOLLIN);
  }

 private:
  void Accept(int epoll) {
    for (size_t i = 0; i < kBatch; i++) {
      Descriptor socket(accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!socket.is_open()) return;
      const int on = 1;
      setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      const int fd = socket.fd();
      clients_.emplace(fd, std::make_unique<Client>(std::move(socket)));
      Watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN);
    }
  }

  const int listener_;
  std::vector<uint8_t> buffer_;
  std::unordered_map<int, std::unique_ptr<Client>> clients_;
};

class UdpServer {
 public:
  explicit UdpServer(int socket)
      : socket_(socket), buffer_(kBatch * kDatagramBytes), addresses_(kBatch), parts_(kBatch), batch_(kBatch) {}

  void OnEvent() {
    for (size_t i = 0; i < kBatch; i++) {
      parts_[i] = {&buffer_[i * kDatagramBytes], kDatagramBytes};
      batch_[i] = {};
      batch_[i].msg_hdr.msg_name = &addresses_[i];
      batch_[i].msg_hdr.msg_namelen = sizeof addresses_[i];
      batch_[i].msg_hdr.msg_iov = &parts_[i];
      batch_[i].msg_hdr.msg_iovlen = 1;
    }
    const int count = recvmmsg(socket_, batch_.data(), kBatch, 0, nullptr);
    for (int i = 0; i < count; i++) parts_[static_cast<size_t>(i)].iov_len = batch_[static_cast<size_t>(i)].msg_len;
    // What the kernel does not take is lost, as UDP may.
    for (int sent = 0; sent < count;) {
      const int now = sendmmsg(socket_, &batch_[static_cast<size_t>(sent)], static_cast<unsigned>(count - sent), 0);
      sent += now > 0 ? now : 1;
    }
  }

 private:
  const int socket_;
  std::vector<uint8_t> buffer_;
  std::vector<sockaddr_in> addresses_;
  std::vector<iovec> parts_;
  std::vector<mmsghdr> batch_;
};

}  // namespace

Descriptor OpenServer(Protocol protocol, uint16_t* port) {
  const int type = protocol == Protocol::kTcp ? SOCK_STREAM : SOCK_DGRAM;
  Descriptor server(socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (bind(server.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      (protocol == Protocol::kTcp && listen(server.fd(), kBacklog) != 0) ||
      getsockname(server.fd(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    Fail(kServerFailed, "listen: %s", strerror(errno));
  }
  if (protocol == Protocol::kUdp &&
      setsockopt(server.fd(), SOL_SOCKET, SO_RCVBUFFORCE, &kUdpBufferBytes, sizeof kUdpBufferBytes) != 0) {
    setsockopt(server.fd(), SOL_SOCKET, SO_RCVBUF, &kUdpBufferBytes, sizeof kUdpBufferBytes);
  }
  *port = ntohs(address.sin_port);
  return server;
}

void ServeEcho(Protocol protocol, const Descriptor& server, int stop_fd) {
  const Descriptor epoll(epoll_create1(EPOLL_CLOEXEC));
  Watch(epoll.fd(), EPOLL_CTL_ADD, server.fd(), EPOLLIN);
  Watch(epoll.fd(), EPOLL_CTL_ADD, stop_fd, EPOLLIN);
  TcpServer tcp(server.fd());
  UdpServer udp(server.fd());
  epoll_event events[kEventsAtOnce];
  for (;;) {
    const int count = epoll_wait(epoll.fd(), events, kEventsAtOnce, -1);
    if (count < 0 && errno != EINTR) Fail(kServerFailed, "epoll_wait: %s", strerror(errno));
    for (int i = 0; i < count; i++) {
      if (events[i].data.fd == stop_fd) return;
      if (protocol == Protocol::kTcp) {
        tcp.OnEvent(epoll.fd(), events[i].data.fd);
      } else {
        udp.OnEvent();
      }
    }
  }
}

void RunServe(const Options& options) {
  RaiseFileLimit(0);
  uint16_t port = 0;
  const Descriptor server = OpenServer(options.protocol, &port);
  printf("%u\n", port);
  fflush(stdout);
  ServeEcho(options.protocol, server, STDIN_FILENO);
}

}  // namespace load

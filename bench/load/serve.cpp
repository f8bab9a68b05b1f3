#include "serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
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

constexpr std::string_view kReply =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!";
constexpr std::string_view kEmptyLine = "\r\n\r\n";
// A read of nothing but the shortest request there is asks for so many.
constexpr size_t kRepliesMax = kReadBytes / sizeof "GET / HTTP/1.1\r\n\r\n" + 2;

// What the answers to a read are taken from: as many replies as it can ask for.
std::string Replies() {
  std::string replies;
  for (size_t i = 0; i < kRepliesMax; i++) replies += kReply;
  return replies;
}

// Reads only while all that it read has been answered.
class Client {
 public:
  Client(Descriptor socket, std::string_view replies) : socket_(std::move(socket)), replies_(replies) {}

  int fd() const { return socket_.fd(); }
  bool is_blocked() const { return sent_ < unsent_.size(); }
  bool is_watched_for_room = false;

  // False when the connection is done with.
  bool Go(uint8_t* buffer) {
    if (is_blocked()) return SendRest();
    const ssize_t length = recv(fd(), buffer, kReadBytes, 0);
    if (length < 0) return errno == EAGAIN || errno == EINTR;
    if (length == 0) return false;
    const std::string_view got(reinterpret_cast<const char*>(buffer), static_cast<size_t>(length));
    const std::string_view answer = replies_.empty() ? got : replies_.substr(0, CountRequests(got) * kReply.size());
    if (answer.empty()) return true;
    const ssize_t written = send(fd(), answer.data(), answer.size(), MSG_NOSIGNAL);
    if (written < 0 && errno != EAGAIN) return false;
    if (written == static_cast<ssize_t>(answer.size())) return true;
    unsent_ = answer.substr(static_cast<size_t>(std::max<ssize_t>(written, 0)));
    sent_ = 0;
    return true;
  }

 private:
  // How many empty lines have come, over the border of two reads too.
  size_t CountRequests(std::string_view bytes) {
    size_t count = 0;
    while (matched_ > 0 && !bytes.empty()) {
      matched_ = bytes.front() == kEmptyLine[matched_] ? matched_ + 1 : 0;
      bytes.remove_prefix(1);
      if (matched_ < kEmptyLine.size()) continue;
      count++;
      matched_ = 0;
    }
    for (size_t end; (end = bytes.find(kEmptyLine)) != std::string_view::npos; count++) {
      bytes.remove_prefix(end + kEmptyLine.size());
    }
    if (matched_ > 0) return count;
    for (size_t length = std::min(bytes.size(), kEmptyLine.size() - 1); length > 0; length--) {
      if (bytes.substr(bytes.size() - length) != kEmptyLine.substr(0, length)) continue;
      matched_ = length;
      break;
    }
    return count;
  }

  bool SendRest() {
    const ssize_t written = send(fd(), unsent_.data() + sent_, unsent_.size() - sent_, MSG_NOSIGNAL);
    if (written < 0) return errno == EAGAIN || errno == EINTR;
    sent_ += static_cast<size_t>(written);
    return true;
  }

  Descriptor socket_;
  const std::string_view replies_;  // empty: it echoes
  size_t matched_ = 0;              // of an empty line, at the end of what has come
  std::string unsent_;
  size_t sent_ = 0;
};

class TcpServer {
 public:
  TcpServer(int listener, Protocol protocol)
      : listener_(listener), replies_(protocol == Protocol::kHttp ? Replies() : ""), buffer_(kReadBytes) {}

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
      clients_.emplace(fd, std::make_unique<Client>(std::move(socket), replies_));
      Watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN);
    }
  }

  const int listener_;
  const std::string replies_;
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
  const bool is_udp = protocol == Protocol::kUdp;
  const int type = is_udp ? SOCK_DGRAM : SOCK_STREAM;
  Descriptor server(socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (bind(server.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      (!is_udp && listen(server.fd(), kBacklog) != 0) ||
      getsockname(server.fd(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    Fail(kServerFailed, "listen: %s", strerror(errno));
  }
  if (is_udp && setsockopt(server.fd(), SOL_SOCKET, SO_RCVBUFFORCE, &kUdpBufferBytes, sizeof kUdpBufferBytes) != 0) {
    setsockopt(server.fd(), SOL_SOCKET, SO_RCVBUF, &kUdpBufferBytes, sizeof kUdpBufferBytes);
  }
  *port = ntohs(address.sin_port);
  return server;
}

void Serve(Protocol protocol, const Descriptor& server, int stop_fd) {
  const Descriptor epoll(epoll_create1(EPOLL_CLOEXEC));
  Watch(epoll.fd(), EPOLL_CTL_ADD, server.fd(), EPOLLIN);
  Watch(epoll.fd(), EPOLL_CTL_ADD, stop_fd, EPOLLIN);
  TcpServer tcp(server.fd(), protocol);
  UdpServer udp(server.fd());
  epoll_event events[kEventsAtOnce];
  for (;;) {
    const int count = epoll_wait(epoll.fd(), events, kEventsAtOnce, -1);
    if (count < 0 && errno != EINTR) Fail(kServerFailed, "epoll_wait: %s", strerror(errno));
    for (int i = 0; i < count; i++) {
      if (events[i].data.fd == stop_fd) return;
      if (protocol == Protocol::kUdp) {
        udp.OnEvent();
      } else {
        tcp.OnEvent(epoll.fd(), events[i].data.fd);
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
  Serve(options.protocol, server, STDIN_FILENO);
}

}  // namespace load

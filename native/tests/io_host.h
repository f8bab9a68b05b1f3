// A loop, a backend and the JavaScript side of the border, for tests: the same phases as the addon's tick.
#ifndef MILLRACE_TESTS_IO_HOST_H_
#define MILLRACE_TESTS_IO_HOST_H_

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/rings.h"
#include "io/address.h"
#include "io/backend.h"
#include "io/descriptor.h"

namespace millrace {

inline SocketAddress loopback(uint16_t port) {
  SocketAddress address;
  address.bytes = sizeof address.v4;
  address.v4 = {};
  address.v4.sin_family = AF_INET;
  address.v4.sin_port = htons(port);
  address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A path, or an abstract name that begins with NUL.
inline SocketAddress unix_address(const std::string& text) {
  SocketAddress address;
  address.un = {};
  address.un.sun_family = AF_UNIX;
  text.copy(address.un.sun_path, sizeof address.un.sun_path);
  address.bytes = static_cast<uint32_t>(offsetof(sockaddr_un, sun_path) + text.size() + (text[0] == 0 ? 0 : 1));
  return address;
}

// The other end: a plain socket that does not block.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) { fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) | O_NONBLOCK); }
  Peer(Peer&& other) noexcept : received(std::move(other.received)), fd_(std::exchange(other.fd_, -1)) {}
  Peer& operator=(Peer&& other) noexcept {
    std::swap(received, other.received);
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Peer() { close(); }

  static Peer connect_to(uint16_t port, int receive_buffer_bytes = 0) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_buffer_bytes > 0) {
      setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
    }
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0) << strerror(errno);
    return Peer(fd);
  }

  int fd() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void reset() {
    linger option = {1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &option, sizeof option);
    close();
  }
  void send_fin() { shutdown(fd_, SHUT_WR); }
  // All of it, or the test fails: for what fits into the socket's buffers.
  void send(const std::string& text) {
    ASSERT_EQ(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  size_t send_some(const char* bytes, size_t count) {
    ssize_t sent = ::send(fd_, bytes, count, MSG_NOSIGNAL);
    return sent > 0 ? static_cast<size_t>(sent) : 0;
  }
  // What is there now, up to `most` bytes.
  void take(size_t most = SIZE_MAX) {
    char buffer[65536];
    while (!ended && error == 0 && most > 0) {
      ssize_t count = recv(fd_, buffer, std::min(sizeof buffer, most), 0);
      if (count > 0) {
        received.append(buffer, static_cast<size_t>(count));
        most -= static_cast<size_t>(count);
      } else if (count == 0) {
        ended = true;
      } else if (errno == EAGAIN) {
        return;
      } else {
        error = errno;
      }
    }
  }

  std::string received;
  bool ended = false;
  int error = 0;

 private:
  int fd_;
};

struct Event {
  Completion kind;
  uint32_t handle, a, b;
  std::string data;  // of Data
};

class Host {
 public:
  explicit Host(const std::string& backend_name) {
    uv_loop_init(&loop);
    const char* reason = nullptr;
    backend.reset(backend_name == "uring" ? create_uring_backend(&reason) : create_uv_backend());
    if (!backend) {
      missing = reason;
      return;
    }
    completions.attach(control, records);
    receive_arena.resize(size_t{kReceiveBuffers} * kReceiveBufferBytes);
    send_arena.resize(size_t{kSendBlocks} * kSendBlockBytes);
    block_segments.resize(kSendBlocks);
    bytes_sent.resize(kSocketsMax);
    EXPECT_EQ(backend->start(&loop, &completions), 0);
    backend->provide({receive_arena.data(), send_arena.data(), block_segments.data(), bytes_sent.data()});
    uv_check_init(&loop, &check_);
    uv_prepare_init(&loop, &prepare_);
    uv_idle_init(&loop, &idle_);
    uv_timer_init(&loop, &guard_);
    check_.data = prepare_.data = idle_.data = guard_.data = this;
    uv_check_start(&check_, [](uv_check_t* handle) { static_cast<Host*>(handle->data)->on_check(); });
    uv_prepare_start(&prepare_, [](uv_prepare_t* handle) { static_cast<Host*>(handle->data)->on_prepare(); });
  }

  ~Host() {
    if (!missing) stop();
    EXPECT_EQ(uv_loop_close(&loop), 0);
  }

  void stop() {
    if (stopped_) return;
    stopped_ = true;
    bool ended = false;
    backend->stop([](void* data) { *static_cast<bool*>(data) = true; }, &ended);
    for (uv_handle_t* handle : {reinterpret_cast<uv_handle_t*>(&check_), reinterpret_cast<uv_handle_t*>(&prepare_),
                                reinterpret_cast<uv_handle_t*>(&idle_), reinterpret_cast<uv_handle_t*>(&guard_)}) {
      uv_close(handle, nullptr);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT_TRUE(ended);
    backend.reset();
  }

  // Only the backend's own events wake the loop: a lost wake-up makes the test fail.
  bool run_until(const std::function<bool()>& done) { return run(done, 0); }
  // For conditions on a peer, which the loop does not watch.
  bool run_watching(const std::function<bool()>& done) { return run(done, 1); }
  // Turns without anything to wait for, to see that nothing comes.
  void run_idle(int turns) {
    for (int i = 0; i < turns; i++) {
      turn_at_most(2);
    }
  }

  bool submit(Submission kind, uint32_t handle, uint32_t a = 0, uint32_t b = 0, uint32_t flags = 0) {
    Record record = {};
    record.head = static_cast<uint32_t>(kind) | flags;
    record.handle = handle;
    record.a = a;
    record.b = b;
    return backend->submit(record);
  }
  // By way of the send arena: blocks are taken in turn, each is free again when the test says so.
  bool send(uint32_t handle, const std::string& text) {
    uint32_t block = next_block_++ % kSendBlocks;
    EXPECT_EQ(block_segments[block], 0u) << "all blocks are in use";
    EXPECT_LE(text.size(), kSendBlockBytes);
    memcpy(&send_arena[size_t{block} * kSendBlockBytes], text.data(), text.size());
    return submit(Submission::Send, handle, block * kSendBlockBytes, static_cast<uint32_t>(text.size()));
  }
  bool close(uint32_t handle, uint32_t flags = 0) { return submit(Submission::Close, handle, 0, 0, flags); }

  uint32_t listen(uint32_t flags = 0, uint16_t port = 0) {
    uint32_t handle = 0;
    EXPECT_EQ(backend->listen(loopback(port), 1024, flags, 0, &handle), 0);
    return handle;
  }
  uint16_t port_of(uint32_t handle) {
    SocketAddress name;
    EXPECT_EQ(backend->name_of(handle, false, &name), 0);
    return ntohs(name.v4.sin_port);
  }
  int connect(uint16_t port, uint32_t* handle) { return backend->connect(loopback(port), {}, handle); }

  int count(Completion kind, uint32_t handle) const {
    int found = 0;
    for (const Event& event : events) found += event.kind == kind && event.handle == handle;
    return found;
  }
  const Event* find(Completion kind, uint32_t handle) const {
    for (const Event& event : events) {
      if (event.kind == kind && event.handle == handle) return &event;
    }
    return nullptr;
  }
  const Event* find(Completion kind) const {
    for (const Event& event : events) {
      if (event.kind == kind) return &event;
    }
    return nullptr;
  }
  std::string data_of(uint32_t handle) const {
    std::string data;
    for (const Event& event : events) {
      if (event.kind == Completion::Data && event.handle == handle) data += event.data;
    }
    return data;
  }

  uv_loop_t loop;
  std::unique_ptr<Backend> backend;
  const char* missing = nullptr;
  CompletionRing completions;
  uint32_t control[static_cast<size_t>(Control::Words)] = {};
  std::vector<uint8_t> receive_arena, send_arena;
  std::vector<uint32_t> block_segments, bytes_sent;
  std::vector<Event> events;
  // JavaScript: is given each completion, in order, and may submit. Without it they are kept in `events`.
  std::function<void(const Event&)> on_event;
  bool keep_events = true;
  bool javascript_drains = true;
  int ticks = 0;

 private:
  void on_check() {
    harvest_left_ = backend->harvest();
    if (javascript_drains) drain();
    backend->release_delivered();
    backend->flush();
  }

  void on_prepare() {
    bool more = backend->flush() || harvest_left_ || !completions.empty();
    if (more && javascript_drains) {
      uv_idle_start(&idle_, [](uv_idle_t*) {});
    } else {
      uv_idle_stop(&idle_);
    }
  }

  void drain() {
    uint32_t& head = control[static_cast<uint32_t>(Control::CompletionHead)];
    if (head != control[static_cast<uint32_t>(Control::CompletionTail)]) ticks++;
    while (head != control[static_cast<uint32_t>(Control::CompletionTail)]) {
      const Record& record = records[head & (kCompletionCapacity - 1)];
      Event event = {static_cast<Completion>(record.head), record.handle, record.a, record.b, {}};
      if (event.kind == Completion::Data) {
        ASSERT_GT(event.b, 0u);
        ASSERT_LT(event.a, receive_arena.size());
        ASSERT_EQ(event.a / kReceiveBufferBytes, (event.a + event.b - 1) / kReceiveBufferBytes);
        if (keep_events) {
          event.data.assign(reinterpret_cast<char*>(&receive_arena[event.a]), event.b);
        }
      }
      head++;
      if (on_event) on_event(event);
      if (keep_events) events.push_back(std::move(event));
    }
  }

  bool run(const std::function<bool()>& done, uint64_t heartbeat_ms) {
    uint64_t give_up_at = uv_hrtime() + 20'000'000'000;
    uint64_t guard_ms = heartbeat_ms == 0 ? 3000 : heartbeat_ms;
    while (!done()) {
      uint64_t before = uv_hrtime();
      if (before > give_up_at) return false;
      turn_at_most(guard_ms);
      if (heartbeat_ms == 0 && uv_hrtime() - before > 2'900'000'000 && !done()) {
        ADD_FAILURE() << "the loop slept, and nothing woke it";
        return false;
      }
    }
    return true;
  }

  void turn_at_most(uint64_t ms) {
    uv_update_time(&loop);
    // Repeated: it may be due before the loop blocks.
    uv_timer_start(
        &guard_, [](uv_timer_t*) {}, ms, ms);
    uv_run(&loop, UV_RUN_ONCE);
    uv_timer_stop(&guard_);
  }

  Record records[kCompletionCapacity];
  uv_check_t check_;
  uv_prepare_t prepare_;
  uv_idle_t idle_;
  uv_timer_t guard_;
  uint32_t next_block_ = 0;
  bool harvest_left_ = false;
  bool stopped_ = false;
};

// Each test runs over both backends.
class IoTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    host = std::make_unique<Host>(GetParam());
    if (host->missing) GTEST_SKIP() << host->missing;
  }
  // A listener, and one connection through it.
  Peer connect_peer(uint32_t* socket, int receive_buffer_bytes = 0) {
    if (listener == 0) listener = host->listen();
    int before = host->count(Completion::Accept, listener);
    Peer peer = Peer::connect_to(host->port_of(listener), receive_buffer_bytes);
    EXPECT_TRUE(host->run_until([&] { return host->count(Completion::Accept, listener) > before; }));
    for (const Event& event : host->events) {
      if (event.kind == Completion::Accept) *socket = event.a;
    }
    return peer;
  }
  bool closed(uint32_t handle) {
    return host->run_until([&] { return host->count(Completion::Closed, handle) == 1; });
  }

  std::unique_ptr<Host> host;
  uint32_t listener = 0;
};

inline std::string backend_of(const testing::TestParamInfo<const char*>& info) { return info.param; }
inline const auto kBackends = testing::Values("uv", "uring");

}  // namespace millrace

#endif  // MILLRACE_TESTS_IO_HOST_H_

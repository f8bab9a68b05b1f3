// The least that can be called an HTTP server, on io_uring: each empty line is the end of a request, and each request gets
// the same reply. One thread, no library. `uring-peer http`; what it prints: bench/peers/README.md.
#include <errno.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

namespace {

constexpr std::string_view kReply =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!";
constexpr std::string_view kEmptyLine = "\r\n\r\n";
constexpr unsigned kEntries = 4096;
constexpr unsigned kBuffers = 4096;  // a power of two
constexpr unsigned kBufferBytes = 4096;
constexpr unsigned kRepliesAtOnce = 1024;
constexpr unsigned kMaxDescriptors = 1 << 17;
constexpr int kBacklog = 4096;
constexpr uint16_t kGroup = 0;

enum class What : uint32_t { kAccept, kReceive, kSend, kInput };

[[noreturn]] void Fail(const char* what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

uint64_t Tag(What what, int fd) { return static_cast<uint64_t>(what) << 32 | static_cast<uint32_t>(fd); }

// The two rings that the kernel shares. Submissions leave when completions are waited for.
class Ring {
 public:
  Ring() {
    io_uring_params params{};
    params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
    params.cq_entries = kEntries * 4;
    fd_ = static_cast<int>(syscall(__NR_io_uring_setup, kEntries, &params));
    if (fd_ < 0) Fail("io_uring_setup");
    const size_t cq_bytes = params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe);
    const size_t sq_bytes = params.sq_off.array + params.sq_entries * sizeof(uint32_t);
    uint8_t* rings = Map(std::max(cq_bytes, sq_bytes), IORING_OFF_SQ_RING);
    uint8_t* entries = Map(params.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES);
    sq_head_ = At(rings, params.sq_off.head);
    sq_tail_ = At(rings, params.sq_off.tail);
    cq_head_ = At(rings, params.cq_off.head);
    cq_tail_ = At(rings, params.cq_off.tail);
    sq_mask_ = *At(rings, params.sq_off.ring_mask);
    cq_mask_ = *At(rings, params.cq_off.ring_mask);
    uint32_t* order = At(rings, params.sq_off.array);
    for (uint32_t i = 0; i < params.sq_entries; i++) order[i] = i;
    sqes_ = reinterpret_cast<io_uring_sqe*>(entries);
    cqes_ = reinterpret_cast<io_uring_cqe*>(rings + params.cq_off.cqes);
  }

  io_uring_sqe* Next(What what, uint8_t opcode, int fd) {
    if (tail_ - __atomic_load_n(sq_head_, __ATOMIC_ACQUIRE) > sq_mask_) Enter(0);
    io_uring_sqe* sqe = &sqes_[tail_++ & sq_mask_];
    memset(sqe, 0, sizeof *sqe);
    sqe->opcode = opcode;
    sqe->fd = fd;
    sqe->user_data = Tag(what, fd);
    return sqe;
  }

  // Submits, waits for at least one completion, and hands all that are there to `take`.
  template <class Take>
  void Turn(Take take) {
    Enter(1);
    uint32_t head = *cq_head_;
    const uint32_t tail = __atomic_load_n(cq_tail_, __ATOMIC_ACQUIRE);
    for (; head != tail; head++) take(cqes_[head & cq_mask_]);
    __atomic_store_n(cq_head_, head, __ATOMIC_RELEASE);
  }

  int fd() const { return fd_; }

 private:
  static uint32_t* At(uint8_t* ring, uint32_t offset) { return reinterpret_cast<uint32_t*>(ring + offset); }

  uint8_t* Map(size_t bytes, off_t offset) const {
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd_, offset);
    if (memory == MAP_FAILED) Fail("mmap");
    return static_cast<uint8_t*>(memory);
  }

  void Enter(unsigned wanted) {
    const uint32_t count = tail_ - submitted_;
    __atomic_store_n(sq_tail_, tail_, __ATOMIC_RELEASE);
    const unsigned flags = wanted > 0 ? IORING_ENTER_GETEVENTS : 0;
    const long done = syscall(__NR_io_uring_enter, fd_, count, wanted, flags, nullptr, 0);
    if (done < 0 && errno != EINTR && errno != EAGAIN && errno != EBUSY) Fail("io_uring_enter");
    if (done > 0) submitted_ += static_cast<uint32_t>(done);
  }

  int fd_ = -1;
  uint32_t* sq_head_ = nullptr;
  uint32_t* sq_tail_ = nullptr;
  uint32_t* cq_head_ = nullptr;
  uint32_t* cq_tail_ = nullptr;
  uint32_t sq_mask_ = 0;
  uint32_t cq_mask_ = 0;
  io_uring_sqe* sqes_ = nullptr;
  io_uring_cqe* cqes_ = nullptr;
  uint32_t tail_ = 0;
  uint32_t submitted_ = 0;
};

// Buffers that the kernel picks from when something has come.
class Buffers {
 public:
  explicit Buffers(int ring) {
    memory_ = static_cast<char*>(Anonymous(size_t{kBuffers} * kBufferBytes));
    ring_ = static_cast<io_uring_buf*>(Anonymous(kBuffers * sizeof(io_uring_buf)));
    io_uring_buf_reg group{};
    group.ring_addr = reinterpret_cast<uint64_t>(ring_);
    group.ring_entries = kBuffers;
    group.bgid = kGroup;
    if (syscall(__NR_io_uring_register, ring, IORING_REGISTER_PBUF_RING, &group, 1) != 0) Fail("io_uring_register");
    for (uint32_t id = 0; id < kBuffers; id++) GiveBack(static_cast<uint16_t>(id));
  }

  const char* At(uint32_t id) const { return memory_ + size_t{id} * kBufferBytes; }

  void GiveBack(uint16_t id) {
    io_uring_buf& entry = ring_[tail_ & (kBuffers - 1)];
    entry.addr = reinterpret_cast<uint64_t>(At(id));
    entry.len = kBufferBytes;
    entry.bid = id;
    tail_++;
    // The ring's tail lies over the reserved field of its first entry.
    __atomic_store_n(&ring_[0].resv, tail_, __ATOMIC_RELEASE);
  }

 private:
  static void* Anonymous(size_t bytes) {
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) Fail("mmap");
    return memory;
  }

  char* memory_;
  io_uring_buf* ring_;
  uint16_t tail_ = 0;
};

struct Connection {
  uint32_t matched = 0;  // of an empty line, at the end of what has come
  uint32_t owed = 0;     // replies
  uint32_t sending = 0;  // bytes on their way
  bool is_ended = false;
};

class Server {
 public:
  explicit Server(int listener) : listener_(listener), buffers_(ring_.fd()) {
    replies_ = static_cast<char*>(malloc(kRepliesAtOnce * kReply.size()));
    connections_ = static_cast<Connection*>(calloc(kMaxDescriptors, sizeof(Connection)));
    if (replies_ == nullptr || connections_ == nullptr) Fail("malloc");
    for (size_t i = 0; i < kRepliesAtOnce; i++) memcpy(replies_ + i * kReply.size(), kReply.data(), kReply.size());
  }

  void Run() {
    Accept();
    ReadInput();
    while (!is_over_) ring_.Turn([this](const io_uring_cqe& cqe) { Take(cqe); });
  }

 private:
  void Take(const io_uring_cqe& cqe) {
    const int fd = static_cast<int>(static_cast<uint32_t>(cqe.user_data));
    switch (static_cast<What>(cqe.user_data >> 32)) {
      case What::kAccept:
        if (cqe.res >= 0) Begin(cqe.res);
        if ((cqe.flags & IORING_CQE_F_MORE) == 0) Accept();
        return;
      case What::kReceive:
        return Received(fd, cqe);
      case What::kSend:
        return Sent(fd, cqe.res);
      case What::kInput:
        return Input(cqe.res);
    }
  }

  void Begin(int fd) {
    if (static_cast<unsigned>(fd) >= kMaxDescriptors) {
      close(fd);
      return;
    }
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connections_[fd] = {};
    Receive(fd);
  }

  void Received(int fd, const io_uring_cqe& cqe) {
    Connection& connection = connections_[fd];
    if (cqe.res > 0) {
      const uint16_t id = static_cast<uint16_t>(cqe.flags >> IORING_CQE_BUFFER_SHIFT);
      connection.owed += CountRequests(buffers_.At(id), static_cast<size_t>(cqe.res), &connection.matched);
      buffers_.GiveBack(id);
      if (connection.sending == 0 && connection.owed > 0) Send(fd);
    }
    if ((cqe.flags & IORING_CQE_F_MORE) != 0) return;
    if (cqe.res > 0 || cqe.res == -ENOBUFS) return Receive(fd);
    connection.is_ended = true;
    if (connection.sending == 0) close(fd);
  }

  static uint32_t CountRequests(const char* bytes, size_t length, uint32_t* matched) {
    uint32_t count = 0;
    uint32_t at = *matched;
    for (size_t i = 0; i < length; i++) {
      at = bytes[i] == kEmptyLine[at] ? at + 1 : bytes[i] == kEmptyLine[0] ? 1 : 0;
      if (at < kEmptyLine.size()) continue;
      count++;
      at = 0;
    }
    *matched = at;
    return count;
  }

  void Sent(int fd, int result) {
    Connection& connection = connections_[fd];
    connection.sending = 0;
    // With MSG_WAITALL less than all means that the peer has gone.
    if (result < 0) connection.owed = 0;
    if (connection.owed > 0) return Send(fd);
    if (connection.is_ended) close(fd);
  }

  void Send(int fd) {
    Connection& connection = connections_[fd];
    const uint32_t count = connection.owed < kRepliesAtOnce ? connection.owed : kRepliesAtOnce;
    connection.owed -= count;
    connection.sending = count * static_cast<uint32_t>(kReply.size());
    io_uring_sqe* sqe = ring_.Next(What::kSend, IORING_OP_SEND, fd);
    sqe->addr = reinterpret_cast<uint64_t>(replies_);
    sqe->len = connection.sending;
    sqe->msg_flags = MSG_NOSIGNAL | MSG_WAITALL;
  }

  void Accept() {
    io_uring_sqe* sqe = ring_.Next(What::kAccept, IORING_OP_ACCEPT, listener_);
    sqe->ioprio = IORING_ACCEPT_MULTISHOT;
    sqe->accept_flags = SOCK_CLOEXEC;
  }

  void Receive(int fd) {
    io_uring_sqe* sqe = ring_.Next(What::kReceive, IORING_OP_RECV, fd);
    sqe->ioprio = IORING_RECV_MULTISHOT;
    sqe->flags = IOSQE_BUFFER_SELECT;
    sqe->buf_group = kGroup;
  }

  void ReadInput() {
    io_uring_sqe* sqe = ring_.Next(What::kInput, IORING_OP_READ, STDIN_FILENO);
    sqe->addr = reinterpret_cast<uint64_t>(input_);
    sqe->len = sizeof input_;
    sqe->off = static_cast<uint64_t>(-1);
  }

  // The end of standard input ends the server. There is no garbage to collect.
  void Input(int result) {
    is_over_ = result <= 0;
    if (is_over_) return;
    puts("collected");
    fflush(stdout);
    ReadInput();
  }

  const int listener_;
  Ring ring_;
  Buffers buffers_;
  char* replies_;
  Connection* connections_;
  char input_[64];
  bool is_over_ = false;
};

int Listen(uint16_t* port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (listener < 0 || bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener, kBacklog) != 0 || getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    Fail("listen");
  }
  *port = ntohs(address.sin_port);
  return listener;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || (strcmp(argv[1], "http") != 0 && strcmp(argv[1], "http-routes") != 0)) {
    fputs("usage: uring-peer http|http-routes\n", stderr);
    return 2;
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  uint16_t port = 0;
  const int listener = Listen(&port);
  Server* server = new Server(listener);
  printf("%u\n", port);
  fflush(stdout);
  server->Run();
  return 0;
}

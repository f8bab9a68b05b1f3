// A closed-loop load generator for TCP echo servers (Linux, one thread, epoll).
//
//   echo-load --port P [--host 127.0.0.1] [--connections 64] [--bytes 64] [--in-flight 1]
//             [--seconds 2] [--warmup 0.5] [--server-pid PID]
//
// Every connection keeps a fixed number of messages in flight: a message that has come back whole is at once followed
// by the next. What is sent is one endless pattern whose period (251) divides no message size in use, so that a byte
// lost, doubled, reordered or changed is seen by comparing what comes back with the pattern at its place.
//
// Prints one JSON object. With --server-pid it reads that process's CPU clock (all its threads) at the two edges of the
// measured window, so that messages per CPU-second of the server are exact. Exit code: 0 measured, 1 the server failed
// or echoed wrongly, 2 usage.

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <bit>
#include <memory>
#include <vector>

namespace {

constexpr size_t kPatternPeriod = 251;
constexpr size_t kBufferBytes = 1u << 18;  // one read or write at most

[[noreturn]] void Fail(int code, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(code);
}

// ---- Clocks ----

uint64_t ReadClock(clockid_t clock) {
  timespec time{};
  if (clock_gettime(clock, &time) != 0) return 0;
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(time.tv_nsec);
}

uint64_t NowNs() { return ReadClock(CLOCK_MONOTONIC); }

// ---- Latency histogram ----

// Log-linear: 32 steps for each power of two, so a percentile is at most 3 % off, with no allocation while measuring.
class Histogram {
 public:
  void Add(uint64_t value_ns, uint64_t count) {
    counts_[Bucket(value_ns)] += count;
    total_ += count;
    if (value_ns > max_ns_) max_ns_ = value_ns;
  }

  double PercentileUs(double percent) const {
    const double wanted = static_cast<double>(total_) * percent / 100.0;
    uint64_t seen = 0;
    for (size_t bucket = 0; bucket < kBuckets; bucket++) {
      seen += counts_[bucket];
      if (seen > 0 && static_cast<double>(seen) >= wanted) return static_cast<double>(Middle(bucket)) / 1000.0;
    }
    return 0;
  }

  double MaxUs() const { return static_cast<double>(max_ns_) / 1000.0; }

 private:
  static constexpr int kStepBits = 5;
  static constexpr size_t kSteps = 1u << kStepBits;
  static constexpr size_t kBuckets = (64 - kStepBits + 1) * kSteps;

  static size_t Bucket(uint64_t value) {
    if (value < kSteps) return value;
    const int shift = 63 - std::countl_zero(value) - kStepBits;
    return static_cast<size_t>(shift + 1) * kSteps + ((value >> shift) & (kSteps - 1));
  }

  static uint64_t Middle(size_t bucket) {
    if (bucket < kSteps) return bucket;
    const int shift = static_cast<int>(bucket / kSteps) - 1;
    const uint64_t low = (kSteps + (bucket & (kSteps - 1))) << shift;
    return low + ((uint64_t{1} << shift) >> 1);
  }

  uint64_t counts_[kBuckets] = {};
  uint64_t total_ = 0;
  uint64_t max_ns_ = 0;
};

// ---- Options ----

struct Options {
  const char* host = "127.0.0.1";
  uint16_t port = 0;
  uint32_t connections = 64;
  uint32_t message_bytes = 64;
  uint32_t in_flight = 1;
  double seconds = 2;
  double warmup_seconds = 0.5;
  pid_t server_pid = 0;
};

double Number(const char* name, const char* text, double low, double high) {
  char* end = nullptr;
  const double value = strtod(text, &end);
  if (end == text || *end != '\0' || !(value >= low) || !(value <= high)) {
    Fail(2, "%s must be a number from %g to %g, got %s", name, low, high, text);
  }
  return value;
}

Options ParseOptions(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    const char* name = argv[i];
    if (i + 1 == argc) Fail(2, "%s needs a value", name);
    const char* text = argv[i + 1];
    if (strcmp(name, "--host") == 0) {
      options.host = text;
    } else if (strcmp(name, "--port") == 0) {
      options.port = static_cast<uint16_t>(Number(name, text, 1, 65535));
    } else if (strcmp(name, "--connections") == 0) {
      options.connections = static_cast<uint32_t>(Number(name, text, 1, 60000));
    } else if (strcmp(name, "--bytes") == 0) {
      options.message_bytes = static_cast<uint32_t>(Number(name, text, 1, 1 << 24));
    } else if (strcmp(name, "--in-flight") == 0) {
      options.in_flight = static_cast<uint32_t>(Number(name, text, 1, 4096));
    } else if (strcmp(name, "--seconds") == 0) {
      options.seconds = Number(name, text, 0.01, 3600);
    } else if (strcmp(name, "--warmup") == 0) {
      options.warmup_seconds = Number(name, text, 0, 3600);
    } else if (strcmp(name, "--server-pid") == 0) {
      options.server_pid = static_cast<pid_t>(Number(name, text, 1, 1 << 22));
    } else {
      Fail(2, "unknown option: %s", name);
    }
  }
  if (options.port == 0) Fail(2, "--port is required");
  return options;
}

// ---- One connection ----

class Pattern {
 public:
  Pattern() : bytes_(kBufferBytes + kPatternPeriod) {
    for (size_t i = 0; i < bytes_.size(); i++) bytes_[i] = static_cast<uint8_t>(i % kPatternPeriod);
  }
  const uint8_t* At(uint64_t position) const { return bytes_.data() + position % kPatternPeriod; }

 private:
  std::vector<uint8_t> bytes_;
};

// Positions are counted in bytes from the connection's start. Invariant: received <= sent <= allowed, and
// allowed = (messages that came back + in_flight) * message_bytes.
class Connection {
 public:
  Connection(const Options& options, const Pattern& pattern)
      : pattern_(pattern), message_bytes_(options.message_bytes), started_ns_(options.in_flight) {}

  void Open(const Options& options) {
    fd_ = socket(AF_INET, SOCK_STREAM, 0);
    if (fd_ < 0) Fail(1, "socket: %s", strerror(errno));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options.port);
    if (inet_pton(AF_INET, options.host, &address.sin_addr) != 1) Fail(2, "not an IPv4 address: %s", options.host);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      Fail(1, "connect to %s:%u: %s", options.host, options.port, strerror(errno));
    }
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (fcntl(fd_, F_SETFL, O_NONBLOCK) != 0) Fail(1, "fcntl: %s", strerror(errno));
  }

  int fd() const { return fd_; }
  bool blocked() const { return sent_ < allowed_; }

  void Start(uint64_t now_ns) {
    for (uint64_t& started : started_ns_) started = now_ns;
    allowed_ = static_cast<uint64_t>(started_ns_.size()) * message_bytes_;
    Send();
  }

  // Sends what the loop allows. Leaves blocked() true when the socket takes no more.
  void Send() {
    while (sent_ < allowed_) {
      const uint64_t left = allowed_ - sent_;
      const size_t length = left < kBufferBytes ? static_cast<size_t>(left) : kBufferBytes;
      const ssize_t written = send(fd_, pattern_.At(sent_), length, MSG_NOSIGNAL);
      if (written < 0) {
        if (errno == EAGAIN) return;
        if (errno == EINTR) continue;
        Fail(1, "send: %s", strerror(errno));
      }
      sent_ += static_cast<uint64_t>(written);
    }
  }

  // Reads once, checks, and gives the number of messages that are now whole; their latencies go into `histogram`.
  uint64_t Receive(uint8_t* buffer, Histogram* histogram) {
    const ssize_t length = recv(fd_, buffer, kBufferBytes, 0);
    if (length < 0) {
      if (errno == EAGAIN || errno == EINTR) return 0;
      Fail(1, "recv: %s", strerror(errno));
    }
    if (length == 0) Fail(1, "the server closed a connection");
    if (received_ + static_cast<uint64_t>(length) > sent_) Fail(1, "the server sent more than it got");
    if (memcmp(buffer, pattern_.At(received_), static_cast<size_t>(length)) != 0) {
      Fail(1, "the server echoed wrong bytes at position %llu", static_cast<unsigned long long>(received_));
    }
    received_ += static_cast<uint64_t>(length);
    const uint64_t whole = received_ / message_bytes_;
    const uint64_t count = whole - completed_;
    if (count == 0) return 0;
    const uint64_t now_ns = NowNs();
    for (; completed_ < whole; completed_++) {
      uint64_t& started = started_ns_[completed_ % started_ns_.size()];
      histogram->Add(now_ns - started, 1);
      started = now_ns;  // the message that takes its place is sent now
    }
    allowed_ += count * message_bytes_;
    return count;
  }

 private:
  const Pattern& pattern_;
  const uint32_t message_bytes_;
  std::vector<uint64_t> started_ns_;  // when each message in flight was handed to the kernel (or had to wait for it)
  int fd_ = -1;
  uint64_t sent_ = 0;
  uint64_t received_ = 0;
  uint64_t completed_ = 0;
  uint64_t allowed_ = 0;
};

// ---- The run ----

struct Edge {
  uint64_t time_ns = 0;
  uint64_t messages = 0;
  uint64_t server_cpu_ns = 0;
  uint64_t own_cpu_ns = 0;
};

class Run {
 public:
  explicit Run(const Options& options) : options_(options), buffer_(kBufferBytes) {
    if (options.server_pid != 0 && clock_getcpuclockid(options.server_pid, &server_clock_) != 0) {
      Fail(1, "no process %d", options.server_pid);
    }
    epoll_ = epoll_create1(0);
    if (epoll_ < 0) Fail(1, "epoll_create1: %s", strerror(errno));
    for (uint32_t i = 0; i < options.connections; i++) {
      connections_.push_back(std::make_unique<Connection>(options, pattern_));
      connections_.back()->Open(options);
      Watch(connections_.back().get(), EPOLL_CTL_ADD, EPOLLIN);
    }
  }

  void Go() {
    const uint64_t begin_ns = NowNs();
    for (auto& connection : connections_) {
      connection->Start(begin_ns);
      if (connection->blocked()) Watch(connection.get(), EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    }
    const uint64_t warm_ns = begin_ns + static_cast<uint64_t>(options_.warmup_seconds * 1e9);
    Serve(warm_ns, &warmup_latency_);
    from_ = MakeEdge();
    Serve(from_.time_ns + static_cast<uint64_t>(options_.seconds * 1e9), &latency_);
    to_ = MakeEdge();
  }

  void Print() const {
    const double seconds = static_cast<double>(to_.time_ns - from_.time_ns) / 1e9;
    const uint64_t messages = to_.messages - from_.messages;
    if (messages == 0) Fail(1, "no message came back within %g seconds", options_.seconds);
    printf("{\"connections\":%u,\"messageBytes\":%u,\"inFlight\":%u,\"seconds\":%.6f,\"messages\":%llu,"
           "\"messagesPerSecond\":%.1f,\"loadCpuSeconds\":%.6f,",
           options_.connections, options_.message_bytes, options_.in_flight, seconds,
           static_cast<unsigned long long>(messages), static_cast<double>(messages) / seconds,
           static_cast<double>(to_.own_cpu_ns - from_.own_cpu_ns) / 1e9);
    if (options_.server_pid != 0) {
      printf("\"serverCpuSeconds\":%.6f,", static_cast<double>(to_.server_cpu_ns - from_.server_cpu_ns) / 1e9);
    }
    printf("\"latencyMicroseconds\":{\"p50\":%.2f,\"p90\":%.2f,\"p99\":%.2f,\"p999\":%.2f,\"max\":%.2f}}\n",
           latency_.PercentileUs(50), latency_.PercentileUs(90), latency_.PercentileUs(99), latency_.PercentileUs(99.9),
           latency_.MaxUs());
  }

 private:
  void Watch(Connection* connection, int operation, uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = connection;
    if (epoll_ctl(epoll_, operation, connection->fd(), &event) != 0) Fail(1, "epoll_ctl: %s", strerror(errno));
  }

  void Serve(uint64_t until_ns, Histogram* histogram) {
    epoll_event events[256];
    const uint64_t silence_limit_ns = 5'000'000'000u;
    uint64_t last_ns = NowNs();
    for (;;) {
      const int count = epoll_wait(epoll_, events, 256, 100);
      if (count < 0 && errno != EINTR) Fail(1, "epoll_wait: %s", strerror(errno));
      const uint64_t now_ns = NowNs();
      for (int i = 0; i < count; i++) {
        auto* connection = static_cast<Connection*>(events[i].data.ptr);
        const bool was_blocked = (events[i].events & EPOLLOUT) != 0 || connection->blocked();
        if ((events[i].events & ~static_cast<uint32_t>(EPOLLOUT)) != 0) {
          messages_ += connection->Receive(buffer_.data(), histogram);
        }
        connection->Send();
        if (connection->blocked() != was_blocked) {
          Watch(connection, EPOLL_CTL_MOD, connection->blocked() ? EPOLLIN | EPOLLOUT : EPOLLIN);
        }
      }
      if (count > 0) last_ns = now_ns;
      if (now_ns >= until_ns) return;
      if (now_ns - last_ns > silence_limit_ns) Fail(1, "the server has been silent for 5 seconds");
    }
  }

  Edge MakeEdge() const {
    return {NowNs(), messages_, options_.server_pid == 0 ? 0 : ReadClock(server_clock_),
            ReadClock(CLOCK_PROCESS_CPUTIME_ID)};
  }

  const Options options_;
  const Pattern pattern_;
  std::vector<uint8_t> buffer_;
  std::vector<std::unique_ptr<Connection>> connections_;
  int epoll_ = -1;
  clockid_t server_clock_{};
  uint64_t messages_ = 0;
  Histogram warmup_latency_;
  Histogram latency_;
  Edge from_;
  Edge to_;
};

}  // namespace

int main(int argc, char** argv) {
  auto run = std::make_unique<Run>(ParseOptions(argc, argv));
  run->Go();
  run->Print();
}

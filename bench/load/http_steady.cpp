#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "clock.h"
#include "fail.h"
#include "http_connection.h"
#include "http_loops.h"
#include "pattern.h"

namespace load {
namespace {

constexpr double kMsPerSecond = 1000;

void SleepUntil(uint64_t time_ns) {
  const timespec time{static_cast<time_t>(time_ns / 1'000'000'000u), static_cast<long>(time_ns % 1'000'000'000u)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr) == EINTR) {
  }
}

class Steady {
 public:
  Steady(const Options& options, Target* target)
      : options_(options), target_(target), script_(options.requests, *target), buffer_(kBufferBytes) {}

  // One request at each interval in [begin_ns, until_ns).
  void RunUntil(uint64_t begin_ns, uint64_t until_ns) {
    const double interval_ns = options_.interval_ms / kMsPerSecond * kNsPerSecond;
    for (uint64_t turn = 0;; turn++) {
      const uint64_t due_ns = begin_ns + static_cast<uint64_t>(static_cast<double>(turn) * interval_ns);
      if (due_ns >= until_ns) return;
      SleepUntil(due_ns);
      requests_++;
      std::string fault;
      Ask(&fault);
      if (fault.empty()) {
        latency_.Add(NowNs() - due_ns);
        continue;
      }
      failures_++;
      if (first_failure_.empty()) first_failure_ = fault;
      connection_.reset();
    }
  }

  void Clear() {
    requests_ = failures_ = 0;
    latency_.Clear();
    first_failure_.clear();
  }

  uint64_t requests() const { return requests_; }
  uint64_t failures() const { return failures_; }
  const std::string& first_failure() const { return first_failure_; }
  const Histogram& latency() const { return latency_; }

 private:
  void Ask(std::string* fault) {
    const uint64_t until_ns = NowNs() + SecondsToNs(options_.timeout_seconds);
    if (connection_ == nullptr && !Connect(fault)) return;
    connection_->Want(script_, NowNs());
    for (;;) {
      connection_->TrySend(script_, fault);
      if (!fault->empty() || !Wait(until_ns, fault)) return;
      const uint64_t whole = connection_->TryReceive(&script_, buffer_.data(), fault);
      if (!fault->empty()) return;
      if (whole > 0) return connection_->Forget();
    }
  }

  bool Connect(std::string* fault) {
    Descriptor socket = target_->TryConnect();
    if (!socket.is_open()) {
      *fault = std::string("connect: ") + strerror(errno);
      return false;
    }
    connection_ = std::make_unique<HttpConnection>(std::move(socket), script_, 0);
    return true;
  }

  // Until there is something to read, or room to send what is left.
  bool Wait(uint64_t until_ns, std::string* fault) const {
    const uint64_t now_ns = NowNs();
    const uint64_t left_ns = until_ns - std::min(until_ns, now_ns);
    pollfd waited{connection_->fd(), static_cast<short>(connection_->is_blocked() ? POLLIN | POLLOUT : POLLIN), 0};
    const timespec timeout{static_cast<time_t>(left_ns / 1'000'000'000u), static_cast<long>(left_ns % 1'000'000'000u)};
    if (left_ns > 0 && (ppoll(&waited, 1, &timeout, nullptr) > 0 || errno == EINTR)) return true;
    *fault = "no reply in time";
    return false;
  }

  const Options& options_;
  Target* const target_;
  HttpScript script_;
  std::vector<uint8_t> buffer_;
  std::unique_ptr<HttpConnection> connection_;
  uint64_t requests_ = 0;
  uint64_t failures_ = 0;
  std::string first_failure_;
  Histogram latency_;
};

}  // namespace

void RunSteady(const Options& options, const Meter& meter, Target* target, Json* json) {
  Steady steady(options, target);
  const uint64_t begin_ns = NowNs();
  const uint64_t from_ns = begin_ns + SecondsToNs(options.warmup_seconds);
  steady.RunUntil(begin_ns, from_ns);
  steady.Clear();
  Window window;
  window.from = meter.Read(0);
  steady.RunUntil(from_ns, from_ns + SecondsToNs(options.seconds));
  window.to = meter.Read(steady.requests());
  if (steady.failures() == steady.requests()) {
    Fail(kServerFailed, "each of %llu requests failed, the first: %s",
         static_cast<unsigned long long>(steady.requests()), steady.first_failure().c_str());
  }
  if (steady.failures() > 0) {
    fprintf(stderr, "the first of %llu failures: %s\n", static_cast<unsigned long long>(steady.failures()),
            steady.first_failure().c_str());
  }
  json->Text("loop", "steady").Real("intervalMs", options.interval_ms, 3);
  window.Write(json, meter);
  json->Count("requests", steady.requests())
      .Count("failures", steady.failures())
      .Real("requestsPerSecond", window.per_second(), 1)
      .Times("latencyMicroseconds", steady.latency());
}

}  // namespace load

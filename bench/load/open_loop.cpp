#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include <algorithm>

#include "clock.h"
#include "fail.h"
#include "loops.h"
#include "sockets.h"

namespace load {
namespace {

constexpr uint32_t kSendsAtOnce = 64;                // then answers get their turn
constexpr uint64_t kMaxWaiting = uint64_t{1} << 24;  // memory for what a server that has stopped does not answer
constexpr uint64_t kMaxLatenessNs = 1'000'000;

// Wakes an epoll at a time that is exact to the microsecond, which epoll_wait's own timeout is not.
class Alarm {
 public:
  explicit Alarm(int epoll) : timer_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = Pool::kNotASocket;
    if (!timer_.is_open() || epoll_ctl(epoll, EPOLL_CTL_ADD, timer_.fd(), &event) != 0) {
      Fail(kServerFailed, "timerfd: %s", strerror(errno));
    }
  }

  // Setting it again takes back an alarm that has gone off.
  void Set(uint64_t time_ns) {
    if (time_ns == set_ns_) return;
    set_ns_ = time_ns;
    itimerspec when{};
    when.it_value.tv_sec = static_cast<time_t>(time_ns / 1'000'000'000u);
    when.it_value.tv_nsec = static_cast<long>(time_ns % 1'000'000'000u);
    if (timerfd_settime(timer_.fd(), TFD_TIMER_ABSTIME, &when, nullptr) != 0) {
      Fail(kServerFailed, "timerfd_settime: %s", strerror(errno));
    }
  }

 private:
  Descriptor timer_;
  uint64_t set_ns_ = 0;
};

class OpenLoop {
 public:
  OpenLoop(const Options& options, const Meter& meter, Pool* pool)
      : options_(options),
        meter_(meter),
        pool_(pool),
        alarm_(pool->epoll()),
        begin_ns_(NowNs()),
        from_ns_(begin_ns_ + SecondsToNs(options.warmup_seconds)),
        to_ns_(from_ns_ + SecondsToNs(options.seconds)),
        schedule_(options.arrivals, options.rate, pool->size(), options.seed, begin_ns_) {
    pool->recorder().Open(from_ns_, to_ns_);
  }

  OpenResult Run() {
    SendUntil(from_ns_);
    result_.window.from = meter_.Read(pool_->recorder().answered());
    SendUntil(to_ns_);
    result_.window.to = meter_.Read(pool_->recorder().answered());
    Drain(NowNs() + SecondsToNs(options_.drain_seconds));
    result_.latency = pool_->recorder().latency();
    return result_;
  }

 private:
  // Sends all that is due before `until_ns`, and handles answers until then.
  void SendUntil(uint64_t until_ns) {
    uint64_t now_ns = NowNs();
    for (;;) {
      for (uint32_t i = 0; i < kSendsAtOnce && schedule_.due_ns() < std::min(until_ns, now_ns + 1); i++) {
        SendDue(now_ns);
        now_ns = NowNs();
      }
      const bool is_behind = schedule_.due_ns() < until_ns && schedule_.due_ns() <= now_ns;
      if (!is_behind && now_ns >= until_ns) return;
      if (is_behind || options_.waiting == Waiting::kSpin) {
        pool_->Poll(0);
      } else {
        alarm_.Set(std::min(schedule_.due_ns(), until_ns));
        pool_->Poll(-1);
      }
      now_ns = NowNs();
    }
  }

  void SendDue(uint64_t now_ns) {
    const uint64_t due_ns = schedule_.due_ns();
    if (due_ns >= from_ns_) {
      result_.lateness.Add(now_ns - due_ns);
      result_.scheduled++;
    }
    if (pool_->waiting() == kMaxWaiting) {
      Fail(kServerFailed, "the server is %llu messages behind", static_cast<unsigned long long>(kMaxWaiting));
    }
    pool_->Send(schedule_.connection(), due_ns, 1);
    schedule_.Advance();
  }

  void Drain(uint64_t until_ns) {
    alarm_.Set(until_ns);
    while (pool_->waiting() > 0 && NowNs() < until_ns) pool_->Poll(-1);
    const uint64_t before = pool_->recorder().given_up();
    pool_->GiveUp(NowNs());
    result_.unanswered = pool_->recorder().given_up() - before;
  }

  const Options& options_;
  const Meter& meter_;
  Pool* const pool_;
  Alarm alarm_;
  const uint64_t begin_ns_;
  const uint64_t from_ns_;
  const uint64_t to_ns_;
  Schedule schedule_;
  OpenResult result_;
};

}  // namespace

bool OpenResult::generator_limited() const {
  const uint64_t late_ns = lateness.PercentileNs(99);
  return late_ns > kMaxLatenessNs || late_ns > latency.PercentileNs(99) / 2;
}

OpenResult RunOpenLoop(const Options& options, const Meter& meter, Pool* pool) {
  OpenResult result = OpenLoop(options, meter, pool).Run();
  if (result.scheduled == 0)
    Fail(kUsage, "no message was due within %g seconds: a longer --seconds, or a higher --rate", options.seconds);
  if (pool->recorder().answered() == 0)
    Fail(kServerFailed, "no message came back within %g seconds",
         options.warmup_seconds + options.seconds + options.drain_seconds);
  return result;
}

void WriteOpen(const Options& options, uint32_t connections, const Meter& meter, const OpenResult& result, Json* json) {
  json->Text("loop", "open").Count("connections", connections);
  if (!options.is_http()) json->Count("messageBytes", options.message_bytes);
  json->Real("rate", options.rate, 3)
      .Text("schedule", NameOf(options.arrivals))
      .Count("seed", options.seed)
      .Text("wait", NameOf(options.waiting));
  result.window.Write(json, meter);
  json->Count("scheduled", result.scheduled);
  WriteDone(options, result.window, json);
  json->Count("unanswered", result.unanswered)
      .Flag("generatorLimited", result.generator_limited())
      .Times("latencyMicroseconds", result.latency)
      .Times("latenessMicroseconds", result.lateness);
}

}  // namespace load

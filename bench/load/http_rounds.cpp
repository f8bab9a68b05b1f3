#include "clock.h"
#include "http_loops.h"
#include "silence.h"
#include "stream_pool.h"

namespace load {
namespace {

class Rounds {
 public:
  Rounds(const Options& options, Target* target)
      : options_(options), target_(target), script_(options.requests, *target), pool_(&script_) {
    pool_.LimitTo(options.requests_each);
    pool_.set_replaces(true);
  }

  // How long it took, without closing the connections.
  uint64_t One() {
    Silence silence;
    const uint64_t begin_ns = NowNs();
    pool_.Open(target_, options_.connections);
    for (uint32_t index = 0; index < pool_.size(); index++) pool_.Send(index, NowNs(), 1);
    while (pool_.waiting() > 0) silence.After(pool_.Poll(kPollMs));
    const uint64_t end_ns = NowNs();
    pool_.Close();
    count_++;
    return end_ns - begin_ns;
  }

  uint64_t count() const { return count_; }
  Recorder& recorder() { return pool_.recorder(); }

 private:
  const Options& options_;
  Target* const target_;
  HttpScript script_;
  HttpPool pool_;
  uint64_t count_ = 0;
};

}  // namespace

void RunRounds(const Options& options, const Meter& meter, Target* target, Json* json) {
  Rounds rounds(options, target);
  const uint64_t warm_ns = NowNs() + SecondsToNs(options.warmup_seconds);
  const uint64_t first_ns = rounds.One();
  const double requests_each_round = static_cast<double>(rounds.recorder().answered());
  while (NowNs() < warm_ns) rounds.One();

  const uint64_t count_before = rounds.count();
  rounds.recorder().Open(0, UINT64_MAX);
  Window window;
  window.from = meter.Read(rounds.recorder().answered());
  uint64_t taken_ns = 0;
  do {
    taken_ns += rounds.One();
  } while (NowNs() < window.from.time_ns + SecondsToNs(options.seconds));
  window.to = meter.Read(rounds.recorder().answered());

  json->Text("loop", "rounds").Count("connections", options.connections).Count("requestsEach", options.requests_each);
  window.Write(json, meter);
  json->Count("rounds", rounds.count() - count_before)
      .Count("requests", window.done())
      .Real("requestsPerSecond", static_cast<double>(window.done()) / NsToSeconds(taken_ns), 1)
      .Real("firstRoundPerSecond", requests_each_round / NsToSeconds(first_ns), 1)
      .Times("latencyMicroseconds", rounds.recorder().latency());
}

}  // namespace load

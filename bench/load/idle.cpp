// Many connections that only stay open, after an echo or an HTTP request each: what they cost the server in memory, and what they cost those that work.
#include <time.h>

#include <algorithm>
#include <memory>

#include "clock.h"
#include "fail.h"
#include "loops.h"
#include "modes.h"
#include "server_state.h"
#include "silence.h"
#include "stream_pool.h"

namespace load {
namespace {

constexpr uint32_t kOpenAtOnce = 128;  // less than any server's backlog

void Sleep(double seconds) {
  const uint64_t ns = SecondsToNs(seconds);
  const timespec time{static_cast<time_t>(ns / 1'000'000'000u), static_cast<long>(ns % 1'000'000'000u)};
  nanosleep(&time, nullptr);
}

class Idle {
 public:
  Idle(const Options& options, const Meter& meter)
      : options_(options),
        meter_(meter),
        target_(options, options.sources),
        echo_(options.message_bytes),
        http_(options.requests, target_) {}

  Json Run() {
    const std::unique_ptr<Pool> busy = NewPool();
    busy->Open(&target_, options_.busy);
    ClosedResult alone;
    if (options_.busy > 0) alone = RunClosedLoop(options_, meter_, busy.get());
    OpenAll(NewPool().get(), options_.prime);

    Json json;
    const Memory before = Settle();
    std::unique_ptr<Pool> idle = NewPool();
    const uint64_t begin_ns = NowNs();
    OpenAll(idle.get(), options_.connections);
    const double open_seconds = NsToSeconds(NowNs() - begin_ns);
    const Memory open = Settle();
    ClosedResult beside;
    if (options_.busy > 0) beside = RunClosedLoop(options_, meter_, busy.get());
    idle->Poll(0);  // nothing may have happened on any of them: what did ends the program here
    idle.reset();
    const Memory closed = Settle();

    json.Text("mode", "idle").Count("connections", options_.connections);
    if (options_.requests.empty()) json.Count("messageBytes", options_.message_bytes);
    json.Count("sources", target_.sources()).Real("openSeconds", open_seconds, 6);
    if (meter_.has_server()) WriteMemory(before, open, closed, &json);
    if (options_.busy > 0) WriteBusy(alone, beside, &json);
    return json;
  }

 private:
  std::unique_ptr<Pool> NewPool() {
    if (options_.requests.empty()) return std::make_unique<EchoPool>(&echo_);
    return std::make_unique<HttpPool>(&http_);
  }

  // Opens and greets a few at a time.
  void OpenAll(Pool* pool, uint32_t count) {
    const uint64_t descriptors = options_.greet == 0 ? CountDescriptors(options_.server_pid) : 0;
    while (pool->size() < count) {
      const uint32_t first = pool->size();
      pool->Open(&target_, std::min(kOpenAtOnce, count - first));
      pool->Exchange(first, options_.greet);
      if (options_.greet == 0) AwaitDescriptors(descriptors + pool->size());
    }
  }

  void AwaitDescriptors(uint64_t wanted) {
    Silence silence;
    while (CountDescriptors(options_.server_pid) < wanted) {
      Sleep(0.001);
      silence.After(0);
    }
  }

  Memory Settle() {
    if (!meter_.has_server()) return {};
    Sleep(options_.settle_seconds);
    return ReadMemory(options_.server_pid);
  }

  void WriteMemory(const Memory& before, const Memory& open, const Memory& closed, Json* json) {
    const double grown = static_cast<double>(open.private_bytes) - static_cast<double>(before.private_bytes);
    Json memory;
    memory.Object("before", before.Written())
        .Object("open", open.Written())
        .Object("closed", closed.Written())
        .Real("perConnectionBytes", grown / options_.connections, 1);
    json->Object("memory", memory);
  }

  void WriteBusy(const ClosedResult& alone, const ClosedResult& beside, Json* json) {
    Json of_alone;
    Json of_beside;
    WriteClosed(options_, options_.busy, meter_, alone, &of_alone);
    WriteClosed(options_, options_.busy, meter_, beside, &of_beside);
    Json busy;
    busy.Count("connections", options_.busy).Object("alone", of_alone).Object("beside", of_beside);
    if (meter_.has_server()) {
      const auto per_cpu = [](const Window& window) {
        return static_cast<double>(window.done()) / window.server_cpu_seconds();
      };
      busy.Real("ratioPerServerCpuSecond", per_cpu(beside.window) / per_cpu(alone.window), 4);
    }
    busy.Real("ratioPerSecond", beside.window.per_second() / alone.window.per_second(), 4);
    json->Object("busy", busy);
  }

  const Options& options_;
  const Meter& meter_;
  Target target_;
  EchoScript echo_;
  HttpScript http_;
};

}  // namespace

Json RunIdle(const Options& options) {
  RaiseFileLimit(uint64_t{options.connections} + options.busy + options.prime);
  const Meter meter(options.server_pid);
  return Idle(options, meter).Run();
}

}  // namespace load

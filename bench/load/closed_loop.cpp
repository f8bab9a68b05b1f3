#include "clock.h"
#include "fail.h"
#include "loops.h"
#include "silence.h"

namespace load {

ClosedResult RunClosedLoop(const Options& options, const Meter& meter, Pool* pool) {
  ClosedResult result;
  Silence silence;
  const auto serve_until = [&](uint64_t until_ns) {
    do {
      silence.After(pool->Poll(kPollMs));
    } while (NowNs() < until_ns);
  };

  const uint64_t begin_ns = NowNs();
  pool->set_replaces(true);
  for (uint32_t index = 0; index < pool->size(); index++) pool->Send(index, NowNs(), options.in_flight);
  serve_until(begin_ns + SecondsToNs(options.warmup_seconds));

  result.window.from = meter.Read(pool->recorder().answered());
  pool->recorder().Open(0, UINT64_MAX);
  serve_until(result.window.from.time_ns + SecondsToNs(options.seconds));
  pool->recorder().Close();
  result.window.to = meter.Read(pool->recorder().answered());
  result.latency = pool->recorder().latency();
  if (result.window.done() == 0) Fail(kServerFailed, "no message came back within %g seconds", options.seconds);

  pool->set_replaces(false);
  while (pool->waiting() > 0) silence.After(pool->Poll(kPollMs));
  return result;
}

void WriteClosed(const Options& options, uint32_t connections, const Meter& meter, const ClosedResult& result,
                 Json* json) {
  json->Text("loop", "closed").Count("connections", connections);
  if (!options.is_http()) json->Count("messageBytes", options.message_bytes);
  json->Count("inFlight", options.in_flight);
  result.window.Write(json, meter);
  WriteDone(options, result.window, json);
  json->Times("latencyMicroseconds", result.latency);
}

void WriteDone(const Options& options, const Window& window, Json* json) {
  if (options.is_http()) {
    json->Count("requests", window.done()).Real("requestsPerSecond", window.per_second(), 1);
    return;
  }
  json->Count("messages", window.done())
      .Real("messagesPerSecond", window.per_second(), 1)
      .Real("bytesPerSecond", window.per_second() * options.message_bytes, 1);
}

}  // namespace load

// Exports that tell: how this instance was set up, and what it has done.
#include <uv.h>

#include "addon/addon.h"
#include "addon/arguments.h"

namespace millrace {

Napi::Value Addon::info(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (!require_open(env)) return Napi::Value();
  Napi::Object result = Napi::Object::New(env);
  auto number = [&](Napi::Object object, const char* name, double value) { object.Set(name, value); };

  result.Set("backend", tick_.backend()->name());
  result.Set("fallbackReason",
             fallback_reason_.empty() ? env.Undefined() : Napi::String::New(env, fallback_reason_).As<Napi::Value>());
  uv_utsname_t system;
  if (uv_os_uname(&system) == 0) {
    result.Set("kernel", std::string(system.sysname) + " " + system.release);
    result.Set("machine", static_cast<const char*>(system.machine));
  }
  result.Set("libuv", uv_version_string());

  Napi::Object features = Napi::Object::New(env);
  features.Set("ioUring", Napi::Boolean::New(env, std::string(tick_.backend()->name()) == "uring"));
  features.Set("timerfd", Napi::Boolean::New(env, tick_.timer_source().is_timerfd()));
  result.Set("features", features);

  // A deadline is rounded up to a tick of the wheel; uv_timer_t rounds the wake-up to milliseconds on top of it.
  constexpr double kTickUs = (1u << Wheel::kTickBits) / 1e3;
  number(result, "timerResolutionUs", tick_.timer_source().is_timerfd() ? kTickUs : 1000);
  number(result, "timersMax", Wheel::kSlotsMax);
  number(result, "socketsMax", kSocketsMax);
  number(result, "submissionCapacity", kSubmissionCapacity);
  number(result, "completionCapacity", kCompletionCapacity);
  number(result, "receiveBuffers", kReceiveBuffers);
  number(result, "receiveBufferBytes", kReceiveBufferBytes);
  number(result, "sendBlocks", kSendBlocks);
  number(result, "sendBlockBytes", kSendBlockBytes);
  return result;
}

Napi::Value Addon::counters(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (!require_open(env)) return Napi::Value();
  Napi::Object result = Napi::Object::New(env);
  auto number = [&](const char* name, uint64_t value) { result.Set(name, static_cast<double>(value)); };

  number("loopTurns", tick_.counters().turns);
  number("calls", tick_.drain_callback().calls());
  number("callFailures", tick_.drain_callback().failures());
  number("completions", tick_.completions().pushed());
  number("submissions", tick_.submissions().drained());
  number("faults", tick_.counters().faults);
  number("timersArmed", tick_.wheel().armed());
  number("timersReferenced", tick_.wheel().referenced());
  number("timersFired", tick_.counters().timers_fired);
  number("timerBytes", tick_.wheel().memory_bytes());
  number("timerWakeups", tick_.timer_source().wakeups());

  BackendCounters io = tick_.backend()->counters();
  number("accepts", io.accepts);
  number("connects", io.connects);
  number("receives", io.receives);
  number("sends", io.sends);
  number("sendBytes", io.send_bytes);
  number("receiveBytes", io.receive_bytes);
  number("kernelEntries", io.kernel_entries);
  number("outOfBuffers", io.out_of_buffers);
  number("socketsOpen", io.sockets_open);
  number("receiveBuffersInUse", io.receive_buffers_in_use);
  number("operationsInFlight", io.operations_in_flight);

  const Datagrams* udp = tick_.open_datagrams();
  DatagramCounters datagrams = udp == nullptr ? DatagramCounters{} : udp->counters();
  number("datagramsReceived", datagrams.received);
  number("datagramsSent", datagrams.sent);
  number("datagramReceiveBytes", datagrams.received_bytes);
  number("datagramSendBytes", datagrams.sent_bytes);
  number("datagramKernelEntries", datagrams.kernel_entries);
  number("datagramErrors", datagrams.errors);
  number("datagramSocketsOpen", datagrams.sockets_open);
  return result;
}

}  // namespace millrace

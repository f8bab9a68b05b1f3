#include "meter.h"

#include "clock.h"
#include "fail.h"

namespace load {

Meter::Meter(uint32_t server_pid) : server_pid_(server_pid) {
  if (server_pid_ != 0 && clock_getcpuclockid(static_cast<pid_t>(server_pid_), &server_clock_) != 0) {
    Fail(kServerFailed, "no process %u", server_pid_);
  }
}

Edge Meter::Read(uint64_t done) const {
  Edge edge;
  edge.done = done;
  edge.time_ns = NowNs();
  edge.own_cpu_ns = ReadClock(CLOCK_PROCESS_CPUTIME_ID);
  if (server_pid_ != 0) {
    edge.server_cpu_ns = ReadClock(server_clock_);
    if (edge.server_cpu_ns == 0) Fail(kServerFailed, "process %u has ended", server_pid_);
  }
  return edge;
}

double Window::seconds() const { return NsToSeconds(to.time_ns - from.time_ns); }
double Window::per_second() const { return static_cast<double>(done()) / seconds(); }
double Window::own_cpu_seconds() const { return NsToSeconds(to.own_cpu_ns - from.own_cpu_ns); }
double Window::server_cpu_seconds() const { return NsToSeconds(to.server_cpu_ns - from.server_cpu_ns); }

void Window::Write(Json* json, const Meter& meter) const {
  json->Real("seconds", seconds(), 6).Real("loadCpuSeconds", own_cpu_seconds(), 6);
  if (meter.has_server()) json->Real("serverCpuSeconds", server_cpu_seconds(), 6);
}

}  // namespace load

// The generator's own limits on this machine: each kind of load against the smallest server there is, in a process
// beside it. What one CPU-second of the generator is worth is its limit, whichever of the two was the slower one here.
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "churn.h"
#include "fail.h"
#include "loops.h"
#include "modes.h"
#include "serve.h"
#include "stream_pool.h"
#include "udp_pool.h"

namespace load {
namespace {

constexpr double kProbeSeconds = 0.3;
constexpr double kProbeWarmupSeconds = 0.1;
constexpr double kProbeDrainSeconds = 1;
constexpr double kLowestRate = 1000;
constexpr double kHighestRate = 4e6;
constexpr int kRefinements = 4;

// Gives the server the CPUs that the generator is not pinned to, if there are any.
void ChooseServerCpu(int wanted) {
  cpu_set_t own;
  cpu_set_t server;
  CPU_ZERO(&own);
  CPU_ZERO(&server);
  if (wanted >= 0) {
    CPU_SET(static_cast<size_t>(wanted), &server);
    if (sched_setaffinity(0, sizeof server, &server) != 0) Fail(kUsage, "--server-cpu %d: %s", wanted, strerror(errno));
    return;
  }
  if (sched_getaffinity(0, sizeof own, &own) != 0) return;
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  for (long cpu = 0; cpu < online; cpu++) {
    if (!CPU_ISSET(static_cast<size_t>(cpu), &own)) CPU_SET(static_cast<size_t>(cpu), &server);
  }
  if (CPU_COUNT(&server) > 0) sched_setaffinity(0, sizeof server, &server);
}

// A server in a child process, which ends with its owner, and in any case with this program.
class ServerProcess {
 public:
  ServerProcess(Protocol protocol, int cpu) {
    const Descriptor server = OpenServer(protocol, &port_);
    int ends[2];
    if (pipe(ends) != 0) Fail(kServerFailed, "pipe: %s", strerror(errno));
    Descriptor read_end(ends[0]);
    keep_ = Descriptor(ends[1]);
    pid_ = fork();
    if (pid_ < 0) Fail(kServerFailed, "fork: %s", strerror(errno));
    if (pid_ > 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    keep_.Close();
    ChooseServerCpu(cpu);
    Serve(protocol, server, read_end.fd());
    _exit(0);
  }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ~ServerProcess() {
    keep_.Close();
    waitpid(pid_, nullptr, 0);
  }

  uint16_t port() const { return port_; }
  uint32_t pid() const { return static_cast<uint32_t>(pid_); }

 private:
  uint16_t port_ = 0;
  Descriptor keep_;
  pid_t pid_ = -1;
};

Json LimitOf(const char* what, const Window& window) {
  Json limit;
  return limit.Text("what", what)
      .Real("perSecond", window.per_second(), 0)
      .Real("perLoadCpuSecond", static_cast<double>(window.done()) / window.own_cpu_seconds(), 0)
      .Real("perServerCpuSecond", static_cast<double>(window.done()) / window.server_cpu_seconds(), 0)
      .Real("loadCpuShare", window.own_cpu_seconds() / window.seconds(), 3);
}

// The connections that a protocol's loads go over, and what they send.
class Connections {
 public:
  Connections(Protocol protocol, const Options& options)
      : target_(options, 0), echo_(options.message_bytes), http_(options.requests, target_) {
    switch (protocol) {
      case Protocol::kTcp:
        pool_ = std::make_unique<EchoPool>(&echo_);
        break;
      case Protocol::kUdp:
        pool_ = std::make_unique<UdpPool>(echo_.pattern(), options);
        break;
      case Protocol::kHttp:
        pool_ = std::make_unique<HttpPool>(&http_);
    }
    pool_->Open(&target_, options.connections);
  }

  Pool* pool() { return pool_.get(); }

 private:
  Target target_;
  EchoScript echo_;
  HttpScript http_;
  std::unique_ptr<Pool> pool_;
};

// What the built-in server answers.
HttpRequest PlainRequest() {
  HttpRequest request;
  request.path = "/hello/World";
  request.known = HttpRequest::Known::kBytes;
  request.expected_body = "Hello, World!";
  request.expected_length = request.expected_body.size();
  return request;
}

class Calibration {
 public:
  explicit Calibration(const Options& options) : options_(options) {}

  Json Run() {
    Closed("echo 64 B, 1 in flight", Protocol::kTcp, 64, 1);
    Closed("echo 64 B, 16 in flight", Protocol::kTcp, 64, 16);
    Closed("echo 16 KiB", Protocol::kTcp, 16 << 10, 1);
    Closed("echo 256 KiB", Protocol::kTcp, 256 << 10, 1);
    Open("echo 64 B, open loop, sleeping", Protocol::kTcp, Waiting::kSleep);
    Open("echo 64 B, open loop, spinning", Protocol::kTcp, Waiting::kSpin);
    ChurnBy("churn, client closes", Closer::kClient);
    ChurnBy("churn, reset", Closer::kReset);
    Closed("udp 64 B, 1 in flight", Protocol::kUdp, 64, 1);
    Closed("udp 64 B, 16 in flight", Protocol::kUdp, 64, 16);
    Open("udp 64 B, open loop, spinning", Protocol::kUdp, Waiting::kSpin);
    Closed("http, 1 in flight", Protocol::kHttp, 0, 1);
    Closed("http, 16 pipelined", Protocol::kHttp, 0, 16);
    Open("http, open loop, spinning", Protocol::kHttp, Waiting::kSpin);
    Json json;
    return json.Text("mode", "calibrate").List("limits", limits_);
  }

 private:
  Options For(const ServerProcess& server, Protocol protocol, uint32_t bytes) const {
    Options options = options_;
    options.port = server.port();
    options.server_pid = server.pid();
    options.message_bytes = bytes;
    if (protocol == Protocol::kHttp) options.requests.push_back(PlainRequest());
    return options;
  }

  void Closed(const char* what, Protocol protocol, uint32_t bytes, uint32_t in_flight) {
    const ServerProcess server(protocol, options_.server_cpu);
    Options options = For(server, protocol, bytes);
    options.in_flight = in_flight;
    const Meter meter(options.server_pid);
    Connections connections(protocol, options);
    limits_.push_back(LimitOf(what, RunClosedLoop(options, meter, connections.pool()).window));
  }

  void ChurnBy(const char* what, Closer closer) {
    const ServerProcess server(Protocol::kTcp, options_.server_cpu);
    Options options = For(server, Protocol::kTcp, 64);
    options.closer = closer;
    options.sources = 64;
    const Meter meter(options.server_pid);
    limits_.push_back(LimitOf(what, MeasureChurn(options, meter).window));
  }

  // Doubles the rate until the generator does not keep it, then looks for the limit in between.
  void Open(const char* what, Protocol protocol, Waiting waiting) {
    const ServerProcess server(protocol, options_.server_cpu);
    Options options = For(server, protocol, 64);
    options.waiting = waiting;
    options.seconds = std::min(options.seconds / 3, kProbeSeconds);
    options.warmup_seconds = std::min(options.warmup_seconds, kProbeWarmupSeconds);
    options.drain_seconds = kProbeDrainSeconds;
    Window best;
    double kept = 0;
    double too_much = kHighestRate;
    int refinements = 0;
    for (options.rate = kLowestRate; options.rate < kHighestRate && refinements < kRefinements;) {
      const OpenResult result = ProbeAt(options, protocol);
      if (result.generator_limited()) {
        too_much = options.rate;
      } else {
        kept = options.rate;
        best = result.window;
      }
      const bool is_found = too_much < kHighestRate;
      if (is_found) refinements++;
      if (kept == 0 && is_found) break;
      options.rate = is_found ? (kept + too_much) / 2 : options.rate * 2;
    }
    if (kept > 0)
      limits_.push_back(LimitOf(what, best));
    else
      limits_.push_back(Json().Text("what", what).Real("perSecond", 0, 0));
  }

  OpenResult ProbeAt(const Options& options, Protocol protocol) {
    const Meter meter(options.server_pid);
    Connections connections(protocol, options);
    return RunOpenLoop(options, meter, connections.pool());
  }

  const Options& options_;
  std::vector<Json> limits_;
};

}  // namespace

Json RunCalibrate(const Options& options) {
  RaiseFileLimit(uint64_t{options.connections} + options.parallel);
  return Calibration(options).Run();
}

}  // namespace load

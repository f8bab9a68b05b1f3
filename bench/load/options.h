// The command line. README.md is its reference.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include <vector>

#include "http_request.h"
#include "schedule.h"

namespace load {

enum class Mode { kEcho, kUdp, kHttp, kChurn, kIdle, kStorm, kBeside, kCalibrate, kServe, kHistogram, kSchedule };
enum class Closer { kClient, kServer, kReset };
enum class Waiting { kSleep, kSpin };
enum class Protocol { kTcp, kUdp, kHttp };

struct Options {
  Mode mode = Mode::kEcho;
  const char* host = "127.0.0.1";
  char* const* command = nullptr;  // beside: what stands behind `--`
  uint32_t port = 0;
  double seconds = 2;
  double warmup_seconds = 0.5;
  uint32_t server_pid = 0;

  uint32_t connections = 64;
  uint32_t message_bytes = 64;
  uint32_t in_flight = 1;

  double rate = 0;  // 0: closed loop
  Arrivals arrivals = Arrivals::kUniform;
  uint64_t seed = 1;
  double drain_seconds = 5;
  Waiting waiting = Waiting::kSleep;  // the default is to spin when it is pinned to one CPU

  double timeout_seconds = 0.2;

  std::vector<HttpRequest> requests;  // http, and idle where it is to be HTTP
  uint32_t requests_each = 0;         // of each connection in a round; 0: no rounds
  double interval_ms = 0;             // 0: not steady

  bool is_http() const { return !requests.empty(); }

  uint32_t parallel = 64;
  Closer closer = Closer::kClient;
  uint32_t sources = 0;

  uint32_t greet = 1;
  uint32_t prime = 100;
  double settle_seconds = 1;
  uint32_t busy = 0;

  uint32_t resets = 0;
  uint32_t vanish = 0;
  uint32_t half_close = 0;
  uint32_t slow = 0;

  int32_t server_cpu = -1;
  Protocol protocol = Protocol::kTcp;
  uint32_t count = 1000;
};

const char* NameOf(Arrivals arrivals);
const char* NameOf(Closer closer);
const char* NameOf(Waiting waiting);

// Ends the program when the command line is wrong, or after `--help`.
Options ParseOptions(int argc, char** argv);

}  // namespace load

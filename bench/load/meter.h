// Reads the clocks at the edges of the measured window: wall time, the generator's CPU time and the server's (all its
// threads), so that messages per CPU-second of the server are exact.
#pragma once

#include <stdint.h>
#include <time.h>

#include "json.h"
#include "options.h"

namespace load {

struct Edge {
  uint64_t time_ns = 0;
  uint64_t done = 0;  // messages or connections so far
  uint64_t server_cpu_ns = 0;
  uint64_t own_cpu_ns = 0;
};

class Meter {
 public:
  // Ends the program when there is no process `server_pid`; 0: there is none to look at.
  explicit Meter(uint32_t server_pid);

  Edge Read(uint64_t done) const;
  bool has_server() const { return server_pid_ != 0; }

 private:
  const uint32_t server_pid_;
  clockid_t server_clock_{};
};

struct Window {
  Edge from;
  Edge to;

  double seconds() const;
  uint64_t done() const { return to.done - from.done; }
  double per_second() const;
  double own_cpu_seconds() const;
  double server_cpu_seconds() const;
  // `seconds`, `loadCpuSeconds` and, with a server, `serverCpuSeconds`.
  void Write(Json* json, const Meter& meter) const;
};

}  // namespace load

// When the messages of the open loop are due, and on which connection: fixed before the first is sent, whatever the server
// does. Every time is computed from the beginning, so that nothing drifts in hours.
#pragma once

#include <stdint.h>

#include "random.h"

namespace load {

enum class Arrivals { kUniform, kPoisson };

class Schedule {
 public:
  Schedule(Arrivals arrivals, double per_second, uint32_t connections, uint64_t seed, uint64_t begin_ns);

  uint64_t due_ns() const { return due_ns_; }
  uint32_t connection() const { return connection_; }
  void Advance();

 private:
  double Gap();

  const Arrivals arrivals_;
  const double gap_ns_;
  const uint32_t connections_;
  const uint64_t begin_ns_;
  Random random_;
  uint64_t count_ = 0;
  double elapsed_ns_ = 0;  // Poisson: the sum of the gaps
  uint64_t due_ns_ = 0;
  uint32_t connection_ = 0;
};

}  // namespace load

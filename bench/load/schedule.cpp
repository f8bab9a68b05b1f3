#include "schedule.h"

#include <math.h>

#include "clock.h"

namespace load {

Schedule::Schedule(Arrivals arrivals, double per_second, uint32_t connections, uint64_t seed, uint64_t begin_ns)
    : arrivals_(arrivals),
      gap_ns_(kNsPerSecond / per_second),
      connections_(connections),
      begin_ns_(begin_ns),
      random_(seed),
      due_ns_(begin_ns) {
  if (arrivals_ != Arrivals::kPoisson) return;
  elapsed_ns_ = Gap();
  due_ns_ = begin_ns_ + static_cast<uint64_t>(elapsed_ns_);
  connection_ = static_cast<uint32_t>(Random() % connections_);
}

void Schedule::Advance() {
  count_++;
  if (arrivals_ == Arrivals::kUniform) {
    due_ns_ = begin_ns_ + static_cast<uint64_t>(static_cast<double>(count_) * gap_ns_);
    connection_ = static_cast<uint32_t>(count_ % connections_);
    return;
  }
  elapsed_ns_ += Gap();
  due_ns_ = begin_ns_ + static_cast<uint64_t>(elapsed_ns_);
  connection_ = static_cast<uint32_t>(Random() % connections_);
}

// Exponentially distributed: each connection is a Poisson process, and so are all together.
double Schedule::Gap() {
  const double uniform = static_cast<double>(Random() >> 11) * 0x1.0p-53;  // in [0, 1)
  return -log1p(-uniform) * gap_ns_;
}

// SplitMix64 (Steele, Lea, Flood, 2014).
uint64_t Schedule::Random() {
  random_ += 0x9e3779b97f4a7c15u;
  uint64_t mixed = random_;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
  return mixed ^ (mixed >> 31);
}

}  // namespace load

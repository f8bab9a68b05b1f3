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
  connection_ = static_cast<uint32_t>(random_.Below(connections_));
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
  connection_ = static_cast<uint32_t>(random_.Below(connections_));
}

// Exponentially distributed: each connection is a Poisson process, and so are all together.
double Schedule::Gap() { return -log1p(-random_.Fraction()) * gap_ns_; }

}  // namespace load

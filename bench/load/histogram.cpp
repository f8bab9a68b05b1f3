#include "histogram.h"

#include <math.h>

namespace load {

uint64_t Histogram::PercentileNs(double percent) const {
  if (total_ == 0) return 0;
  const double exact = static_cast<double>(total_) * percent / 100.0;
  // 99.9 % of 1,000 is 999 and not 1,000, whatever the last bit of the product says.
  const double rank = std::max(1.0, ceil(exact - exact * 1e-12));
  uint64_t seen = 0;
  for (size_t bucket = 0; bucket < kBuckets; bucket++) {
    seen += counts_[bucket];
    if (static_cast<double>(seen) >= rank) return std::min(UpperEnd(bucket), max_ns_);
  }
  return max_ns_;
}

}  // namespace load

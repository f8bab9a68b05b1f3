// Log-linear histogram of times, in the manner of HdrHistogram: exact below 256 ns, above that 128 steps for each power of
// two, so that a step is less than 0.8 % wide however large the value. A percentile is the upper end of its step, as
// HdrHistogram gives it: never too good. It takes no memory while measuring.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <algorithm>
#include <bit>
#include <vector>

namespace load {

class Histogram {
 public:
  Histogram() : counts_(kBuckets) {}

  void Add(uint64_t value_ns) {
    counts_[Bucket(value_ns)]++;
    total_++;
    sum_ns_ += static_cast<double>(value_ns);
    max_ns_ = std::max(max_ns_, value_ns);
  }

  void Clear() {
    std::fill(counts_.begin(), counts_.end(), 0);
    total_ = 0;
    sum_ns_ = 0;
    max_ns_ = 0;
  }

  uint64_t total() const { return total_; }
  uint64_t max_ns() const { return max_ns_; }
  double mean_ns() const { return total_ == 0 ? 0 : sum_ns_ / static_cast<double>(total_); }

  // The smallest value that `percent` of all values do not exceed; 0 without values.
  uint64_t PercentileNs(double percent) const;

 private:
  static constexpr int kStepBits = 7;
  static constexpr size_t kSteps = size_t{1} << kStepBits;
  static constexpr size_t kBuckets = (64 - kStepBits + 1) * kSteps;

  static size_t Bucket(uint64_t value) {
    if (value < kSteps) return value;
    const int shift = 63 - std::countl_zero(value) - kStepBits;
    return static_cast<size_t>(shift + 1) * kSteps + ((value >> shift) & (kSteps - 1));
  }

  static uint64_t UpperEnd(size_t bucket) {
    if (bucket < kSteps) return bucket;
    const int shift = static_cast<int>(bucket / kSteps) - 1;
    const uint64_t low = (kSteps + (bucket & (kSteps - 1))) << shift;
    return low + ((uint64_t{1} << shift) - 1);
  }

  std::vector<uint64_t> counts_;
  uint64_t total_ = 0;
  uint64_t max_ns_ = 0;
  double sum_ns_ = 0;
};

}  // namespace load

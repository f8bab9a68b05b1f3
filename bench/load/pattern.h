// What is sent: one endless row of bytes whose period (251, a prime) divides no message size in use, so that a byte lost,
// doubled, reordered or changed is seen by comparing what comes back with the row at its place.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <vector>

namespace load {

constexpr size_t kPatternPeriod = 251;
constexpr size_t kBufferBytes = 1u << 18;  // one read or write at most

class Pattern {
 public:
  Pattern() : bytes_(kBufferBytes + kPatternPeriod) {
    for (size_t i = 0; i < bytes_.size(); i++) bytes_[i] = static_cast<uint8_t>(i % kPatternPeriod);
  }

  // At least kBufferBytes bytes, those from `position` on.
  const uint8_t* At(uint64_t position) const { return bytes_.data() + position % kPatternPeriod; }

 private:
  std::vector<uint8_t> bytes_;
};

}  // namespace load

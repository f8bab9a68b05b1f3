// Times are nanoseconds of CLOCK_MONOTONIC.
#pragma once

#include <stdint.h>
#include <time.h>

namespace load {

constexpr double kNsPerSecond = 1e9;

inline uint64_t ReadClock(clockid_t clock) {
  timespec time{};
  if (clock_gettime(clock, &time) != 0) return 0;
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(time.tv_nsec);
}

inline uint64_t NowNs() { return ReadClock(CLOCK_MONOTONIC); }

inline uint64_t SecondsToNs(double seconds) { return static_cast<uint64_t>(seconds * kNsPerSecond); }

inline double NsToSeconds(uint64_t ns) { return static_cast<double>(ns) / kNsPerSecond; }

}  // namespace load

// A closed loop whose server says nothing at all for five seconds has nothing to wait for.
#pragma once

#include <stdint.h>

#include "clock.h"
#include "fail.h"

namespace load {

constexpr int kPollMs = 100;

class Silence {
 public:
  // To be called after each wait, with the number of events that it gave.
  void After(uint32_t events) {
    const uint64_t now_ns = NowNs();
    if (events > 0) last_ns_ = now_ns;
    if (now_ns - last_ns_ > kLimitNs) Fail(kServerFailed, "the server has been silent for 5 seconds");
  }

 private:
  static constexpr uint64_t kLimitNs = 5'000'000'000u;

  uint64_t last_ns_ = NowNs();
};

}  // namespace load

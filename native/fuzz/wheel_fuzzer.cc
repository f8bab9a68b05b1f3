// Any sequence of wheel operations: no assertion fails, nothing fires early, and what is armed can be reached.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>

#include "core/wheel.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr uint32_t kGap = 16;
  constexpr uint64_t kEnd = millrace::Wheel::kDeadlineMax + 1;
  millrace::Wheel wheel(0);
  std::map<uint32_t, uint64_t> armed;
  uint64_t now = 0;
  uint32_t expired[8];
  auto precision = millrace::Wheel::Precision::kTicks;

  auto advance = [&] {
    uint32_t count = wheel.advance(now, expired, 8, precision);
    for (uint32_t i = 0; i < count; i++) {
      auto timer = armed.find(expired[i]);
      if (timer == armed.end() || timer->second > now) std::abort();
      armed.erase(timer);
    }
  };

  for (; size >= 10; data += 10, size -= 10) {
    uint32_t slot = data[1];
    uint64_t value;
    std::memcpy(&value, data + 2, sizeof value);
    switch (data[0] % 6) {
      case 0:
      case 1:
        value = data[0] % 6 == 0 ? value : now + (value & 0xffffffff);
        if (wheel.arm(slot, value, (data[0] & 0x80) != 0, kGap)) armed[slot] = value;
        break;
      case 2:
        wheel.cancel(slot);
        armed.erase(slot);
        break;
      case 3:
        wheel.set_referenced(slot, (value & 1) != 0);
        break;
      case 4:
        now = std::min(now + (value >> (1 + value % 63)), kEnd);
        advance();
        break;
      case 5:
        precision = (value & 1) != 0 ? millrace::Wheel::Precision::kTicks : millrace::Wheel::Precision::kNanoseconds;
        break;
    }
    if (wheel.armed() != armed.size()) std::abort();
  }
  now = kEnd;
  for (int i = 0; i < 4096 && wheel.armed() > 0; i++) advance();
  if (wheel.armed() != 0) std::abort();
  return 0;
}

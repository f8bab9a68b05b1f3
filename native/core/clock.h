// What time it is for the wheel: real (a monotonic clock that the caller reads, plus an offset), or virtual.
//
// The clock never goes back. When it turns from virtual to real, the offset keeps the difference, so that a deadline
// computed under one still means the same under the other.
//
// Virtual time starts at a whole millisecond, and moves only by step(), from deadline to deadline: delays of whole
// milliseconds then take exactly that long.
#ifndef MILLRACE_CORE_CLOCK_H_
#define MILLRACE_CORE_CLOCK_H_

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace millrace {

inline constexpr double kNanosecondsPerMillisecond = 1e6;

inline double milliseconds_of(uint64_t ns) { return static_cast<double>(ns) / kNanosecondsPerMillisecond; }

// The deadline such that milliseconds_of(deadline) >= deadline_ms, in doubles too: never early by JavaScript's own
// arithmetic. False: not a time (NaN, or beyond 2^63 ns, 292 years). Negative: long past, so 0.
inline bool deadline_of(double deadline_ms, uint64_t* deadline_ns) {
  constexpr double kEnd = 9223372036854775808.0;
  double ns = std::ceil(deadline_ms * kNanosecondsPerMillisecond);
  if (!(ns < kEnd)) return false;
  uint64_t result = ns <= 0 ? 0 : static_cast<uint64_t>(ns);
  if (milliseconds_of(result) < deadline_ms) result += 1 + (result >> 52);
  *deadline_ns = result;
  return true;
}

class Clock {
 public:
  enum class Mode { kReal, kPaused, kAutoAdvance };

  Mode mode() const { return mode_; }
  bool is_virtual() const { return mode_ != Mode::kReal; }

  // real_ns: a monotonic clock, the same one every time; not looked at in virtual time.
  uint64_t now_ns(uint64_t real_ns) const { return is_virtual() ? virtual_ns_ : real_ns + offset_ns_; }
  // When the monotonic clock will show what this one shows at deadline_ns.
  uint64_t real_of(uint64_t deadline_ns) const { return deadline_ns - offset_ns_; }

  void set_real(uint64_t real_ns) {
    if (is_virtual()) offset_ns_ = virtual_ns_ - real_ns;
    mode_ = Mode::kReal;
  }

  void set_virtual(uint64_t real_ns, bool auto_advance) {
    if (!is_virtual()) {
      constexpr uint64_t kAlign = 1'000'000;
      virtual_ns_ = (now_ns(real_ns) + kAlign - 1) / kAlign * kAlign;
      target_ns_ = virtual_ns_;
    }
    mode_ = auto_advance ? Mode::kAutoAdvance : Mode::kPaused;
  }

  // False: beyond what the clock can show, and nothing has changed.
  bool advance(double ms) {
    uint64_t span_ns;
    if (!deadline_of(ms, &span_ns) || span_ns > INT64_MAX - target_ns_) return false;
    target_ns_ = std::max(target_ns_, virtual_ns_) + span_ns;
    return true;
  }

  bool has_target() const { return is_virtual() && virtual_ns_ < target_ns_; }

  // To the next deadline (UINT64_MAX: none), but not beyond what advance() has allowed, unless may_jump.
  // True: time has moved.
  bool step(uint64_t deadline_ns, bool may_jump) {
    if (!is_virtual()) return false;
    uint64_t before_ns = virtual_ns_;
    if (has_target()) {
      virtual_ns_ = std::clamp(deadline_ns, virtual_ns_, target_ns_);
    } else if (may_jump && deadline_ns != UINT64_MAX) {
      virtual_ns_ = std::max(virtual_ns_, deadline_ns);
    }
    return virtual_ns_ != before_ns;
  }

 private:
  Mode mode_ = Mode::kReal;
  uint64_t offset_ns_ = 0;  // modulo 2^64: also negative
  uint64_t virtual_ns_ = 0;
  uint64_t target_ns_ = 0;
};

}  // namespace millrace

#endif  // MILLRACE_CORE_CLOCK_H_

#include "core/clock.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace millrace {
namespace {

constexpr uint64_t kMs = 1'000'000;

TEST(Clock, ADeadlineIsNeverBeforeItsMillisecondsInDoubles) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 1'000'000; i++) {
    // From microseconds to the 292 years that the clock can show.
    double ms = std::ldexp(static_cast<double>(random() >> 11), static_cast<int>(random() % 44) - 54);
    uint64_t deadline;
    ASSERT_TRUE(deadline_of(ms, &deadline));
    ASSERT_GE(milliseconds_of(deadline), ms);
    ASSERT_LE(milliseconds_of(deadline), ms * (1 + 1e-14) + 2e-6);
  }
}

TEST(Clock, RefusesWhatIsNoTime) {
  uint64_t deadline = 1;
  EXPECT_FALSE(deadline_of(std::numeric_limits<double>::quiet_NaN(), &deadline));
  EXPECT_FALSE(deadline_of(std::numeric_limits<double>::infinity(), &deadline));
  EXPECT_FALSE(deadline_of(1e300, &deadline));
  EXPECT_FALSE(deadline_of(9.3e12, &deadline));
  EXPECT_TRUE(deadline_of(-1e300, &deadline));
  EXPECT_EQ(deadline, 0u);
}

TEST(Clock, VirtualTimeStandsAtAWholeMillisecondUntilItIsMoved) {
  Clock clock;
  clock.set_virtual(5 * kMs + 1, false);
  EXPECT_EQ(clock.now_ns(5 * kMs + 1), 6 * kMs);
  EXPECT_EQ(clock.now_ns(900 * kMs), 6 * kMs);
  EXPECT_FALSE(clock.step(7 * kMs, false));
}

TEST(Clock, AdvanceGoesFromDeadlineToDeadlineAndStopsAtItsTarget) {
  Clock clock;
  clock.set_virtual(0, false);
  ASSERT_TRUE(clock.advance(10));
  EXPECT_TRUE(clock.step(3 * kMs, false));
  EXPECT_EQ(clock.now_ns(0), 3 * kMs);
  EXPECT_TRUE(clock.step(20 * kMs, false));
  EXPECT_EQ(clock.now_ns(0), 10 * kMs);
  EXPECT_FALSE(clock.has_target());
  EXPECT_FALSE(clock.step(20 * kMs, false));
}

TEST(Clock, TwoAdvancesAddUp) {
  Clock clock;
  clock.set_virtual(0, false);
  ASSERT_TRUE(clock.advance(10));
  ASSERT_TRUE(clock.advance(5));
  clock.step(UINT64_MAX, false);
  EXPECT_EQ(clock.now_ns(0), 15 * kMs);
  EXPECT_FALSE(clock.advance(1e300));
}

TEST(Clock, AutoAdvanceJumpsOnlyWhereThereIsADeadline) {
  Clock clock;
  clock.set_virtual(0, true);
  EXPECT_FALSE(clock.step(UINT64_MAX, true));
  EXPECT_FALSE(clock.step(50 * kMs, false));
  EXPECT_TRUE(clock.step(50 * kMs, true));
  EXPECT_EQ(clock.now_ns(0), 50 * kMs);
}

TEST(Clock, NeverGoesBackWhenItTurnsReal) {
  Clock clock;
  clock.set_virtual(100 * kMs, false);
  clock.advance(1000);
  clock.step(UINT64_MAX, false);
  clock.set_real(101 * kMs);
  EXPECT_EQ(clock.now_ns(101 * kMs), 1100 * kMs);
  EXPECT_EQ(clock.now_ns(105 * kMs), 1104 * kMs);
  EXPECT_EQ(clock.real_of(1104 * kMs), 105 * kMs);
  clock.set_virtual(200 * kMs, false);
  EXPECT_EQ(clock.now_ns(0), 1199 * kMs);
}

}  // namespace
}  // namespace millrace

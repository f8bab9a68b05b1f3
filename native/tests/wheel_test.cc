// The wheel against a naive model: a map from slot to deadline that is looked through at every step.
#include "core/wheel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <vector>

namespace millrace {
namespace {

constexpr uint32_t kGap = 4096;
constexpr uint64_t kTick = 1u << Wheel::kTickBits;

uint64_t seed_of_this_run() {
  const char* given = std::getenv("MILLRACE_SEED");
  uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::printf("MILLRACE_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

uint64_t rounded_up(uint64_t ns) { return (ns + kTick - 1) / kTick * kTick; }

class Model {
 public:
  struct Timer {
    uint64_t deadline_ns;
    bool referenced;
  };

  void arm(uint32_t slot, uint64_t deadline_ns, bool referenced) {
    cancel(slot);
    timers_[slot] = Timer{deadline_ns, referenced};
    by_deadline_.insert({deadline_ns, slot});
  }
  void cancel(uint32_t slot) {
    auto timer = timers_.find(slot);
    if (timer == timers_.end()) return;
    by_deadline_.erase({timer->second.deadline_ns, slot});
    timers_.erase(timer);
  }
  void set_referenced(uint32_t slot, bool referenced) {
    if (auto timer = timers_.find(slot); timer != timers_.end()) timer->second.referenced = referenced;
  }
  bool has(uint32_t slot) const { return timers_.count(slot) != 0; }
  uint64_t deadline_of(uint32_t slot) const { return timers_.at(slot).deadline_ns; }
  uint64_t earliest() const { return by_deadline_.empty() ? Wheel::kNever : by_deadline_.begin()->first; }
  size_t size() const { return timers_.size(); }
  size_t referenced() const {
    return static_cast<size_t>(
        std::count_if(timers_.begin(), timers_.end(), [](const auto& timer) { return timer.second.referenced; }));
  }

 private:
  std::map<uint32_t, Timer> timers_;
  std::set<std::pair<uint64_t, uint32_t>> by_deadline_;
};

// Deadlines of every size: within the tick, a bucket, a level, and far beyond; many just around a level's border.
uint64_t random_delay(std::mt19937_64& random) {
  uint64_t delay = random() >> (16 + random() % 48);
  if (random() % 4 == 0) {
    uint64_t border = kTick << (6 * (random() % 5));
    delay = border + random() % (4 * kTick) - std::min(border, 2 * kTick);
  }
  return delay;
}

void run_against_model(Wheel::Precision precision, uint64_t seed, int operations, uint32_t slots) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  // Starts next to a border of all levels but the top ones.
  uint64_t now = (uint64_t{1} << 46) - random() % (10 * kTick);
  Wheel wheel(now);
  Model model;
  std::vector<uint32_t> expired(64);
  auto visible = [&](uint64_t deadline) {
    return precision == Wheel::Precision::kTicks ? rounded_up(deadline) : deadline;
  };

  for (int i = 0; i < operations; i++) {
    uint32_t slot = random() % slots;
    uint64_t what = random() % 16;
    if (what < 7) {
      uint64_t deadline = random() % 10 == 0 ? now - random() % (100 * kTick) : now + random_delay(random);
      bool referenced = random() % 2 == 0;
      ASSERT_TRUE(wheel.arm(slot, deadline, referenced, slots));
      model.arm(slot, deadline, referenced);
    } else if (what < 10) {
      wheel.cancel(slot);
      model.cancel(slot);
    } else if (what < 11) {
      bool referenced = random() % 2 == 0;
      wheel.set_referenced(slot, referenced);
      model.set_referenced(slot, referenced);
    } else {
      uint64_t earliest = model.earliest();
      if (random() % 2 == 0) {
        now += random_delay(random) >> 8;
      } else if (earliest != Wheel::kNever && random() % 2 == 0) {
        now = std::max(now, visible(earliest) - (random() % 2));  // exactly then, or a nanosecond before
      }
      uint32_t capacity = 1 + random() % static_cast<uint32_t>(expired.size());
      uint32_t count = wheel.advance(now, expired.data(), capacity, precision);
      ASSERT_LE(count, capacity);
      for (uint32_t k = 0; k < count; k++) {
        ASSERT_TRUE(model.has(expired[k])) << "fired a timer that is not armed";
        ASSERT_LE(model.deadline_of(expired[k]), now) << "fired early";
        model.cancel(expired[k]);
      }
      if (count < capacity) {
        ASSERT_TRUE(model.earliest() == Wheel::kNever || visible(model.earliest()) > now) << "left a due timer behind";
      }
    }
    ASSERT_EQ(wheel.armed(), model.size());
    if (model.size() == 0) {
      ASSERT_EQ(wheel.next_expiry_ns(), Wheel::kNever);
    } else {
      ASSERT_LE(wheel.next_expiry_ns(), std::max(rounded_up(model.earliest()), rounded_up(now)));
    }
    if (i % 1024 == 0) {
      ASSERT_EQ(wheel.referenced(), model.referenced());
      ASSERT_EQ(wheel.earliest_deadline_ns(), model.earliest());
    }
  }
}

TEST(Wheel, AgreesWithANaiveModelOverMillionsOfOperations) {
  uint64_t seed = seed_of_this_run();
  for (uint64_t round = 0; round < 8; round++) {
    ASSERT_NO_FATAL_FAILURE(run_against_model(Wheel::Precision::kTicks, seed + round, 300'000, 8u << round));
  }
}

TEST(Wheel, AgreesWithANaiveModelToTheNanosecond) {
  uint64_t seed = seed_of_this_run();
  for (uint64_t round = 0; round < 8; round++) {
    ASSERT_NO_FATAL_FAILURE(run_against_model(Wheel::Precision::kNanoseconds, seed + round, 100'000, 8u << round));
  }
}

TEST(Wheel, SleepingUntilTheNextExpiryReachesEveryTimer) {
  uint64_t seed = seed_of_this_run();
  std::mt19937_64 random(seed);
  Wheel wheel(12345);
  uint64_t latest = 0;
  for (uint32_t slot = 0; slot < 3000; slot++) {
    uint64_t deadline = random() >> (2 + random() % 40);
    latest = std::max(latest, deadline);
    ASSERT_TRUE(wheel.arm(slot, deadline, true, kGap));
  }
  std::vector<uint32_t> expired(16);
  uint64_t now = 12345;
  int wakeups = 0;
  while (wheel.armed() > 0) {
    uint64_t next = wheel.next_expiry_ns();
    ASSERT_NE(next, Wheel::kNever);
    now = std::max(now, next);
    wheel.advance(now, expired.data(), 16);
    ASSERT_LT(++wakeups, 3000 * 9) << "a timer costs at most one wake-up for each level";
  }
  EXPECT_GE(now, latest);
  EXPECT_LT(now, latest + kTick);
}

TEST(Wheel, TimersOfOneTickFireInTheOrderInWhichTheyWereArmed) {
  Wheel wheel(0);
  for (uint32_t slot = 0; slot < 100; slot++) wheel.arm(slot, 500 * kTick, true, kGap);
  uint32_t expired[128];
  ASSERT_EQ(wheel.advance(500 * kTick, expired, 128), 100u);
  for (uint32_t i = 0; i < 100; i++) EXPECT_EQ(expired[i], i);
}

TEST(Wheel, WhatDoesNotFitIsCarriedOver) {
  Wheel wheel(0);
  for (uint32_t slot = 0; slot < 1000; slot++) wheel.arm(slot, kTick * (1 + slot % 7), true, kGap);
  uint32_t expired[64];
  uint32_t total = 0, rounds = 0;
  while (wheel.due(kTick * 10)) {
    total += wheel.advance(kTick * 10, expired, 64);
    rounds++;
  }
  EXPECT_EQ(total, 1000u);
  EXPECT_EQ(rounds, (1000 + 63) / 64u);
}

TEST(Wheel, ACascadeOfAMillionIsSpreadOverSeveralAdvancesAndLosesNone) {
  constexpr uint32_t kTimers = 1'000'000;
  Wheel wheel(0);
  uint64_t deadline = kTick * 64 * 64 * 3 + kTick * 70;  // level 2, falls to level 1, then to level 0
  for (uint32_t slot = 0; slot < kTimers; slot++) ASSERT_TRUE(wheel.arm(slot, deadline, true, kGap));
  EXPECT_LE(wheel.memory_bytes(), uint64_t{kTimers} * 100);
  std::vector<uint32_t> expired(4096);
  // Nothing is due yet, but the bucket has to be moved down; in the middle others are armed, moved and cancelled.
  uint64_t start = kTick * 64 * 64 * 3;
  uint32_t advances = 0;
  while (wheel.due(start)) {
    if (advances == 5) {
      wheel.cancel(kTimers - 1);
      ASSERT_TRUE(wheel.arm(kTimers - 2, deadline + kTick * 100'000, true, kGap));
      ASSERT_TRUE(wheel.arm(kTimers, deadline, true, kGap));
    }
    ASSERT_EQ(wheel.advance(start, expired.data(), 4096), 0u);
    advances++;
  }
  EXPECT_EQ(advances, (kTimers + Wheel::kCascadeMax - 1) / Wheel::kCascadeMax);
  uint32_t total = 0;
  while (wheel.due(deadline)) total += wheel.advance(deadline, expired.data(), 4096);
  EXPECT_EQ(total, kTimers - 1);
  EXPECT_EQ(wheel.armed(), 1u);
}

TEST(Wheel, RefusesSlotsThatAreNotDense) {
  Wheel wheel(0);
  EXPECT_FALSE(wheel.arm(kGap + 1, kTick, true, kGap));
  EXPECT_TRUE(wheel.arm(kGap, kTick, true, kGap));
  EXPECT_FALSE(wheel.arm(Wheel::kSlotsMax, kTick, true, UINT32_MAX));
  EXPECT_FALSE(wheel.arm(UINT32_MAX, kTick, true, UINT32_MAX));
  EXPECT_EQ(wheel.armed(), 1u);
  wheel.cancel(UINT32_MAX);
  wheel.set_referenced(UINT32_MAX, true);
}

TEST(Wheel, TakesDeadlinesUpTo292YearsAndRefusesLaterOnes) {
  Wheel wheel(kTick * 1000);
  EXPECT_FALSE(wheel.arm(0, Wheel::kDeadlineMax + 1, true, kGap));
  EXPECT_TRUE(wheel.arm(0, Wheel::kDeadlineMax, true, kGap));
  uint32_t expired[1];
  EXPECT_EQ(wheel.advance(Wheel::kDeadlineMax - kTick, expired, 1), 0u);
  EXPECT_EQ(wheel.advance(Wheel::kDeadlineMax + uint64_t{1}, expired, 1), 1u);
}

TEST(Wheel, CountsOnlyArmedTimersThatKeepTheProcessAlive) {
  Wheel wheel(0);
  wheel.arm(0, kTick, true, kGap);
  wheel.arm(1, kTick, false, kGap);
  EXPECT_EQ(wheel.referenced(), 1u);
  wheel.set_referenced(1, true);
  wheel.set_referenced(1, true);
  EXPECT_EQ(wheel.referenced(), 2u);
  wheel.arm(0, 2 * kTick, false, kGap);
  EXPECT_EQ(wheel.referenced(), 1u);
  uint32_t expired[4];
  wheel.advance(kTick, expired, 4);
  EXPECT_EQ(wheel.referenced(), 0u);
  wheel.set_referenced(1, true);
  EXPECT_EQ(wheel.referenced(), 0u);
}

}  // namespace
}  // namespace millrace

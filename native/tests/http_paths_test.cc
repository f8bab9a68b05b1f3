#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <utility>

#include "core/http/recent_paths.h"

namespace millrace {
namespace {

using Told = std::pair<uint32_t, uint32_t>;

Told find(RecentPaths* paths, const std::string& path) {
  RecentPaths::Place place = paths->find(reinterpret_cast<const uint8_t*>(path.data()), path.size());
  return {place.slot_word, place.count_word};
}

constexpr Told kNone = {0, 0};

// What is told of a path is told of no other, however many there are and whoever takes whose slot.
TEST(HttpRecentPaths, WhatIsToldIsOfOnePath) {
  RecentPaths paths;
  std::mt19937 random(1);
  std::map<Told, std::string> told;
  for (int i = 0; i < 200'000; i++) {
    std::string path = "/" + std::to_string(random() % 4000) + std::string(random() % 40, 'a');
    Told place = find(&paths, path);
    ASSERT_NE(place, kNone);
    ASSERT_LT(place.first % kHttpPathSlots, kHttpPathSlots);
    auto [at, is_new] = told.emplace(place, path);
    ASSERT_EQ(at->second, path);
    ASSERT_EQ(find(&paths, path), place);
  }
}

TEST(HttpRecentPaths, OnlySomeLengthsAreLookedFor) {
  RecentPaths paths;
  for (size_t length = 0; length < 200; length++) {
    std::string path(length, '/');
    bool looked_for = length >= RecentPaths::kBytesMin && length <= RecentPaths::kBytesMax;
    EXPECT_EQ(find(&paths, path) != kNone, looked_for) << length;
  }
}

// Each byte of a path matters, the last one too.
TEST(HttpRecentPaths, PathsThatDifferInOneByteAreTwo) {
  RecentPaths paths;
  for (size_t length = RecentPaths::kBytesMin; length <= RecentPaths::kBytesMax; length++) {
    for (size_t at = 0; at < length; at++) {
      std::string one(length, 'a'), other = one;
      other[at] = 'b';
      Told first = find(&paths, one);
      EXPECT_NE(find(&paths, other), first) << length << " " << at;
    }
  }
}

}  // namespace
}  // namespace millrace

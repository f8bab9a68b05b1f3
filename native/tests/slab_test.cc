#include "core/slab.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <vector>

namespace millrace {
namespace {

struct Socket {
  uint64_t value = 7;
};

struct Counted {
  static inline int alive = 0;
  Counted() { alive++; }
  ~Counted() { alive--; }
};

TEST(Slab, GivesADefaultConstructedEntryAndAHandleThatFindsIt) {
  Slab<Socket> slab;
  uint32_t handle;
  Socket* socket = slab.allocate(&handle);
  ASSERT_NE(socket, nullptr);
  EXPECT_EQ(socket->value, 7u);
  EXPECT_EQ(slab.lookup(handle), socket);
  EXPECT_EQ(slab.live(), 1u);
}

TEST(Slab, ZeroIsNeverAHandle) {
  Slab<Socket> slab;
  uint32_t handle;
  slab.allocate(&handle);
  EXPECT_EQ(slab.lookup(0), nullptr);
}

TEST(Slab, RefusesAHandleWhoseSlotHasANewOwner) {
  Slab<Socket, 256> slab;
  std::vector<uint32_t> first(256), second(256);
  for (uint32_t& handle : first) ASSERT_NE(slab.allocate(&handle), nullptr);
  for (uint32_t handle : first) ASSERT_TRUE(slab.release(handle));
  for (uint32_t& handle : second) ASSERT_NE(slab.allocate(&handle), nullptr);
  for (uint32_t handle : first) {
    EXPECT_EQ(slab.lookup(handle), nullptr);
    EXPECT_FALSE(slab.release(handle));
  }
  for (uint32_t handle : second) EXPECT_NE(slab.lookup(handle), nullptr);
}

TEST(Slab, RefusesOneMoreThanItHolds) {
  Slab<Socket, 256> slab;
  std::vector<uint32_t> handles(256);
  for (uint32_t& handle : handles) ASSERT_NE(slab.allocate(&handle), nullptr);
  uint32_t handle;
  EXPECT_EQ(slab.allocate(&handle), nullptr);
  slab.release(handles[17]);
  EXPECT_NE(slab.allocate(&handle), nullptr);
}

TEST(Slab, AHandleComesBackOnlyAfterManyUses) {
  Slab<Socket> slab;
  std::set<uint32_t> seen;
  for (int i = 0; i < 250'000; i++) {
    uint32_t handle;
    ASSERT_NE(slab.allocate(&handle), nullptr);
    ASSERT_TRUE(seen.insert(handle).second) << "after " << i << " uses";
    slab.release(handle);
  }
  EXPECT_LE(slab.high_water(), 128u);
}

TEST(Slab, DestroysWhatIsLiveWhenItEnds) {
  {
    Slab<Counted> slab;
    uint32_t handle;
    for (int i = 0; i < 1000; i++) slab.allocate(&handle);
    slab.release(handle);
    EXPECT_EQ(Counted::alive, 999);
  }
  EXPECT_EQ(Counted::alive, 0);
}

TEST(Slab, AgreesWithAMapUnderRandomUse) {
  uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  Slab<Socket> slab;
  std::map<uint32_t, std::pair<Socket*, uint64_t>> model;
  std::vector<uint32_t> stale;
  for (int i = 0; i < 300'000; i++) {
    if (random() % 5 < 3 || model.empty()) {
      uint32_t handle;
      Socket* socket = slab.allocate(&handle);
      ASSERT_NE(socket, nullptr);
      ASSERT_EQ(model.count(handle), 0u);
      socket->value = random();
      model[handle] = {socket, socket->value};
    } else {
      auto entry = model.lower_bound(static_cast<uint32_t>(random()));
      if (entry == model.end()) entry = model.begin();
      ASSERT_EQ(slab.lookup(entry->first), entry->second.first);
      ASSERT_EQ(entry->second.first->value, entry->second.second);
      ASSERT_TRUE(slab.release(entry->first));
      stale.push_back(entry->first);
      model.erase(entry);
    }
    if (!stale.empty()) {
      uint32_t handle = stale[random() % stale.size()];
      if (model.count(handle) == 0) {
        ASSERT_EQ(slab.lookup(handle), nullptr);
      }
    }
  }
  size_t visited = 0;
  slab.for_each([&](uint32_t handle, Socket& socket) {
    visited++;
    EXPECT_EQ(model.at(handle).first, &socket);
  });
  EXPECT_EQ(visited, model.size());
  EXPECT_EQ(slab.live(), model.size());
}

}  // namespace
}  // namespace millrace

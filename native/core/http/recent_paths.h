// The paths of requests come again and again. JavaScript makes a string of each once, and finds it by what it was found as
// here: comparing bytes with the characters of a string costs more than all else of a short head. One slot for each hash:
// whoever comes last stays, so nobody can make it grow.
#ifndef MILLRACE_CORE_HTTP_RECENT_PATHS_H_
#define MILLRACE_CORE_HTTP_RECENT_PATHS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/http/events.h"

namespace millrace {

class RecentPaths {
 public:
  // Of a shorter path there is nothing to compare, and longer ones seldom come again.
  static constexpr size_t kBytesMin = 2;
  static constexpr size_t kBytesMax = 64;

  struct Place {
    uint32_t slot_word = 0;  // HttpHead::PathSlot
    uint32_t count_word = 0;
  };

  // The same for the same bytes, unless another path has taken the slot meanwhile: then one that was never given before.
  Place find(const uint8_t* path, size_t length) {
    if (length < kBytesMin || length > kBytesMax) return {};
    const uint32_t index = hash_of(path, length) % kHttpPathSlots;
    Slot& slot = slots_[index];
    if (slot.length != length || std::memcmp(slot.bytes, path, length) != 0) {
      slot.length = static_cast<uint32_t>(length);
      std::memcpy(slot.bytes, path, length);
      slot.count = ++remembered_;
    }
    return {index | static_cast<uint32_t>(slot.count >> 32) << 10, static_cast<uint32_t>(slot.count)};
  }

 private:
  struct Slot {
    uint64_t count;
    uint32_t length;
    uint8_t bytes[kBytesMax];
  };

  // Words of eight bytes, of which the last two may overlap.
  static uint32_t hash_of(const uint8_t* bytes, size_t length) {
    constexpr uint64_t kFactor = 0x9e3779b97f4a7c15u;
    uint64_t hash = length;
    if (length < sizeof(uint64_t)) {
      uint8_t padded[sizeof(uint64_t)] = {};
      std::memcpy(padded, bytes, length);
      return mixed(hash, padded);
    }
    for (size_t at = 0; at + sizeof(uint64_t) < length; at += sizeof(uint64_t)) {
      uint64_t word;
      std::memcpy(&word, bytes + at, sizeof word);
      hash = (hash ^ word) * kFactor;
      hash ^= hash >> 32;
    }
    return mixed(hash, bytes + length - sizeof(uint64_t));
  }

  static uint32_t mixed(uint64_t hash, const uint8_t* last) {
    uint64_t word;
    std::memcpy(&word, last, sizeof word);
    return static_cast<uint32_t>(((hash ^ word) * 0x9e3779b97f4a7c15u) >> 40);
  }

  uint64_t remembered_ = 0;  // 54 bits of it are told, which last for ever
  Slot slots_[kHttpPathSlots] = {};
};

static_assert(kHttpPathSlots == 1 << 10);

}  // namespace millrace

#endif  // MILLRACE_CORE_HTTP_RECENT_PATHS_H_

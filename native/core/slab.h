// Slots with generations: a handle is slot | generation << kSlotBits, so that a handle kept after its slot was freed is
// refused instead of reaching the next owner. Generations start at 1 and skip 0: zeroed memory is never a valid handle.
//
// Addresses are stable (chunks are never moved or given back before the slab ends), so an entry may contain handles that
// the kernel or the loop points at. Freed slots are reused in the order in which they were freed, and only once
// kQuarantine of them wait: the 12 bits of generation of one slot then wrap after more than 250,000 uses, not 4,095.
#ifndef MILLRACE_CORE_SLAB_H_
#define MILLRACE_CORE_SLAB_H_

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include "core/records.h"

namespace millrace {

template <typename Entry, uint32_t kSlotsMax = kSocketsMax>
class Slab {
 public:
  static constexpr uint32_t kChunkSlots = 256;
  static constexpr uint32_t kQuarantine = 64;
  static constexpr uint32_t kGenerationMax = (1u << (32 - kSlotBits)) - 1;
  static_assert(kSlotsMax <= kSlotMask + 1 && kSlotsMax % kChunkSlots == 0);

  static constexpr uint32_t slot_of(uint32_t handle) { return handle & kSlotMask; }

  Slab() = default;
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;
  ~Slab() {
    for (uint32_t slot = 0; slot < high_water_; slot++) {
      Cell& cell = cell_at(slot);
      if (cell.live) cell.entry()->~Entry();
    }
  }

  // A default-constructed entry and its handle; nullptr when kSlotsMax are live or memory is out.
  Entry* allocate(uint32_t* handle) {
    uint32_t slot;
    if (free_count_ > kQuarantine || (free_count_ > 0 && high_water_ == kSlotsMax)) {
      slot = free_head_;
      free_head_ = cell_at(slot).next_free;
      free_count_--;
    } else {
      if (high_water_ == kSlotsMax) return nullptr;
      std::unique_ptr<Chunk>& chunk = chunks_[high_water_ / kChunkSlots];
      if (!chunk) chunk.reset(new (std::nothrow) Chunk);
      if (!chunk) return nullptr;
      slot = high_water_++;
    }
    Cell& cell = cell_at(slot);
    cell.generation = cell.generation == kGenerationMax ? 1 : cell.generation + 1;
    cell.live = true;
    live_++;
    *handle = slot | cell.generation << kSlotBits;
    return new (cell.storage) Entry();
  }

  // nullptr: never a handle, or stale.
  Entry* lookup(uint32_t handle) {
    uint32_t slot = slot_of(handle);
    if (slot >= high_water_) return nullptr;
    Cell& cell = cell_at(slot);
    return cell.live && cell.generation == handle >> kSlotBits ? cell.entry() : nullptr;
  }

  // The live entry of a slot, nullptr for a free one.
  Entry* at(uint32_t slot) { return slot < high_water_ && cell_at(slot).live ? cell_at(slot).entry() : nullptr; }

  // Destroys the entry; false for a handle that lookup refuses.
  bool release(uint32_t handle) {
    Entry* entry = lookup(handle);
    if (entry == nullptr) return false;
    entry->~Entry();
    uint32_t slot = slot_of(handle);
    Cell& cell = cell_at(slot);
    cell.live = false;
    if (free_count_ == 0) {
      free_head_ = slot;
    } else {
      cell_at(free_tail_).next_free = slot;
    }
    free_tail_ = slot;
    free_count_++;
    live_--;
    return true;
  }

  // The function may release the entry it is given, and no other.
  template <typename Function>
  void for_each(Function function) {
    for (uint32_t slot = 0; slot < high_water_; slot++) {
      Cell& cell = cell_at(slot);
      if (cell.live) function(slot | cell.generation << kSlotBits, *cell.entry());
    }
  }

  uint32_t live() const { return live_; }
  uint32_t high_water() const { return high_water_; }  // slots that were ever used: [0, high_water)

 private:
  struct Cell {
    uint32_t generation = 0;
    uint32_t next_free = 0;
    bool live = false;
    alignas(Entry) unsigned char storage[sizeof(Entry)];

    Entry* entry() { return std::launder(reinterpret_cast<Entry*>(storage)); }
  };
  struct Chunk {
    Cell cells[kChunkSlots];
  };

  Cell& cell_at(uint32_t slot) {
    assert(slot < high_water_);
    return chunks_[slot / kChunkSlots]->cells[slot % kChunkSlots];
  }

  std::unique_ptr<Chunk> chunks_[kSlotsMax / kChunkSlots];
  uint32_t high_water_ = 0;
  uint32_t live_ = 0;
  uint32_t free_head_ = 0;
  uint32_t free_tail_ = 0;
  uint32_t free_count_ = 0;
};

}  // namespace millrace

#endif  // MILLRACE_CORE_SLAB_H_

#include "core/wheel.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstdlib>
#include <type_traits>

namespace millrace {

namespace {

constexpr uint32_t kDigitBits = 6;
constexpr uint32_t kNodesAtFirst = 1024;
static_assert(Wheel::kBuckets == 1u << kDigitBits);
static_assert(Wheel::kLevels * kDigitBits + Wheel::kTickBits == 64);

constexpr uint64_t tick_at_or_after(uint64_t ns) {
  return (ns >> Wheel::kTickBits) + ((ns & ((1u << Wheel::kTickBits) - 1)) != 0);
}

}  // namespace

Wheel::~Wheel() { std::free(nodes_); }

bool Wheel::make_room(uint32_t slot, uint32_t slot_gap_max) {
  if (slot < high_water_) return true;
  if (slot >= kSlotsMax || slot - high_water_ > slot_gap_max) return false;
  if (slot >= nodes_capacity_) {
    uint32_t capacity = std::max(std::bit_ceil(slot + 1), kNodesAtFirst);
    static_assert(std::is_trivially_copyable_v<Node>);
    void* grown = std::realloc(nodes_, capacity * sizeof(Node));
    if (grown == nullptr) return false;
    nodes_ = static_cast<Node*>(grown);
    nodes_capacity_ = capacity;
  }
  for (; high_water_ <= slot; high_water_++) nodes_[high_water_] = Node{0, kNone, kNone, kUnarmed, false};
  return true;
}

bool Wheel::arm(uint32_t slot, uint64_t deadline_ns, bool referenced, uint32_t slot_gap_max) {
  if (deadline_ns > kDeadlineMax || !make_room(slot, slot_gap_max)) return false;
  cancel(slot);
  Node& node = nodes_[slot];
  node.deadline_ns = deadline_ns;
  node.referenced = referenced;
  armed_++;
  referenced_ += referenced;
  link(slot);
  return true;
}

void Wheel::cancel(uint32_t slot) {
  if (!is_armed(slot)) return;
  unlink(slot);
  expire(slot);
}

void Wheel::set_referenced(uint32_t slot, bool referenced) {
  if (!is_armed(slot) || nodes_[slot].referenced == referenced) return;
  nodes_[slot].referenced = referenced;
  if (referenced) {
    referenced_++;
  } else {
    referenced_--;
  }
}

void Wheel::expire(uint32_t slot) {
  armed_--;
  referenced_ -= nodes_[slot].referenced;
}

void Wheel::link(uint32_t slot) {
  Node& node = nodes_[slot];
  uint64_t tick = std::max(tick_at_or_after(node.deadline_ns), elapsed_);
  uint64_t difference = tick ^ elapsed_;
  uint32_t level = difference == 0 ? 0 : (63 - static_cast<uint32_t>(std::countl_zero(difference))) / kDigitBits;
  uint32_t digit = (tick >> (level * kDigitBits)) & (kBuckets - 1);
  assert(level < kLevels);

  node.bucket = static_cast<uint16_t>(level * kBuckets + digit);
  assert(node.bucket != cascading_);
  Bucket& bucket = buckets_[node.bucket];
  node.next = kNone;
  node.previous = bucket.last;
  if (bucket.last == kNone) {
    bucket.first = slot;
    occupied_[level] |= uint64_t{1} << digit;
    levels_ |= 1u << level;
  } else {
    nodes_[bucket.last].next = slot;
  }
  bucket.last = slot;
}

void Wheel::unlink(uint32_t slot) {
  Node& node = nodes_[slot];
  Bucket& bucket = buckets_[node.bucket];
  (node.previous == kNone ? bucket.first : nodes_[node.previous].next) = node.next;
  (node.next == kNone ? bucket.last : nodes_[node.next].previous) = node.previous;
  if (bucket.first == kNone) {
    uint32_t level = node.bucket / kBuckets;
    occupied_[level] &= ~(uint64_t{1} << (node.bucket % kBuckets));
    if (occupied_[level] == 0) levels_ &= ~(1u << level);
    if (node.bucket == cascading_) cascading_ = kNone;
  }
  node.bucket = kUnarmed;
}

uint32_t Wheel::next_bucket() const {
  if (levels_ == 0) return kNone;
  uint32_t level = static_cast<uint32_t>(std::countr_zero(levels_));
  return level * kBuckets + static_cast<uint32_t>(std::countr_zero(occupied_[level]));
}

// The bucket's first tick: elapsed_'s digits above its level, its own digit, zeros.
uint64_t Wheel::start_of(uint32_t bucket) const {
  uint32_t shift = bucket / kBuckets * kDigitBits;
  uint64_t above = elapsed_ >> shift >> kDigitBits;
  return (above << kDigitBits | (bucket % kBuckets)) << shift;
}

uint64_t Wheel::next_expiry_ns() const {
  if (cascading_ != kNone) return elapsed_ << kTickBits;
  uint32_t bucket = next_bucket();
  return bucket == kNone ? kNever : start_of(bucket) << kTickBits;
}

uint64_t Wheel::earliest_deadline_ns() const {
  uint64_t earliest = kNever;
  for (uint32_t bucket : {cascading_, next_bucket()}) {
    if (bucket == kNone) continue;
    for (uint32_t slot = buckets_[bucket].first; slot != kNone; slot = nodes_[slot].next) {
      earliest = std::min(earliest, nodes_[slot].deadline_ns);
    }
  }
  return earliest;
}

bool Wheel::due(uint64_t now_ns, Precision precision) const {
  if (precision == Precision::kTicks) return next_expiry_ns() <= now_ns;
  return cascading_ != kNone || earliest_deadline_ns() <= now_ns;
}

// False: the budget is spent and the bucket is not empty.
bool Wheel::cascade(uint32_t* budget) {
  while (cascading_ != kNone) {
    if (*budget == 0) return false;
    (*budget)--;
    uint32_t slot = buckets_[cascading_].first;
    unlink(slot);
    link(slot);
  }
  return true;
}

uint32_t Wheel::advance(uint64_t now_ns, uint32_t* expired, uint32_t capacity, Precision precision) {
  uint64_t now = precision == Precision::kTicks ? now_ns >> kTickBits : tick_at_or_after(now_ns);
  uint32_t count = 0;
  uint32_t cascade_budget = kCascadeMax;
  for (;;) {
    if (!cascade(&cascade_budget)) return count;
    uint32_t bucket = next_bucket();
    if (bucket == kNone) break;
    uint64_t start = start_of(bucket);
    if (start > now) break;
    elapsed_ = start;
    if (bucket >= kBuckets) {
      cascading_ = bucket;
      continue;
    }
    uint32_t next;
    for (uint32_t slot = buckets_[bucket].first; slot != kNone; slot = next) {
      next = nodes_[slot].next;
      if (nodes_[slot].deadline_ns > now_ns) continue;
      if (count == capacity) return count;
      unlink(slot);
      expire(slot);
      expired[count++] = slot;
    }
    // Only the tick in progress can hold what is not due yet, and nothing lies before the end of it.
    if (buckets_[bucket].first != kNone) return count;
  }
  elapsed_ = std::max(elapsed_, now);
  return count;
}

uint64_t Wheel::memory_bytes() const { return uint64_t{nodes_capacity_} * sizeof(Node); }

}  // namespace millrace

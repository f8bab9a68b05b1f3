// A hierarchical timer wheel. Knows neither a clock nor a loop: whoever owns it says what time it is.
//
// A tick is 2^16 ns (65.5 us). Level L has 64 buckets of 64^L ticks each; 8 levels cover 2^48 ticks, which is every
// 64-bit count of nanoseconds. A timer is a node in one growable array, and its index there is its slot; buckets are
// doubly linked lists of indices, so arm, cancel and move are O(1) and nothing is allocated for a timer once the array
// has grown (24 bytes a timer, at most 48 right after growth).
//
// Where a timer lies follows from the highest bit in which its tick differs from elapsed_, the tick up to which the
// wheel has run:
//
//   1. A timer at level L agrees with elapsed_ in every digit (of 6 bits) above L, and its digit L is greater; at level 0
//      it may be equal.
//   2. So everything at a lower level is due before anything at a higher one, and within a level the lowest bucket is
//      due first: the next expiry is two count-trailing-zeros away.
//
// The one clever case is the cascade. When elapsed_ reaches the start of a bucket at level L > 0, invariant 1 no longer
// holds for the timers in it (digit L has become equal), so each moves down; that is always to a lower level, never back.
// A bucket may hold a million timers, so the move is done kCascadeMax nodes at a time: cascading_ names the bucket that
// is half-way, and until it is empty invariant 2 does not hold, so the next expiry is "now" and nothing fires. Timers that
// are armed meanwhile cannot land in that bucket: they agree with elapsed_ in digit L already.
//
// Never early: a deadline's tick is rounded up, the time's tick down. With Precision::kNanoseconds (virtual time) the
// tick in progress is looked into as well, and only what is due to the nanosecond fires.
#ifndef MILLRACE_CORE_WHEEL_H_
#define MILLRACE_CORE_WHEEL_H_

#include <cstdint>

namespace millrace {

class Wheel {
 public:
  static constexpr uint32_t kTickBits = 16;
  static constexpr uint32_t kLevels = 8;
  static constexpr uint32_t kBuckets = 64;
  static constexpr uint32_t kSlotsMax = 1u << 24;
  static constexpr uint32_t kCascadeMax = 1u << 15;  // nodes that one advance moves down at most
  static constexpr uint64_t kNever = UINT64_MAX;
  static constexpr uint64_t kDeadlineMax = INT64_MAX;  // ns

  enum class Precision { kTicks, kNanoseconds };

  explicit Wheel(uint64_t now_ns) : elapsed_(now_ns >> kTickBits) {}
  Wheel(const Wheel&) = delete;
  Wheel& operator=(const Wheel&) = delete;
  ~Wheel();

  // Arms or moves. A deadline in the past is due at once. False, and nothing has changed: the slot lies further than
  // slot_gap_max beyond the highest one ever used or beyond kSlotsMax, the deadline beyond kDeadlineMax, or memory is out.
  bool arm(uint32_t slot, uint64_t deadline_ns, bool referenced, uint32_t slot_gap_max);
  // Both do nothing to a slot that is not armed.
  void cancel(uint32_t slot);
  void set_referenced(uint32_t slot, bool referenced);

  // Writes the slots of at most `capacity` due timers, which are then unarmed, and returns how many. What is left is due
  // still: ask due().
  uint32_t advance(uint64_t now_ns, uint32_t* expired, uint32_t capacity, Precision precision = Precision::kTicks);

  // When advance has something to do: never later than the next timer's deadline rounded up to a tick, but possibly
  // earlier (a cascade). kNever without timers. O(1).
  uint64_t next_expiry_ns() const;
  // The earliest deadline exactly; O(timers of one bucket), for virtual time.
  uint64_t earliest_deadline_ns() const;
  // With kTicks O(1), otherwise as earliest_deadline_ns.
  bool due(uint64_t now_ns, Precision precision = Precision::kTicks) const;

  uint32_t armed() const { return armed_; }
  uint32_t referenced() const { return referenced_; }
  uint32_t high_water() const { return high_water_; }
  uint64_t memory_bytes() const;

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr uint16_t kUnarmed = UINT16_MAX;

  struct Node {
    uint64_t deadline_ns;
    uint32_t next;
    uint32_t previous;
    uint16_t bucket;  // level * kBuckets + digit, or kUnarmed
    bool referenced;
  };
  static_assert(sizeof(Node) <= 32);

  struct Bucket {
    uint32_t first = kNone;
    uint32_t last = kNone;
  };

  bool make_room(uint32_t slot, uint32_t slot_gap_max);
  bool is_armed(uint32_t slot) const { return slot < high_water_ && nodes_[slot].bucket != kUnarmed; }
  void link(uint32_t slot);
  void unlink(uint32_t slot);
  void expire(uint32_t slot);
  uint32_t next_bucket() const;
  uint64_t start_of(uint32_t bucket) const;
  bool cascade(uint32_t* budget);

  uint64_t elapsed_;  // tick
  uint32_t cascading_ = kNone;
  uint32_t levels_ = 0;  // bit L: level L has a timer
  uint64_t occupied_[kLevels] = {};
  Bucket buckets_[kLevels * kBuckets];
  Node* nodes_ = nullptr;
  uint32_t nodes_capacity_ = 0;
  uint32_t high_water_ = 0;
  uint32_t armed_ = 0;
  uint32_t referenced_ = 0;
};

}  // namespace millrace

#endif  // MILLRACE_CORE_WHEEL_H_

// The two rings' cursors. See records.h for who writes what.
#ifndef MILLRACE_CORE_RINGS_H_
#define MILLRACE_CORE_RINGS_H_

#include "core/records.h"

namespace millrace {

// C++ fills it, JavaScript empties it. C++ keeps its own copy of the tail: what JavaScript writes over it changes nothing.
class CompletionRing {
 public:
  void attach(uint32_t* control, Record* records) {
    control_ = control;
    records_ = records;
  }

  // JavaScript's head is believed only where it makes sense; otherwise the ring counts as full until it does.
  uint32_t room() const {
    uint32_t used = tail_ - control_[static_cast<uint32_t>(Control::CompletionHead)];
    return used > kCompletionCapacity ? 0 : kCompletionCapacity - used;
  }
  bool empty() const { return tail_ == control_[static_cast<uint32_t>(Control::CompletionHead)]; }

  // False: full, nothing was written.
  bool push(Completion kind, uint32_t handle, uint32_t a = 0, uint32_t b = 0) {
    if (room() == 0) return false;
    Record& record = records_[tail_ & (kCompletionCapacity - 1)];
    record.head = static_cast<uint32_t>(kind);
    record.handle = handle;
    record.a = a;
    record.b = b;
    tail_++;
    control_[static_cast<uint32_t>(Control::CompletionTail)] = tail_;
    pushed_++;
    return true;
  }

  // Before JavaScript is called: what it may have written over its copy of the tail must not last.
  void publish() { control_[static_cast<uint32_t>(Control::CompletionTail)] = tail_; }

  uint32_t tail() const { return tail_; }
  // Whether JavaScript has taken what was pushed before the tail was there.
  bool taken(uint32_t tail) const {
    return static_cast<int32_t>(control_[static_cast<uint32_t>(Control::CompletionHead)] - tail) >= 0;
  }

  uint64_t pushed() const { return pushed_; }

 private:
  uint32_t* control_ = nullptr;
  Record* records_ = nullptr;
  uint32_t tail_ = 0;
  uint64_t pushed_ = 0;
};

// JavaScript fills it, C++ empties it. The head is C++'s own: the control word is only a copy for JavaScript to read. A
// tail that cannot be (more than a ring's worth of records) is a fault, and the reader takes it as the new start: nothing
// in between can be believed.
class SubmissionRing {
 public:
  void attach(uint32_t* control, const Record* records) {
    control_ = control;
    records_ = records;
  }

  bool empty() const { return tail() == head_; }

  // Calls apply(record) for what is in the ring now; apply returns false for a fault. Bounded by the ring's capacity:
  // what apply may add is left for the next time. Returns the number of faults.
  template <typename Apply>
  uint32_t drain(Apply apply) {
    uint32_t end = tail();
    uint32_t faults = 0;
    if (end - head_ > kSubmissionCapacity) {
      head_ = end;
      faults = 1;
    }
    while (head_ != end) {
      const Record record = records_[head_ & (kSubmissionCapacity - 1)];
      head_++;
      drained_++;
      if (!apply(record)) faults++;
    }
    control_[static_cast<uint32_t>(Control::SubmissionHead)] = head_;
    control_[static_cast<uint32_t>(Control::Faults)] += faults;
    return faults;
  }

  uint64_t drained() const { return drained_; }

 private:
  uint32_t tail() const { return control_[static_cast<uint32_t>(Control::SubmissionTail)]; }

  uint32_t* control_ = nullptr;
  const Record* records_ = nullptr;
  uint32_t head_ = 0;
  uint64_t drained_ = 0;
};

}  // namespace millrace

#endif  // MILLRACE_CORE_RINGS_H_

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

  uint64_t pushed() const { return pushed_; }

 private:
  uint32_t* control_ = nullptr;
  Record* records_ = nullptr;
  uint32_t tail_ = 0;
  uint64_t pushed_ = 0;
};

}  // namespace millrace

#endif  // MILLRACE_CORE_RINGS_H_

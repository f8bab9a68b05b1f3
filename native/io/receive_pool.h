// The receive arena's buffers and who may touch them. A buffer is in exactly one of these states:
//
//   free        in free_, the most recently used on top, so that a quiet server stays inside the L2 cache
//   taken       by the backend: the kernel may write into it (a provided-buffer ring, a recv in progress)
//   referenced  references > 0: JavaScript may read it (a Data completion of this tick) or a queued Send holds it
//   pinned      the backend packs further receives into its unused end; it may be referenced at the same time
//
// A referenced buffer that loses its last reference is free again, unless it is pinned. Only referenced buffers may be
// named by a Send from JavaScript.
#ifndef MILLRACE_IO_RECEIVE_POOL_H_
#define MILLRACE_IO_RECEIVE_POOL_H_

#include <cassert>
#include <cstdint>

#include "core/records.h"

namespace millrace {

class ReceivePool {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  ReceivePool() {
    for (uint32_t i = 0; i < kReceiveBuffers; i++) free_[i] = static_cast<uint16_t>(kReceiveBuffers - 1 - i);
  }

  uint32_t free_count() const { return free_count_; }

  uint32_t take() { return free_count_ == 0 ? kNone : free_[--free_count_]; }
  void give_back(uint32_t buffer) {
    assert(buffer < kReceiveBuffers && references_[buffer] == 0 && free_count_ < kReceiveBuffers);
    free_[free_count_++] = static_cast<uint16_t>(buffer);
  }

  // A taken buffer, or the pinned one, carries a Data completion.
  void deliver(uint32_t buffer) {
    assert(buffer < kReceiveBuffers);
    if (delivered_flag_[buffer]) return;
    delivered_flag_[buffer] = true;
    delivered_[delivered_count_++] = static_cast<uint16_t>(buffer);
    hold(buffer);
  }
  // JavaScript has seen every Data completion so far, and the Sends that answer them are queued.
  void release_delivered() {
    while (delivered_count_ > 0) {
      uint32_t buffer = delivered_[--delivered_count_];
      delivered_flag_[buffer] = false;
      drop(buffer);
    }
  }

  bool referenced(uint32_t buffer) const { return buffer < kReceiveBuffers && references_[buffer] > 0; }
  void hold(uint32_t buffer) { references_[buffer]++; }
  void drop(uint32_t buffer) {
    assert(referenced(buffer));
    if (--references_[buffer] == 0 && buffer != pinned_) give_back(buffer);
  }

  void pin(uint32_t buffer) {
    assert(pinned_ == kNone);
    pinned_ = buffer;
  }
  void unpin() {
    uint32_t buffer = pinned_;
    pinned_ = kNone;
    if (buffer != kNone && references_[buffer] == 0) give_back(buffer);
  }
  uint32_t pinned() const { return pinned_; }

 private:
  uint16_t free_[kReceiveBuffers];
  uint16_t delivered_[kReceiveBuffers];
  uint32_t references_[kReceiveBuffers] = {};
  bool delivered_flag_[kReceiveBuffers] = {};
  uint32_t free_count_ = kReceiveBuffers;
  uint32_t delivered_count_ = 0;
  uint32_t pinned_ = kNone;
  static_assert(kReceiveBuffers <= UINT16_MAX);
};

}  // namespace millrace

#endif  // MILLRACE_IO_RECEIVE_POOL_H_

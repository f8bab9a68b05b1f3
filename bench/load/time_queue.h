// First in, first out: the times of the messages that a connection is waiting for. Grows, and takes no memory again once it
// is as large as it gets.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <utility>
#include <vector>

namespace load {

class TimeQueue {
 public:
  size_t size() const { return tail_ - head_; }

  void Push(uint64_t time_ns) {
    if (size() == times_.size()) Grow();
    times_[tail_++ & (times_.size() - 1)] = time_ns;
  }

  uint64_t Pop() { return times_[head_++ & (times_.size() - 1)]; }

 private:
  void Grow() {
    std::vector<uint64_t> larger(times_.empty() ? 1 : times_.size() * 2);
    const size_t count = size();
    for (size_t i = 0; i < count; i++) larger[i] = times_[(head_ + i) & (times_.size() - 1)];
    times_ = std::move(larger);
    head_ = 0;
    tail_ = count;
  }

  std::vector<uint64_t> times_;  // a power of two
  size_t head_ = 0;
  size_t tail_ = 0;
};

}  // namespace load

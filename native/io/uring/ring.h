// An io_uring instance by plain system calls: three of them and three mappings need no library.
//
// The ring belongs to the thread that opened it. With DEFER_TASKRUN the kernel does a ring's work, and touches buffers and
// buffer rings, only inside enter() on that thread: `has_work` says when that is due. The registered eventfd is written
// when work turns up and nobody has disabled it; whoever goes to sleep must first enable it and then look at has_work.
#ifndef MILLRACE_IO_URING_RING_H_
#define MILLRACE_IO_URING_RING_H_

#include <linux/io_uring.h>

#include <cstddef>
#include <cstdint>

namespace millrace {

class Ring {
 public:
  Ring() = default;
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() { close(); }

  int open(uint32_t submission_entries, uint32_t completion_entries);
  void close();
  int fd() const { return fd_; }

  int register_with_kernel(uint32_t opcode, void* argument, uint32_t count) const;
  bool supports(uint8_t operation) const { return (operations_ >> operation & 1) != 0; }

  // Zeroed. nullptr: the queue is full, and the kernel takes nothing at present.
  io_uring_sqe* next_submission();
  uint32_t unsubmitted() const;
  // What is queued goes to the kernel, in one call when there is anything. 0 or a negative errno.
  int submit();
  // Lets the kernel do the ring's work; waits for a completion for up to wait_ms.
  int get_events(int64_t wait_ms = 0);

  bool has_work() const {
    return (__atomic_load_n(submission_flags_, __ATOMIC_RELAXED) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
  }
  const io_uring_cqe* front() const {
    return completion_head_copy_ == __atomic_load_n(completion_tail_, __ATOMIC_ACQUIRE)
               ? nullptr
               : &completions_[completion_head_copy_ & completion_mask_];
  }
  void pop() { __atomic_store_n(completion_head_, ++completion_head_copy_, __ATOMIC_RELEASE); }

  void disable_eventfd() { __atomic_store_n(completion_flags_, IORING_CQ_EVENTFD_DISABLED, __ATOMIC_RELAXED); }
  void enable_eventfd() {
    __atomic_store_n(completion_flags_, 0u, __ATOMIC_RELAXED);
    // Pairs with the kernel, which sets IORING_SQ_TASKRUN and then reads this flag.
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
  }

  uint64_t enters() const { return enters_; }

 private:
  int enter(uint32_t submit_count, uint32_t min_complete, uint32_t flags, const void* argument, size_t argument_bytes);
  int map(const io_uring_params& params);

  int fd_ = -1;
  uint64_t operations_ = 0;
  uint64_t enters_ = 0;

  void* rings_ = nullptr;  // both queues: IORING_FEAT_SINGLE_MMAP is older than all that is needed here
  size_t rings_bytes_ = 0;
  io_uring_sqe* submissions_ = nullptr;
  size_t submissions_bytes_ = 0;

  uint32_t* submission_head_ = nullptr;
  uint32_t* submission_tail_ = nullptr;
  uint32_t* submission_flags_ = nullptr;
  uint32_t submission_mask_ = 0;
  uint32_t submission_tail_copy_ = 0;

  uint32_t* completion_head_ = nullptr;
  uint32_t* completion_tail_ = nullptr;
  uint32_t* completion_flags_ = nullptr;
  uint32_t completion_mask_ = 0;
  uint32_t completion_head_copy_ = 0;
  const io_uring_cqe* completions_ = nullptr;
};

}  // namespace millrace

#endif  // MILLRACE_IO_URING_RING_H_

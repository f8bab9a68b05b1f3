#ifdef __linux__
#include "io/uring/ring.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

namespace millrace {
namespace {

// Never SQPOLL. SINGLE_ISSUER is of 6.0, DEFER_TASKRUN of 6.1: older kernels answer EINVAL.
constexpr uint32_t kSetupFlags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
                                 IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE;
// SUBMIT_STABLE: what an entry points at may change once it was submitted. NODROP: overflow loses nothing.
constexpr uint32_t kFeaturesNeeded = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE |
                                     IORING_FEAT_FAST_POLL | IORING_FEAT_EXT_ARG | IORING_FEAT_CQE_SKIP;

constexpr int kProbedOperations = 64;

uint64_t probe_operations(const Ring& ring) {
  alignas(io_uring_probe) uint8_t space[sizeof(io_uring_probe) + kProbedOperations * sizeof(io_uring_probe_op)] = {};
  auto* probe = reinterpret_cast<io_uring_probe*>(space);
  if (ring.register_with_kernel(IORING_REGISTER_PROBE, probe, kProbedOperations) < 0) return 0;
  auto* operations = reinterpret_cast<io_uring_probe_op*>(space + sizeof(io_uring_probe));
  uint64_t supported = 0;
  for (int i = 0; i < kProbedOperations && i < probe->ops_len; i++) {
    if ((operations[i].flags & IO_URING_OP_SUPPORTED) != 0) supported |= uint64_t{1} << operations[i].op;
  }
  return supported;
}

}  // namespace

int Ring::open(uint32_t submission_entries, uint32_t completion_entries) {
  io_uring_params params = {};
  params.flags = kSetupFlags;
  params.cq_entries = completion_entries;
  long fd = syscall(__NR_io_uring_setup, submission_entries, &params);
  if (fd < 0) return -errno;
  fd_ = static_cast<int>(fd);
  int error = (params.features & kFeaturesNeeded) == kFeaturesNeeded ? map(params) : -EINVAL;
  if (error != 0) {
    close();
    return error;
  }
  operations_ = probe_operations(*this);
  return 0;
}

int Ring::map(const io_uring_params& params) {
  size_t submission_bytes = params.sq_off.array + params.sq_entries * sizeof(uint32_t);
  size_t completion_bytes = params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe);
  rings_bytes_ = submission_bytes > completion_bytes ? submission_bytes : completion_bytes;
  submissions_bytes_ = params.sq_entries * sizeof(io_uring_sqe);
  constexpr int kProtection = PROT_READ | PROT_WRITE;
  void* rings = mmap(nullptr, rings_bytes_, kProtection, MAP_SHARED | MAP_POPULATE, fd_, IORING_OFF_SQ_RING);
  if (rings == MAP_FAILED) return -errno;
  rings_ = rings;
  void* submissions = mmap(nullptr, submissions_bytes_, kProtection, MAP_SHARED | MAP_POPULATE, fd_, IORING_OFF_SQES);
  if (submissions == MAP_FAILED) return -errno;
  submissions_ = static_cast<io_uring_sqe*>(submissions);

  auto word = [this](uint32_t offset) { return reinterpret_cast<uint32_t*>(static_cast<uint8_t*>(rings_) + offset); };
  submission_head_ = word(params.sq_off.head);
  submission_tail_ = word(params.sq_off.tail);
  submission_flags_ = word(params.sq_off.flags);
  submission_mask_ = *word(params.sq_off.ring_mask);
  completion_head_ = word(params.cq_off.head);
  completion_tail_ = word(params.cq_off.tail);
  completion_flags_ = word(params.cq_off.flags);
  completion_mask_ = *word(params.cq_off.ring_mask);
  completions_ = reinterpret_cast<const io_uring_cqe*>(static_cast<uint8_t*>(rings_) + params.cq_off.cqes);
  // Entries are used in the order of the ring, for ever.
  for (uint32_t i = 0; i <= submission_mask_; i++) word(params.sq_off.array)[i] = i;
  return 0;
}

void Ring::close() {
  if (submissions_ != nullptr) munmap(submissions_, submissions_bytes_);
  if (rings_ != nullptr) munmap(rings_, rings_bytes_);
  if (fd_ >= 0) ::close(fd_);
  submissions_ = nullptr;
  rings_ = nullptr;
  fd_ = -1;
}

int Ring::register_with_kernel(uint32_t opcode, void* argument, uint32_t count) const {
  long result = syscall(__NR_io_uring_register, fd_, opcode, argument, count);
  return result < 0 ? -errno : static_cast<int>(result);
}

uint32_t Ring::unsubmitted() const {
  return submission_tail_copy_ - __atomic_load_n(submission_head_, __ATOMIC_ACQUIRE);
}

io_uring_sqe* Ring::next_submission() {
  if (unsubmitted() > submission_mask_ && (submit() < 0 || unsubmitted() > submission_mask_)) return nullptr;
  io_uring_sqe* entry = &submissions_[submission_tail_copy_++ & submission_mask_];
  memset(entry, 0, sizeof *entry);
  return entry;
}

int Ring::submit() {
  uint32_t count = unsubmitted();
  if (count == 0) return 0;
  __atomic_store_n(submission_tail_, submission_tail_copy_, __ATOMIC_RELEASE);
  int result = enter(count, 0, 0, nullptr, 0);
  return result < 0 ? result : 0;
}

int Ring::get_events(int64_t wait_ms) {
  if (wait_ms == 0) return enter(0, 0, IORING_ENTER_GETEVENTS, nullptr, 0);
  __kernel_timespec timeout = {wait_ms / 1000, wait_ms % 1000 * 1000000};
  io_uring_getevents_arg argument = {};
  argument.sigmask_sz = _NSIG / 8;
  argument.ts = reinterpret_cast<uintptr_t>(&timeout);
  return enter(0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &argument, sizeof argument);
}

int Ring::enter(uint32_t submit_count, uint32_t min_complete, uint32_t flags, const void* argument,
                size_t argument_bytes) {
  enters_++;
  long result = syscall(__NR_io_uring_enter, fd_, submit_count, min_complete, flags, argument, argument_bytes);
  return result < 0 ? -errno : static_cast<int>(result);
}

}  // namespace millrace
#endif  // __linux__

#ifdef __linux__
#include "io/uring/buffer_ring.h"

#include <errno.h>
#include <sys/mman.h>

#include <algorithm>

namespace millrace {
namespace {

constexpr size_t kRingBytes = kReceiveBuffers * sizeof(io_uring_buf);
static_assert((kReceiveBuffers & (kReceiveBuffers - 1)) == 0 && kReceiveBuffers <= 32768);

}  // namespace

BufferRing::~BufferRing() {
  if (entries_ != nullptr) munmap(entries_, kRingBytes);
}

int BufferRing::open(const Ring& ring) {
  void* memory = mmap(nullptr, kRingBytes, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
  if (memory == MAP_FAILED) return -errno;
  entries_ = static_cast<io_uring_buf*>(memory);
  io_uring_buf_reg registration = {};
  registration.ring_addr = reinterpret_cast<uintptr_t>(memory);
  registration.ring_entries = kReceiveBuffers;
  registration.bgid = kGroup;
  return ring.register_with_kernel(IORING_REGISTER_PBUF_RING, &registration, 1);
}

void BufferRing::replenish(ReceivePool& pool, uint8_t* arena) {
  // A program that has only armed timers so far: there is no memory to lend yet.
  if (arena == nullptr) return;
  // Once for all the receives of a tick that found it empty; and when all buffers are in use more would not help.
  if (ran_empty_ && pool.free_count() > 0) target_ = std::min(target_ * 2, kReceiveBuffers);
  ran_empty_ = false;
  uint16_t tail = tail_;
  while (held_ < target_) {
    uint32_t buffer = pool.take();
    if (buffer == ReceivePool::kNone) break;
    io_uring_buf& entry = entries_[tail++ & (kReceiveBuffers - 1)];
    entry.addr = reinterpret_cast<uintptr_t>(arena + size_t{buffer} * kReceiveBufferBytes);
    entry.len = kReceiveBufferBytes;
    entry.bid = static_cast<uint16_t>(buffer);
    held_++;
  }
  if (tail == tail_) return;
  tail_ = tail;
  // The ring's tail lies in the unused word of its first entry. (The header's io_uring_buf_ring is not used: its flexible
  // array starts at the wrong offset in C++.)
  __atomic_store_n(&entries_[0].resv, tail, __ATOMIC_RELEASE);
}

}  // namespace millrace
#endif  // __linux__

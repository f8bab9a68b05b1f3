// The receive buffers that the kernel may fill: a ring that it takes from in the order in which we put in.
//
// Of a ring that holds all buffers the kernel would use each only once in a round, and every receive would miss the cache.
// So it holds few, topped up from the most recently used ones, and twice as many after each time that it ran empty.
// The kernel reads the ring only inside io_uring_enter on this thread.
#ifndef MILLRACE_IO_URING_BUFFER_RING_H_
#define MILLRACE_IO_URING_BUFFER_RING_H_

#include <cstdint>

#include "io/receive_pool.h"
#include "io/uring/ring.h"

namespace millrace {

class BufferRing {
 public:
  static constexpr uint16_t kGroup = 0;

  BufferRing() = default;
  BufferRing(const BufferRing&) = delete;
  BufferRing& operator=(const BufferRing&) = delete;
  ~BufferRing();  // after its io_uring was closed

  int open(const Ring& ring);
  void replenish(ReceivePool& pool, uint8_t* arena);
  void took_one() { held_--; }
  void note_empty() { ran_empty_ = true; }  // a receive found no buffer
  uint32_t held() const { return held_; }

 private:
  static constexpr uint32_t kHeldAtFirst = 64;

  io_uring_buf* entries_ = nullptr;
  uint32_t held_ = 0;
  uint32_t target_ = kHeldAtFirst;
  uint16_t tail_ = 0;
  bool ran_empty_ = false;
};

}  // namespace millrace

#endif  // MILLRACE_IO_URING_BUFFER_RING_H_

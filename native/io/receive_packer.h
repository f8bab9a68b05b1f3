// Where a receive by system call writes. Sockets that got little the last time share one pinned buffer, each receive
// after the one before it: a tick of small messages then touches a few pages instead of a 16 KiB buffer for each (buffers
// at equal distances also fall into the same cache sets). Sockets that got much get a buffer of their own.
#ifndef MILLRACE_IO_RECEIVE_PACKER_H_
#define MILLRACE_IO_RECEIVE_PACKER_H_

#include "core/records.h"
#include "io/receive_pool.h"

namespace millrace {

class ReceivePacker {
 public:
  static constexpr uint32_t kSmallBytes = 2048;
  static constexpr uint32_t kRoomMin = 4096;

  struct Place {
    uint32_t buffer;  // ReceivePool::kNone: no buffer is left
    uint32_t offset;
    uint32_t room;
  };

  Place place_for(ReceivePool& pool, uint32_t last_receive_bytes) {
    if (last_receive_bytes > kSmallBytes) return {pool.take(), 0, kReceiveBufferBytes};
    if (pool.pinned() != ReceivePool::kNone) {
      if (!pool.referenced(pool.pinned())) used_ = 0;
      if (kReceiveBufferBytes - used_ < kRoomMin) pool.unpin();
    }
    if (pool.pinned() == ReceivePool::kNone) {
      uint32_t buffer = pool.take();
      if (buffer == ReceivePool::kNone) return {buffer, 0, 0};
      pool.pin(buffer);
      used_ = 0;
    }
    return {pool.pinned(), used_, kReceiveBufferBytes - used_};
  }

  // Before the bytes are delivered. Zero: the place was not used.
  void filled(ReceivePool& pool, const Place& place, uint32_t bytes) {
    if (place.buffer == pool.pinned()) {
      // The next message starts on a cache line of its own.
      used_ = (place.offset + bytes + 63) & ~63u;
    } else if (bytes == 0) {
      pool.give_back(place.buffer);
    }
  }

 private:
  uint32_t used_ = 0;
};

}  // namespace millrace

#endif  // MILLRACE_IO_RECEIVE_PACKER_H_

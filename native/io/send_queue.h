// What a socket has yet to send: a FIFO of segments that point into the two arenas.
//
// A queued segment of the send arena counts in its block's word of send_block_segments; one of the receive arena holds
// its buffer. Both end when the last byte of the segment has left, or when the queue is discarded, which must not happen
// while the kernel may still read from it. All sockets share the arenas, so a socket whose peer does not read must not
// keep any of it: what cannot leave at once moves to memory of its own (move_out).
#ifndef MILLRACE_IO_SEND_QUEUE_H_
#define MILLRACE_IO_SEND_QUEUE_H_

#include <cstddef>
#include <cstdint>

#include "io/backend.h"
#include "io/receive_pool.h"

struct iovec;

namespace millrace {

struct Segment {
  enum class Source : uint8_t { SendArena, ReceiveArena, Memory };
  Segment* next;
  uint8_t* memory;  // of a Memory segment, which owns it
  uint32_t offset;
  uint32_t length;
  Source source;
};

// Segments in chunks that are kept until the pool ends.
class SegmentPool {
 public:
  static constexpr uint32_t kSegmentsMax = 1u << 21;

  SegmentPool() = default;
  SegmentPool(const SegmentPool&) = delete;
  SegmentPool& operator=(const SegmentPool&) = delete;
  ~SegmentPool();

  Segment* take();  // nullptr: kSegmentsMax are in use, or memory is out
  void give_back(Segment* segment);

 private:
  static constexpr uint32_t kChunkSegments = 512;
  struct Chunk;
  Segment* free_ = nullptr;
  Chunk* chunks_ = nullptr;
  uint32_t made_ = 0;
};

// What all queues of a backend share.
struct SendResources {
  Arenas arenas;
  ReceivePool* receive_pool;
  SegmentPool* segments;
};

class SendQueue {
 public:
  static constexpr int kSpansMax = 16;

  bool empty() const { return head_ == nullptr; }
  uint64_t bytes() const { return bytes_; }
  // The first segment alone: what a plain send takes. Not for an empty queue.
  const uint8_t* front(const SendResources& resources, uint32_t* length) const;
  bool only_one() const { return head_ != nullptr && head_->next == nullptr; }
  // Up to kSpansMax spans from the start; returns how many, and their bytes.
  int gather(const SendResources& resources, iovec* spans, size_t* bytes) const;

  // False: out of segments, nothing was queued. The range was checked to lie in one block or one referenced buffer.
  bool push(SendResources& resources, Segment::Source source, uint32_t offset, uint32_t length);

  // Into memory of its own. False: memory is out, nothing was queued.
  bool push_copy(SendResources& resources, const uint8_t* bytes, uint32_t length);

  // The first `count` bytes have left.
  void consume(SendResources& resources, size_t count);
  void discard(SendResources& resources);
  // Leaves what it has where it is, for ever: somebody may still read it. Only before the end of everything.
  void abandon();
  // Copies what lies in the arenas to memory of its own and lets the arenas go. The kernel must not be reading from them.
  // False: memory is out, and the rest stays where it is.
  bool move_out(SendResources& resources);

 private:
  Segment* append(SendResources& resources);
  void remove_head(SendResources& resources);

  Segment* head_ = nullptr;
  Segment* tail_ = nullptr;
  Segment* moved_ = nullptr;  // up to here no segment lies in an arena; nullptr: not known of any
  uint64_t bytes_ = 0;
};

}  // namespace millrace

#endif  // MILLRACE_IO_SEND_QUEUE_H_

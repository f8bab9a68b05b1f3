#ifndef _WIN32
#include "io/send_queue.h"

#include <sys/uio.h>

#include <cassert>
#include <cstring>
#include <new>

namespace millrace {

struct SegmentPool::Chunk {
  Chunk* next;
  Segment segments[kChunkSegments];
};

SegmentPool::~SegmentPool() {
  while (chunks_ != nullptr) {
    Chunk* next = chunks_->next;
    delete chunks_;
    chunks_ = next;
  }
}

Segment* SegmentPool::take() {
  if (free_ == nullptr) {
    if (made_ >= kSegmentsMax) return nullptr;
    Chunk* chunk = new (std::nothrow) Chunk;
    if (chunk == nullptr) return nullptr;
    chunk->next = chunks_;
    chunks_ = chunk;
    made_ += kChunkSegments;
    for (Segment& segment : chunk->segments) give_back(&segment);
  }
  Segment* segment = free_;
  free_ = segment->next;
  segment->next = nullptr;
  return segment;
}

void SegmentPool::give_back(Segment* segment) {
  segment->next = free_;
  free_ = segment;
}

namespace {

const uint8_t* address_of(const SendResources& resources, const Segment& segment) {
  if (segment.source == Segment::Source::Memory) return segment.memory + segment.offset;
  const uint8_t* arena =
      segment.source == Segment::Source::SendArena ? resources.arenas.send : resources.arenas.receive;
  return arena + segment.offset;
}

// A block or a buffer, whichever the segment lies in: segments of different owners are released separately.
uint32_t owner_of(Segment::Source source, uint32_t offset) {
  return offset / (source == Segment::Source::SendArena ? kSendBlockBytes : kReceiveBufferBytes);
}

void release_owner(SendResources& resources, const Segment& segment) {
  switch (segment.source) {
    case Segment::Source::SendArena:
      resources.arenas.send_block_segments[owner_of(segment.source, segment.offset)]--;
      break;
    case Segment::Source::ReceiveArena:
      resources.receive_pool->drop(owner_of(segment.source, segment.offset));
      break;
    case Segment::Source::Memory:
      delete[] segment.memory;
      break;
  }
}

}  // namespace

const uint8_t* SendQueue::front(const SendResources& resources, uint32_t* length) const {
  *length = head_->length;
  return address_of(resources, *head_);
}

int SendQueue::gather(const SendResources& resources, iovec* spans, size_t* bytes) const {
  int count = 0;
  *bytes = 0;
  for (const Segment* segment = head_; segment != nullptr && count < kSpansMax; segment = segment->next) {
    spans[count].iov_base = const_cast<uint8_t*>(address_of(resources, *segment));
    spans[count].iov_len = segment->length;
    *bytes += segment->length;
    count++;
  }
  return count;
}

Segment* SendQueue::append(SendResources& resources) {
  Segment* segment = resources.segments->take();
  if (segment == nullptr) return nullptr;
  (head_ == nullptr ? head_ : tail_->next) = segment;
  tail_ = segment;
  return segment;
}

bool SendQueue::push(SendResources& resources, Segment::Source source, uint32_t offset, uint32_t length) {
  // Longer tails are safe while the kernel reads the queue: it was given the old length, and consume() counts bytes.
  if (head_ != nullptr && tail_->source == source && source != Segment::Source::Memory &&
      tail_->offset + tail_->length == offset && owner_of(source, tail_->offset) == owner_of(source, offset)) {
    tail_->length += length;
    bytes_ += length;
    return true;
  }
  Segment* segment = append(resources);
  if (segment == nullptr) return false;
  segment->source = source;
  segment->offset = offset;
  segment->length = length;
  bytes_ += length;
  if (source == Segment::Source::SendArena) {
    resources.arenas.send_block_segments[owner_of(source, offset)]++;
  } else {
    resources.receive_pool->hold(owner_of(source, offset));
  }
  return true;
}

bool SendQueue::push_copy(SendResources& resources, const uint8_t* bytes, uint32_t length) {
  auto* memory = new (std::nothrow) uint8_t[length];
  if (memory == nullptr) return false;
  Segment* segment = append(resources);
  if (segment == nullptr) {
    delete[] memory;
    return false;
  }
  memcpy(memory, bytes, length);
  *segment = {nullptr, memory, 0, length, Segment::Source::Memory};
  bytes_ += length;
  return true;
}

void SendQueue::remove_head(SendResources& resources) {
  Segment* segment = head_;
  head_ = segment->next;
  if (moved_ == segment) moved_ = nullptr;
  release_owner(resources, *segment);
  resources.segments->give_back(segment);
}

void SendQueue::consume(SendResources& resources, size_t count) {
  assert(count <= bytes_);
  bytes_ -= count;
  while (count > 0) {
    Segment* segment = head_;
    assert(segment != nullptr);
    if (count < segment->length) {
      segment->offset += static_cast<uint32_t>(count);
      segment->length -= static_cast<uint32_t>(count);
      break;
    }
    count -= segment->length;
    // The offset stays, so that it is still inside its own block when the owner is worked out.
    remove_head(resources);
  }
}

void SendQueue::discard(SendResources& resources) {
  while (head_ != nullptr) remove_head(resources);
  tail_ = nullptr;
  moved_ = nullptr;
  bytes_ = 0;
}

void SendQueue::abandon() {
  head_ = tail_ = moved_ = nullptr;
  bytes_ = 0;
}

bool SendQueue::move_out(SendResources& resources) {
  for (Segment* segment = moved_ == nullptr ? head_ : moved_->next; segment != nullptr; segment = segment->next) {
    if (segment->source != Segment::Source::Memory) {
      auto* memory = new (std::nothrow) uint8_t[segment->length];
      if (memory == nullptr) return false;
      memcpy(memory, address_of(resources, *segment), segment->length);
      release_owner(resources, *segment);
      segment->source = Segment::Source::Memory;
      segment->memory = memory;
      segment->offset = 0;
    }
    moved_ = segment;
  }
  return true;
}

}  // namespace millrace
#endif  // _WIN32

#ifndef _WIN32
#include <errno.h>

#include <cstdlib>
#include <cstring>

#include "io/datagram_sockets.h"

namespace millrace {
namespace {

// What a queued datagram counts beside its bytes, so that empty ones are not free.
constexpr uint32_t kQueuedOverhead = 64;
// JavaScript's own limit is far lower: this is for one that ignores it.
constexpr uint32_t kQueuedBytesMax = 64u << 20;

// Of the segments of one message; less than what the headers leave of 65,535.
constexpr uint32_t kMessageBytesMax = 65000;

constexpr uint32_t word(DatagramWord at) { return static_cast<uint32_t>(at); }

uint32_t length_of(const uint32_t* entry) { return entry[word(DatagramWord::Length)] & (kDatagramTruncated - 1); }

uint32_t hash_of(const uint32_t* peer) {
  uint32_t mixed = peer[0] * 0x9e3779b1u ^ peer[1] * 0x85ebca77u;
  if ((peer[0] & kDatagramIpv6) != 0) mixed ^= (peer[2] ^ peer[3]) * 0xc2b2ae3du ^ peer[4] * 0x27d4eb2fu;
  return mixed >> 24;
}

bool is_same_peer(const uint32_t* one, const uint32_t* other) {
  if (one[0] != other[0]) return false;
  if ((one[0] & kDatagramAddressed) == 0) return true;
  size_t words = (one[0] & kDatagramIpv6) != 0 ? 6 : 2;
  return memcmp(one, other, words * sizeof *one) == 0;
}

// 0: the socket's family has no such address.
socklen_t write_name(const uint32_t* peer, int family, sockaddr_in6* name) {
  auto port = htons(static_cast<uint16_t>(peer[0] & 0xffff));
  if ((peer[0] & kDatagramIpv6) == 0 && family == AF_INET) {
    sockaddr_in v4 = {};
    v4.sin_family = AF_INET;
    v4.sin_port = port;
    v4.sin_addr.s_addr = peer[1];
    memcpy(name, &v4, sizeof v4);
    return sizeof v4;
  }
  if (family != AF_INET6) return 0;
  *name = {};
  name->sin6_family = AF_INET6;
  name->sin6_port = port;
  if ((peer[0] & kDatagramIpv6) != 0) {
    memcpy(name->sin6_addr.s6_addr, &peer[1], 16);
    name->sin6_scope_id = peer[5];
  } else {
    name->sin6_addr.s6_addr[10] = name->sin6_addr.s6_addr[11] = 0xff;
    memcpy(name->sin6_addr.s6_addr + 12, &peer[1], 4);
  }
  return sizeof *name;
}

}  // namespace

uint32_t DatagramSockets::take_sends() {
  if (memory_.control == nullptr || stopping_) return 0;
  uint32_t end = memory_.control[static_cast<uint32_t>(DatagramControl::SendTail)];
  if (end == send_head_) return 0;
  uint32_t faults = 0;
  if (end - send_head_ > kDatagramSends) {
    // Nothing between them can be believed.
    send_head_ = end;
    faults++;
  }
  for (; send_head_ != end; send_head_++) {
    if (!link_send(send_head_ & (kDatagramSends - 1))) faults++;
  }
  memory_.control[static_cast<uint32_t>(DatagramControl::SendHead)] = send_head_;
  while (DatagramSocket* socket = sending_.pop()) transmit(*socket);
  return faults;
}

// False: a fault; nothing is sent.
bool DatagramSockets::link_send(uint32_t index) {
  const uint32_t* entry = memory_.sends + index * word(DatagramWord::Words);
  uint32_t handle = entry[word(DatagramWord::Handle)];
  uint32_t offset = entry[word(DatagramWord::Offset)];
  uint32_t length = length_of(entry);
  uint32_t flags = entry[word(DatagramWord::Length)] & ~(kDatagramTruncated - 1);
  if ((flags & ~kDatagramReceived) != 0 || length > kDatagramBytesMax) return false;
  if ((entry[word(DatagramWord::Port)] & ~(0xffffu | kDatagramIpv6 | kDatagramAddressed)) != 0) return false;
  if (Slab<DatagramSocket>::slot_of(handle) >= sockets_.high_water()) return false;
  uint32_t limit = flags != 0 ? filled_ : kDatagramSendBytes;
  if (offset > limit || length > limit - offset) return false;

  DatagramSocket* socket = sockets_.lookup(handle);
  if (socket == nullptr || socket->phase != DatagramSocket::Phase::Open) return true;
  next_[index] = DatagramSocket::kNone;
  if (socket->first_send == DatagramSocket::kNone) {
    socket->first_send = index;
    sending_.push(socket);
  } else {
    next_[socket->last_send] = index;
  }
  socket->last_send = index;
  return true;
}

const uint8_t* DatagramSockets::bytes_of(const uint32_t* entry) const {
  bool received = (entry[word(DatagramWord::Length)] & kDatagramReceived) != 0;
  return (received ? memory_.receive : memory_.send) + entry[word(DatagramWord::Offset)];
}

const uint32_t* DatagramSockets::entry_at(uint32_t index) const {
  return memory_.sends + index * word(DatagramWord::Words);
}

// The header of message `at`, whose first span is filled. False: no such address for this socket.
bool DatagramSockets::address_message(const DatagramSocket& socket, uint32_t at, const uint32_t* peer) {
  msghdr& header = batch_->messages[at].msg_hdr;
  header = {};
  header.msg_iov = batch_->spans[at];
  header.msg_iovlen = 1;
  if ((peer[0] & kDatagramAddressed) == 0) return true;
  header.msg_name = &batch_->names[at];
  header.msg_namelen = write_name(peer, socket.family, &batch_->names[at]);
  return header.msg_namelen != 0;
}

// Most of what sending costs is the same for one datagram and for sixty that the kernel cuts from one message, so those
// to one peer go together, even if others stand between them: the order is each peer's own.
void DatagramSockets::group_sends(DatagramSocket& socket) {
  group_count_ = 0;
  memset(open_groups_, 0, sizeof open_groups_);
  for (uint32_t index = socket.first_send; index != DatagramSocket::kNone; index = next_[index]) {
    const uint32_t* entry = entry_at(index);
    const uint32_t* peer = entry + word(DatagramWord::Port);
    uint32_t length = length_of(entry);
    next_in_group_[index] = DatagramSocket::kNone;
    uint16_t& open = open_groups_[hash_of(peer)];
    if (open != 0) {
      Group& group = groups_[open - 1];
      if (length > 0 && length <= group.segment_bytes && group.bytes + length <= kMessageBytesMax &&
          is_same_peer(entry_at(group.first) + word(DatagramWord::Port), peer)) {
        next_in_group_[group.last] = index;
        group.last = index;
        group.bytes += length;
        group.count++;
        if (length < group.segment_bytes || group.count == kSegmentsMax) group.segment_bytes = 0;
        continue;
      }
    }
    bool may_grow = socket.segments && length <= kSegmentBytesMax;
    groups_[group_count_++] = {index, index, 1, may_grow ? length : 0, length};
    open = static_cast<uint16_t>(group_count_);
  }
}

// Messages for as many groups as a batch holds; 0: the first one's peer has an address that the socket cannot have.
uint32_t DatagramSockets::gather_groups(const DatagramSocket& socket, uint32_t from) {
  uint32_t count = 0;
  uint32_t spans = 0;
  for (; from + count < group_count_ && count < kBatch; count++) {
    const Group& group = groups_[from + count];
    const uint32_t* first = entry_at(group.first);
    if (!address_message(socket, count, first + word(DatagramWord::Port))) return count;
    msghdr& header = batch_->messages[count].msg_hdr;
    header.msg_iov = &group_spans_[spans];
    const uint8_t* end = nullptr;
    for (uint32_t index = group.first; index != DatagramSocket::kNone; index = next_in_group_[index]) {
      const uint32_t* entry = entry_at(index);
      const uint8_t* bytes = bytes_of(entry);
      uint32_t length = length_of(entry);
      // What lies together, as an answer made of what came together, is one span.
      if (bytes == end) {
        group_spans_[spans - 1].iov_len += length;
      } else {
        group_spans_[spans++] = {const_cast<uint8_t*>(bytes), length};
      }
      end = bytes + length;
    }
    header.msg_iovlen = static_cast<decltype(header.msg_iovlen)>(&group_spans_[spans] - header.msg_iov);
    if (group.count > 1) set_segments(&header, &batch_->controls[count], static_cast<uint16_t>(length_of(first)));
  }
  return count;
}

// A message that fails is tried twice: the kernel gives a pending error, of an earlier datagram (ICMP), to the next call
// and sends nothing by it. A group that fails twice is sent as single datagrams, by way of the queue: the device or the
// path may not take segments.
void DatagramSockets::transmit(DatagramSocket& socket) {
  uint32_t first_error = received_;
  group_sends(socket);
  socket.first_send = DatagramSocket::kNone;
  int failed = 0;  // the error of the group at `at`, the first time
  uint32_t at = 0;
  while (at < group_count_ && socket.queue_head == nullptr) {
    const Group& group = groups_[at];
    const uint32_t* peer = entry_at(group.first) + word(DatagramWord::Port);
    uint32_t count = gather_groups(socket, at);
    if (count == 0) {
      for (uint32_t i = 0; i < group.count; i++) enter_error(-EAFNOSUPPORT, Syscall::Write, peer);
      socket.lost += group.count;
      failed = 0;
      at++;
      continue;
    }
    int sent = send_messages(socket.fd, batch_->messages, count);
    counters_.kernel_entries++;
    if (sent > 0) {
      if (failed != 0) enter_error(failed, Syscall::Write, peer);
      for (uint32_t gone = at + static_cast<uint32_t>(sent); at < gone; at++) {
        counters_.sent += groups_[at].count;
        counters_.sent_bytes += groups_[at].bytes;
      }
      failed = 0;
    } else if (sent == -EAGAIN) {
      break;
    } else if (failed == 0) {
      failed = sent;
    } else if (group.count > 1) {
      if (sent != failed) enter_error(failed, Syscall::Write, peer);
      socket.segments = false;
      break;
    } else {
      if (sent != failed) enter_error(failed, Syscall::Write, peer);
      enter_error(sent, Syscall::Write, peer);
      socket.lost++;
      failed = 0;
      at++;
    }
  }
  bool single = at < group_count_ && socket.queue_head == nullptr && failed != 0;
  if (at < group_count_) {
    for (; at < group_count_; at++) {
      for (uint32_t i = groups_[at].first; i != DatagramSocket::kNone; i = next_in_group_[i]) {
        enqueue(socket, entry_at(i));
      }
    }
    queue_changed(socket);
    touch(socket);
  }
  report(socket, first_error);
  if (single) transmit_queue(socket);
}

void DatagramSockets::transmit_queue(DatagramSocket& socket) {
  uint32_t first_error = received_;
  int failed = 0;
  while (socket.queue_head != nullptr) {
    uint32_t count = 0;
    for (QueuedDatagram* datagram = socket.queue_head; datagram != nullptr && count < kBatch; count++) {
      batch_->spans[count][0] = {datagram->bytes(), datagram->length};
      address_message(socket, count, datagram->peer);  // it was checked before it was queued
      datagram = datagram->next;
    }
    int sent = send_messages(socket.fd, batch_->messages, count);
    counters_.kernel_entries++;
    if (sent == -EAGAIN) break;
    if (sent < 0 && failed == 0) {
      failed = sent;
      enter_error(sent, Syscall::Write, socket.queue_head->peer);
      continue;
    }
    if (sent < 0) {
      if (sent != failed) enter_error(sent, Syscall::Write, socket.queue_head->peer);
      socket.lost++;
    }
    failed = 0;
    for (int gone = sent < 0 ? 1 : sent; gone > 0; gone--) {
      QueuedDatagram* datagram = dequeue(socket);
      if (sent > 0) {
        counters_.sent++;
        counters_.sent_bytes += datagram->length;
      }
      free(datagram);
    }
  }
  queue_changed(socket);
  touch(socket);
  report(socket, first_error);
}

void DatagramSockets::enqueue(DatagramSocket& socket, const uint32_t* entry) {
  const uint32_t* peer = entry + word(DatagramWord::Port);
  uint32_t length = length_of(entry);
  sockaddr_in6 name;
  bool known = (peer[0] & kDatagramAddressed) == 0 || write_name(peer, socket.family, &name) != 0;
  QueuedDatagram* datagram = nullptr;
  if (known && socket.queued_bytes <= kQueuedBytesMax) {
    datagram = static_cast<QueuedDatagram*>(malloc(sizeof(QueuedDatagram) + length));
  }
  if (datagram == nullptr) {
    enter_error(known ? -ENOBUFS : -EAFNOSUPPORT, Syscall::Write, peer);
    socket.lost++;
    return;
  }
  datagram->next = nullptr;
  datagram->length = length;
  memcpy(datagram->peer, peer, sizeof datagram->peer);
  memcpy(datagram->bytes(), bytes_of(entry), length);
  (socket.queue_tail == nullptr ? socket.queue_head : socket.queue_tail->next) = datagram;
  socket.queue_tail = datagram;
  socket.queued++;
  socket.queued_bytes += length + kQueuedOverhead;
}

QueuedDatagram* DatagramSockets::dequeue(DatagramSocket& socket) {
  QueuedDatagram* first = socket.queue_head;
  if (first == nullptr) return nullptr;
  socket.queue_head = first->next;
  if (socket.queue_head == nullptr) socket.queue_tail = nullptr;
  socket.queued--;
  socket.queued_bytes -= first->length + kQueuedOverhead;
  return first;
}

void DatagramSockets::queue_changed(DatagramSocket& socket) {
  memory_.queued[Slab<DatagramSocket>::slot_of(socket.handle)] = socket.queued_bytes;
  recount(socket);
  if (socket.drain_wanted && socket.queued_bytes <= socket.drain_at) {
    socket.drain_wanted = false;
    owe(socket, DatagramSocket::kOwedDrain);
  }
}

}  // namespace millrace
#endif  // _WIN32

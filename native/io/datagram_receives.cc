#ifndef _WIN32
#include <errno.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "io/datagram_sockets.h"

namespace millrace {
namespace {

constexpr uint32_t kLineBytes = 64;

constexpr uint32_t word(DatagramWord at) { return static_cast<uint32_t>(at); }

constexpr uint32_t whole_lines(uint32_t bytes) { return (bytes + kLineBytes - 1) & ~(kLineBytes - 1); }

// From DatagramWord::Port on. An IPv4 address that comes through an IPv6 socket is an IPv4 address.
void write_peer(const sockaddr_in6& name, uint32_t* peer) {
  if (name.sin6_family == AF_INET) {
    sockaddr_in v4;
    memcpy(&v4, &name, sizeof v4);
    peer[0] = ntohs(v4.sin_port) | kDatagramAddressed;
    peer[1] = v4.sin_addr.s_addr;
    return;
  }
  peer[0] = ntohs(name.sin6_port) | kDatagramAddressed;
  if (IN6_IS_ADDR_V4MAPPED(&name.sin6_addr)) {
    memcpy(&peer[1], name.sin6_addr.s6_addr + 12, 4);
    return;
  }
  peer[0] |= kDatagramIpv6;
  memcpy(&peer[1], name.sin6_addr.s6_addr, 16);
  peer[5] = name.sin6_scope_id;
}

}  // namespace

void DatagramSockets::receive(DatagramSocket& socket) {
  if (socket.rest_head != nullptr) return;  // that came before
  if (completions_->room() == 0 || received_ == kDatagramReceives) {
    crowded_.push(&socket);
    return;
  }
  uint32_t first = received_;
  for (int round = 0; round < kReceiveRounds && receive_batch(socket); round++) {
  }
  report(socket, first);
}

// Headers for as many messages as there is room for, even if each of them is as long as can be.
uint32_t DatagramSockets::prepare_batch(DatagramSocket& socket) {
  uint32_t longest = socket.stride + whole_lines(socket.message_max);
  uint32_t room = kDatagramReceives - received_;
  uint32_t count =
      std::min({kBatch, room < socket.train ? std::min(room, 1u) : room / socket.train,
                (kDatagramReceiveBytes - filled_) / longest, std::max(1u, kReceiveStepBytes / socket.stride)});
  uint32_t near = std::min(socket.stride, socket.message_max);
  uint8_t* places = memory_.receive + filled_;
  for (uint32_t i = 0; i < count; i++) {
    msghdr& header = batch_->messages[i].msg_hdr;
    batch_->spans[i][0] = {places + i * socket.stride, near};
    batch_->spans[i][1] = {overflow_.get() + size_t{i} * kDatagramBytesMax, socket.message_max - near};
    header = {};
    header.msg_name = &batch_->names[i];
    header.msg_namelen = sizeof batch_->names[i];
    header.msg_iov = batch_->spans[i];
    header.msg_iovlen = socket.message_max > near ? 2 : 1;
    if (!socket.trains) continue;
    header.msg_control = batch_->controls[i].bytes;
    header.msg_controllen = sizeof batch_->controls[i].bytes;
  }
  return count;
}

// True: there may be more.
bool DatagramSockets::receive_batch(DatagramSocket& socket) {
  uint32_t count = prepare_batch(socket);
  if (count == 0) {
    crowded_.push(&socket);
    return false;
  }
  int result = receive_messages(socket.fd, batch_->messages, count);
  counters_.kernel_entries++;
  if (result < 0) {
    if (result == -EAGAIN) return false;
    enter_error(result, Syscall::Read, nullptr);
    return true;
  }

  auto received = static_cast<uint32_t>(result);
  uint32_t near = std::min(socket.stride, socket.message_max);
  uint32_t end = filled_ + received * socket.stride;
  uint32_t largest = 0;
  socket.train = 1;
  for (uint32_t i = 0; i < received; i++) {
    Message& message = batch_->messages[i];
    uint32_t length = message.msg_len;
    uint32_t offset = filled_ + i * socket.stride;
    if (length > near) {
      memcpy(memory_.receive + end, memory_.receive + offset, near);
      memcpy(memory_.receive + end + near, batch_->spans[i][1].iov_base, length - near);
      offset = end;
      end += whole_lines(length);
    }
    largest = std::max(largest, length);
    uint32_t peer[kPeerWords] = {};
    write_peer(batch_->names[i], peer);
    int segment_bytes = socket.trains ? segment_bytes_of(&message.msg_hdr) : 0;
    if (segment_bytes < 0) {
      enter_error(segment_bytes, Syscall::Read, peer);  // nobody can tell its datagrams apart
      continue;
    }
    Train train = {offset, length, segment_bytes == 0 ? length : static_cast<uint32_t>(segment_bytes), peer};
    bool truncated = (message.msg_hdr.msg_flags & MSG_TRUNC) != 0;
    uint32_t taken = 0;
    if (socket.rest_head != nullptr || received_ == kDatagramReceives) {
      keep_rest(socket, train, 0);
    } else if ((taken = enter_train(socket, train, truncated, kDatagramReceives)) < length) {
      keep_rest(socket, train, taken);
    }
    if (train.segment_bytes > 0) {
      socket.train = std::max(socket.train, (length + train.segment_bytes - 1) / train.segment_bytes);
    }
  }
  filled_ = end;
  socket.stride = std::clamp(whole_lines(largest), kLineBytes, whole_lines(socket.message_max));
  return received == count && socket.rest_head == nullptr;
}

// An entry for each datagram until the table has `entries_max`. The bytes that they took.
uint32_t DatagramSockets::enter_train(const DatagramSocket& socket, const Train& train, bool truncated,
                                      uint32_t entries_max) {
  uint32_t taken = 0;
  do {
    uint32_t whole = std::min(train.segment_bytes, train.length - taken);
    uint32_t length = std::min(whole, socket.bytes_max);
    bool is_cut = length < whole || (truncated && taken + whole == train.length);
    uint32_t* entry = memory_.receives + received_ * word(DatagramWord::Words);
    entry[word(DatagramWord::Handle)] = 0;
    entry[word(DatagramWord::Offset)] = train.offset + taken;
    entry[word(DatagramWord::Length)] = length | (is_cut ? kDatagramTruncated : 0);
    memcpy(entry + word(DatagramWord::Port), train.peer, kPeerWords * sizeof *entry);
    received_++;
    counters_.received++;
    counters_.received_bytes += length;
    taken += whole;
  } while (taken < train.length && received_ < entries_max);
  return taken;
}

void DatagramSockets::keep_rest(DatagramSocket& socket, const Train& train, uint32_t taken) {
  uint32_t length = train.length - taken;
  auto* rest = static_cast<RestOfTrain*>(malloc(sizeof(RestOfTrain) + length));
  if (rest == nullptr) {
    enter_error(-ENOBUFS, Syscall::Read, train.peer);
    return;
  }
  *rest = {nullptr, length, 0, train.segment_bytes, {}};
  memcpy(rest->peer, train.peer, sizeof rest->peer);
  memcpy(rest->bytes(), memory_.receive + train.offset + taken, length);
  (socket.rest_head == nullptr ? socket.rest_head : socket.rest_tail->next) = rest;
  socket.rest_tail = rest;
  touch(socket);
}

// What is left afterwards has its turn again in the next tick.
void DatagramSockets::deliver_rest(DatagramSocket& socket) {
  if (socket.phase != DatagramSocket::Phase::Open || !socket.reading) return;
  uint32_t first = received_;
  while (socket.rest_head != nullptr && received_ < kRestEntries && completions_->room() > 0) {
    RestOfTrain* rest = socket.rest_head;
    uint32_t length = std::min(rest->length - rest->taken, (kRestEntries - received_) * rest->segment_bytes);
    if (length > kDatagramReceiveBytes - filled_) break;
    memcpy(memory_.receive + filled_, rest->bytes() + rest->taken, length);
    enter_train(socket, {filled_, length, rest->segment_bytes, rest->peer}, false, kRestEntries);
    filled_ += whole_lines(length);
    rest->taken += length;
    if (rest->taken < rest->length) break;
    socket.rest_head = rest->next;
    free(rest);
  }
  report(socket, first);
  if (socket.rest_head != nullptr) resting_.push(&socket);
}

void DatagramSockets::deliver_rests() {
  for (uint32_t turns = resting_.count(); turns > 0; turns--) deliver_rest(*resting_.pop());
}

void DatagramSockets::drop_rest(DatagramSocket& socket) {
  while (RestOfTrain* rest = socket.rest_head) {
    socket.rest_head = rest->next;
    free(rest);
  }
  resting_.remove(&socket);
}

// Where the table is full it is not told: as many others are.
void DatagramSockets::enter_error(int error, Syscall call, const uint32_t* peer) {
  counters_.errors++;
  if (received_ == kDatagramReceives || completions_->room() == 0) return;
  uint32_t* entry = memory_.receives + received_ * word(DatagramWord::Words);
  entry[word(DatagramWord::Handle)] = static_cast<uint32_t>(error);
  entry[word(DatagramWord::Offset)] = 0;
  entry[word(DatagramWord::Length)] = static_cast<uint32_t>(call);
  for (uint32_t i = 0; i < kPeerWords; i++) entry[word(DatagramWord::Port) + i] = peer == nullptr ? 0 : peer[i];
  received_++;
}

void DatagramSockets::report(const DatagramSocket& socket, uint32_t first) {
  if (received_ > first) completions_->push(Completion::Datagrams, socket.handle, first, received_ - first);
}

void DatagramSockets::release_delivered() {
  filled_ = 0;
  received_ = 0;
  deliver_rests();
  // The loop tells of those that are ready in the same order each time: these would come too late again.
  for (uint32_t left = crowded_.count(); left > 0; left--) {
    DatagramSocket* socket = crowded_.pop();
    if (socket->phase == DatagramSocket::Phase::Open && socket->reading) receive(*socket);
  }
}

}  // namespace millrace
#endif  // _WIN32

#ifndef _WIN32
#include <errno.h>

#include <algorithm>
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
  if (completions_->room() == 0 || received_ == kDatagramReceives) {
    crowded_.push(&socket);
    return;
  }
  uint32_t first = received_;
  for (int round = 0; round < kReceiveRounds && receive_batch(socket); round++) {
  }
  report(socket, first);
}

// True: there may be more.
bool DatagramSockets::receive_batch(DatagramSocket& socket) {
  // Even if each of them is as long as can be.
  uint32_t longest = socket.stride + whole_lines(socket.bytes_max);
  uint32_t count = std::min({kBatch, kDatagramReceives - received_, (kDatagramReceiveBytes - filled_) / longest,
                             std::max(1u, kReceiveStepBytes / socket.stride)});
  if (count == 0) {
    crowded_.push(&socket);
    return false;
  }

  uint32_t near = std::min(socket.stride, socket.bytes_max);
  uint8_t* places = memory_.receive + filled_;
  for (uint32_t i = 0; i < count; i++) {
    msghdr& header = batch_->messages[i].msg_hdr;
    batch_->spans[i][0] = {places + i * socket.stride, near};
    batch_->spans[i][1] = {overflow_.get() + size_t{i} * kDatagramBytesMax, socket.bytes_max - near};
    header = {};
    header.msg_name = &batch_->names[i];
    header.msg_namelen = sizeof batch_->names[i];
    header.msg_iov = batch_->spans[i];
    header.msg_iovlen = socket.bytes_max > near ? 2 : 1;
  }
  int result = receive_messages(socket.fd, batch_->messages, count);
  counters_.kernel_entries++;
  if (result < 0) {
    if (result == -EAGAIN) return false;
    enter_error(result, Syscall::Read, nullptr);
    return true;
  }

  auto received = static_cast<uint32_t>(result);
  uint32_t end = filled_ + received * socket.stride;
  uint32_t largest = 0;
  for (uint32_t i = 0; i < received; i++) {
    const Message& message = batch_->messages[i];
    uint32_t length = message.msg_len;
    uint32_t offset = filled_ + i * socket.stride;
    if (length > near) {
      memcpy(memory_.receive + end, memory_.receive + offset, near);
      memcpy(memory_.receive + end + near, batch_->spans[i][1].iov_base, length - near);
      offset = end;
      end += whole_lines(length);
    }
    largest = std::max(largest, length);
    counters_.received_bytes += length;
    uint32_t* entry = memory_.receives + received_ * word(DatagramWord::Words);
    entry[word(DatagramWord::Handle)] = 0;
    entry[word(DatagramWord::Offset)] = offset;
    entry[word(DatagramWord::Length)] =
        length | ((message.msg_hdr.msg_flags & MSG_TRUNC) != 0 ? kDatagramTruncated : 0);
    write_peer(batch_->names[i], entry + word(DatagramWord::Port));
    received_++;
  }
  filled_ = end;
  counters_.received += received;
  socket.stride = std::clamp(whole_lines(largest), kLineBytes, whole_lines(socket.bytes_max));
  return received == count;
}

// Where the table is full it is not told: as many others are.
void DatagramSockets::enter_error(int error, Syscall call, const uint32_t* peer) {
  counters_.errors++;
  if (received_ == kDatagramReceives || completions_->room() == 0) return;
  uint32_t* entry = memory_.receives + received_ * word(DatagramWord::Words);
  entry[word(DatagramWord::Handle)] = static_cast<uint32_t>(error);
  entry[word(DatagramWord::Offset)] = 0;
  entry[word(DatagramWord::Length)] = static_cast<uint32_t>(call);
  for (uint32_t i = 0; i < 6; i++) entry[word(DatagramWord::Port) + i] = peer == nullptr ? 0 : peer[i];
  received_++;
}

void DatagramSockets::report(const DatagramSocket& socket, uint32_t first) {
  if (received_ > first) completions_->push(Completion::Datagrams, socket.handle, first, received_ - first);
}

void DatagramSockets::release_delivered() {
  filled_ = 0;
  received_ = 0;
  // The loop tells of those that are ready in the same order each time: these would come too late again.
  for (uint32_t left = crowded_.count(); left > 0; left--) {
    DatagramSocket* socket = crowded_.pop();
    if (socket->phase == DatagramSocket::Phase::Open && socket->reading) receive(*socket);
  }
}

}  // namespace millrace
#endif  // _WIN32

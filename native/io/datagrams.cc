// The life of UDP sockets, and what JavaScript submits about them. Nothing of that is trusted.
#ifndef _WIN32
#include "io/datagrams.h"

#include <errno.h>
#include <net/if.h>

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <new>

#include "io/datagram_sockets.h"
#include "io/descriptor.h"

namespace millrace {

std::unique_ptr<Datagrams> create_datagrams(uv_loop_t* loop, CompletionRing* completions) {
  std::unique_ptr<DatagramSockets> made(new (std::nothrow) DatagramSockets(loop, completions));
  if (!made || !made->allocate()) return nullptr;
  return made;
}

bool DatagramSockets::allocate() {
  batch_.reset(new (std::nothrow) Batch());
  overflow_.reset(new (std::nothrow) uint8_t[size_t{kBatch} * kDatagramBytesMax]);
  return batch_ && overflow_;
}

DatagramSockets::~DatagramSockets() {
  sockets_.for_each([](uint32_t, DatagramSocket& socket) {
    while (QueuedDatagram* first = socket.queue_head) {
      socket.queue_head = first->next;
      free(first);
    }
    while (RestOfTrain* first = socket.rest_head) {
      socket.rest_head = first->next;
      free(first);
    }
  });
}

int DatagramSockets::bind(const sockaddr* address, uint32_t address_bytes, uint32_t flags, uint32_t bytes_max,
                          uint32_t* handle) {
  if (memory_.receive == nullptr || bytes_max == 0 || bytes_max > kDatagramBytesMax || stopping_) return -EINVAL;
  int fd = open_datagrams(address, address_bytes, flags);
  if (fd < 0) return fd;
  DatagramSocket* socket = sockets_.allocate(handle);
  if (socket == nullptr) {
    close_descriptor(fd);
    return -ENFILE;
  }
  socket->owner = this;
  socket->fd = fd;
  socket->family = address->sa_family;
  socket->handle = *handle;
  socket->bytes_max = bytes_max;
  socket->stride = std::min(bytes_max, 2048u);
  socket->segments = has_segments(fd);
  socket->trains = receive_trains(fd);
  socket->message_max = socket->trains ? kDatagramBytesMax : bytes_max;
  if (int error = uv_poll_init_socket(loop_, &socket->poll, fd); error != 0) {
    close_descriptor(fd);
    sockets_.release(*handle);
    return error;
  }
  socket->poll.data = socket;
  uv_unref(reinterpret_cast<uv_handle_t*>(&socket->poll));
  memory_.queued[Slab<DatagramSocket>::slot_of(*handle)] = 0;
  recount(*socket);
  touch(*socket);
  return 0;
}

// nullptr: the descriptor is gone.
DatagramSocket* DatagramSockets::open_socket(uint32_t handle) {
  DatagramSocket* socket = sockets_.lookup(handle);
  return socket == nullptr || socket->fd < 0 ? nullptr : socket;
}

int DatagramSockets::connect(uint32_t handle, const sockaddr* address, uint32_t address_bytes) {
  DatagramSocket* socket = open_socket(handle);
  if (socket == nullptr) return -EBADF;
  return ::connect(socket->fd, address, address_bytes) == 0 ? 0 : -errno;
}

int DatagramSockets::name_of(uint32_t handle, bool peer, sockaddr* address, uint32_t* address_bytes) {
  DatagramSocket* socket = open_socket(handle);
  return socket == nullptr ? -EBADF : name_of_descriptor(socket->fd, peer, address, address_bytes);
}

int DatagramSockets::set_option(uint32_t handle, DatagramOption option, int value) {
  DatagramSocket* socket = open_socket(handle);
  return socket == nullptr ? -EBADF : set_datagram_option(socket->fd, socket->family, option, value);
}

int DatagramSockets::get_option(uint32_t handle, DatagramOption option) {
  DatagramSocket* socket = open_socket(handle);
  return socket == nullptr ? -EBADF : get_datagram_option(socket->fd, socket->family, option);
}

int DatagramSockets::change_membership(uint32_t handle, bool join, const sockaddr_storage& group,
                                       const sockaddr_storage* source, const char* interface_name) {
  DatagramSocket* socket = open_socket(handle);
  if (socket == nullptr) return -EBADF;
  uint32_t index = 0;
  if (*interface_name != '\0' && (index = if_nametoindex(interface_name)) == 0) return -ENODEV;
  return millrace::change_membership(socket->fd, join, group, source, index);
}

int DatagramSockets::set_multicast_interface(uint32_t handle, const char* interface_name) {
  DatagramSocket* socket = open_socket(handle);
  if (socket == nullptr) return -EBADF;
  uint32_t index = 0;
  if (*interface_name != '\0' && (index = if_nametoindex(interface_name)) == 0) return -ENODEV;
  return millrace::set_multicast_interface(socket->fd, socket->family, index);
}

bool DatagramSockets::submit(const Record& record) {
  auto kind = static_cast<Submission>(record.head & 0xff);
  if (kind < Submission::DatagramRead || kind > Submission::DatagramRef) return false;
  uint32_t flags = kind == Submission::DatagramClose ? kReset : 0;
  if ((record.head & ~(0xffu | flags)) != 0) return false;
  if (Slab<DatagramSocket>::slot_of(record.handle) >= sockets_.high_water()) return false;  // never given out
  bool is_switch = kind == Submission::DatagramRead || kind == Submission::DatagramRef;
  if (is_switch && record.a > 1) return false;
  DatagramSocket* socket = sockets_.lookup(record.handle);
  if (socket == nullptr) return true;  // stale: it may have closed just now

  switch (kind) {
    case Submission::DatagramRead:
      socket->reading = record.a == 1;
      touch(*socket);
      return true;
    case Submission::DatagramNotifyDrain:
      if (socket->phase != DatagramSocket::Phase::Open) return true;
      socket->drain_wanted = true;
      socket->drain_at = record.a;
      queue_changed(*socket);
      return true;
    case Submission::DatagramClose:
      if (socket->phase >= DatagramSocket::Phase::Ending) return true;
      socket->owed = 0;  // nothing but DatagramClosed comes after a Close
      socket->drain_wanted = false;
      drop_rest(*socket);
      socket->phase = (record.head & kReset) != 0 || socket->queue_head == nullptr ? DatagramSocket::Phase::Ending
                                                                                   : DatagramSocket::Phase::Leaving;
      touch(*socket);
      return true;
    default:
      socket->referenced = record.a == 1;
      recount(*socket);
      return true;
  }
}

bool DatagramSockets::flush() {
  pay_owed();
  while (DatagramSocket* socket = dirty_.pop()) advance(*socket);
  deliver_rests();
  pay_owed();
  return !completions_->empty();
}

void DatagramSockets::advance(DatagramSocket& socket) {
  using Phase = DatagramSocket::Phase;
  if (socket.phase == Phase::Ended) return;
  if (socket.phase == Phase::Leaving && socket.queue_head == nullptr) socket.phase = Phase::Ending;
  if (socket.phase == Phase::Ending) {
    end(socket);
    return;
  }
  if (socket.rest_head != nullptr && socket.reading) resting_.push(&socket);
  int events = socket.queue_head != nullptr ? UV_WRITABLE : 0;
  // libuv's change of events costs system calls: who is polled stays so until something comes that is not wanted.
  if (socket.phase == Phase::Open && (socket.reading || (socket.polled & UV_READABLE) != 0)) events |= UV_READABLE;
  poll_for(socket, events);
}

void DatagramSockets::poll_for(DatagramSocket& socket, int events) {
  if (socket.polled == events) return;
  socket.polled = events;
  counters_.kernel_entries++;
  if (events == 0) {
    uv_poll_stop(&socket.poll);
    return;
  }
  uv_poll_start(&socket.poll, events, [](uv_poll_t* poll, int status, int fired) {
    DatagramSocket& socket = *static_cast<DatagramSocket*>(poll->data);
    socket.owner->on_events(socket, status, fired);
  });
}

void DatagramSockets::on_events(DatagramSocket& socket, int status, int events) {
  if (socket.phase >= DatagramSocket::Phase::Ending) return;
  if (status < 0) {
    // libuv reports POLLERR so, an ICMP error for example, and has stopped polling: receiving tells what it is.
    socket.polled = 0;
    events = UV_READABLE;
    touch(socket);
  }
  if ((events & UV_WRITABLE) != 0) transmit_queue(socket);
  if ((events & UV_READABLE) == 0) return;
  if (socket.phase != DatagramSocket::Phase::Open || !socket.reading) {
    // The error is taken all the same, or the loop would be told of it for ever.
    if (status < 0) take_error(socket.fd);
    poll_for(socket, socket.polled & ~UV_READABLE);
  } else {
    receive(socket);
  }
}

void DatagramSockets::end(DatagramSocket& socket) {
  handles_closing_++;
  // Before the descriptor is closed and its number belongs to somebody else.
  uv_close(reinterpret_cast<uv_handle_t*>(&socket.poll), [](uv_handle_t* handle) {
    DatagramSocket& socket = *static_cast<DatagramSocket*>(handle->data);
    DatagramSockets* owner = socket.owner;
    owner->owe(socket, DatagramSocket::kOwedClosed);
    owner->handle_closed();
  });
  drop_rest(socket);
  socket.lost += socket.queued;
  while (QueuedDatagram* datagram = dequeue(socket)) free(datagram);
  queue_changed(socket);
  close_descriptor(socket.fd);
  socket.fd = -1;
  socket.phase = DatagramSocket::Phase::Ended;
}

void DatagramSockets::owe(DatagramSocket& socket, DatagramSocket::Owed what) {
  socket.owed |= what;
  owing_.push(&socket);
}

bool DatagramSockets::pay_owed() {
  while (DatagramSocket* socket = owing_.front()) {
    if (completions_->room() == 0) return false;
    if ((socket->owed & DatagramSocket::kOwedDrain) != 0) {
      socket->owed &= static_cast<uint8_t>(~DatagramSocket::kOwedDrain);
      completions_->push(Completion::DatagramDrain, socket->handle);
    } else if ((socket->owed & DatagramSocket::kOwedClosed) != 0) {
      completions_->push(Completion::DatagramClosed, socket->handle, socket->lost);
      owing_.remove(socket);
      release(*socket);
      continue;
    }
    if (socket->owed == 0) owing_.remove(socket);
  }
  return true;
}

void DatagramSockets::recount(DatagramSocket& socket) {
  bool alive = socket.referenced || socket.queue_head != nullptr;
  if (alive == socket.counted_alive) return;
  socket.counted_alive = alive;
  alive ? alive_++ : alive_--;
}

void DatagramSockets::release(DatagramSocket& socket) {
  assert(socket.phase == DatagramSocket::Phase::Ended && socket.fd < 0 && socket.queue_head == nullptr);
  if (socket.counted_alive) alive_--;
  dirty_.remove(&socket);
  crowded_.remove(&socket);
  sockets_.release(socket.handle);
}

DatagramCounters DatagramSockets::counters() const {
  DatagramCounters counters = counters_;
  counters.sockets_open = sockets_.live();
  // As an open stream of TCP: something may come, and virtual time must not run ahead of it.
  counters.operations_in_flight = alive_;
  return counters;
}

void DatagramSockets::stop(void (*on_stopped)(void*), void* data) {
  assert(!stopping_);
  stopping_ = true;
  on_stopped_ = on_stopped;
  stopped_data_ = data;
  handles_closing_++;
  sockets_.for_each([this](uint32_t, DatagramSocket& socket) {
    if (socket.phase == DatagramSocket::Phase::Ended) return;
    socket.phase = DatagramSocket::Phase::Ending;
    end(socket);
  });
  handle_closed();
}

// The last of them ends it all; until then every entry stays where the loop points.
void DatagramSockets::handle_closed() {
  handles_closing_--;
  if (stopping_ && handles_closing_ == 0) on_stopped_(stopped_data_);
}

}  // namespace millrace
#endif  // _WIN32

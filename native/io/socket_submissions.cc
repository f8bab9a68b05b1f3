// What JavaScript submits about sockets. Nothing here is trusted: see the contract in docs/architecture.md.
#ifndef _WIN32
#include <errno.h>

#include "io/socket_backend.h"

namespace millrace {
namespace {

// Inside the arena, and inside one block or buffer of it.
bool lies_within_one(uint32_t offset, uint32_t length, uint32_t unit_bytes, uint32_t units) {
  uint32_t arena_bytes = unit_bytes * units;
  if (offset > arena_bytes || length > arena_bytes - offset) return false;
  return length == 0 || offset / unit_bytes == (offset + length - 1) / unit_bytes;
}

}  // namespace

bool SocketBackend::submit(const Record& record) {
  auto kind = static_cast<Submission>(record.head & 0xff);
  if (kind == Submission::Send) return submit_send(record);

  if ((record.head & ~(0xffu | kReset)) != 0) return false;
  if (Slab<Socket>::slot_of(record.handle) >= sockets_.high_water()) return false;  // never given out
  Socket* socket = sockets_.lookup(record.handle);

  bool for_streams = kind == Submission::NotifyDrain || kind == Submission::Shutdown;
  bool for_all = kind == Submission::Pause || kind == Submission::Resume || kind == Submission::Close ||
                 kind == Submission::SocketRef || kind == Submission::Detach;
  if (!for_streams && !for_all) return false;
  if (kind == Submission::Detach && (record.head & kReset) != 0) return false;
  if (socket == nullptr) return true;  // stale: it may have closed just now
  if (for_streams && socket->kind != Socket::Kind::Stream) return false;

  switch (kind) {
    case Submission::NotifyDrain:
      submit_notify_drain(*socket, record.a);
      return true;
    case Submission::Pause:
    case Submission::Resume:
      socket->paused = kind == Submission::Pause;
      touch(*socket);
      return true;
    case Submission::Shutdown:
      socket->fin_wanted = true;
      touch(*socket);
      return true;
    case Submission::Close:
      submit_close(*socket, (record.head & kReset) != 0);
      return true;
    case Submission::Detach:
      submit_detach(*socket);
      return true;
    default:
      if (record.a > 1) return false;
      socket->referenced = record.a == 1;
      recount(*socket);
      return true;
  }
}

bool SocketBackend::submit_send(const Record& record) {
  if ((record.head & ~(0xffu | kFromReceiveArena)) != 0 || resources_.arenas.send == nullptr) return false;
  if (Slab<Socket>::slot_of(record.handle) >= sockets_.high_water()) return false;
  Socket* socket = sockets_.lookup(record.handle);
  if (socket != nullptr && socket->kind != Socket::Kind::Stream) return false;

  bool received = (record.head & kFromReceiveArena) != 0;
  bool fits = received ? lies_within_one(record.a, record.b, kReceiveBufferBytes, kReceiveBuffers)
                       : lies_within_one(record.a, record.b, kSendBlockBytes, kSendBlocks);
  if (!fits) return socket == nullptr ? false : refuse(*socket);
  if (socket == nullptr || socket->phase > Socket::Phase::Open) return true;
  if (record.b == 0) return true;
  // A buffer that nobody holds may be the kernel's to write into.
  if (received && !pool_.referenced(record.a / kReceiveBufferBytes)) return refuse(*socket);
  if (socket->fin_wanted) {
    fail(*socket, -EPIPE, Syscall::Write);
    return true;
  }

  auto source = received ? Segment::Source::ReceiveArena : Segment::Source::SendArena;
  if (!socket->sends.push(resources_, source, record.a, record.b)) {
    fail(*socket, -ENOBUFS, Syscall::Write);
    return true;
  }
  if (!socket->counted_alive) recount(*socket);
  touch(*socket);
  return true;
}

void SocketBackend::submit_notify_drain(Socket& socket, uint32_t low) {
  if (socket.phase > Socket::Phase::Open) return;
  // One that is due, and that JavaScript has not been told, is replaced too.
  socket.owed &= static_cast<uint8_t>(~Socket::kOwedDrain);
  socket.drain_wanted = true;
  socket.drain_low = low;
  check_drain(socket);
}

void SocketBackend::check_drain(Socket& socket) {
  if (socket.phase > Socket::Phase::Open || socket.sends.bytes() > socket.drain_low) return;
  socket.drain_wanted = false;
  owe(socket, Socket::kOwedDrain);
}

void SocketBackend::submit_close(Socket& socket, bool reset) {
  if (socket.phase >= Socket::Phase::Ended) return;
  if (reset) socket.reset = true;
  // Nothing but Closed comes after a Close.
  socket.owed &= Socket::kOwedClosed;
  bool leaves_first = socket.kind == Socket::Kind::Stream && !socket.reset && socket.phase != Socket::Phase::Ending &&
                      socket.phase != Socket::Phase::Connecting;
  socket.phase = leaves_first ? Socket::Phase::Leaving : Socket::Phase::Ending;
  touch(socket);
}

// Of a connection that does not stand yet there is nothing to give, and a Close that went before keeps the descriptor.
void SocketBackend::submit_detach(Socket& socket) {
  if (socket.phase > Socket::Phase::Open) return;
  socket.detaching = socket.phase == Socket::Phase::Open;
  submit_close(socket, false);
}

bool SocketBackend::refuse(Socket& socket) {
  fail(socket, -EINVAL, Syscall::Write);
  return false;
}

}  // namespace millrace
#endif  // _WIN32

#include "echo_connection.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <algorithm>

#include "clock.h"
#include "fail.h"

namespace load {

void EchoConnection::Send(const EchoScript& script) {
  while (sent_ < wanted_) {
    const size_t length = static_cast<size_t>(std::min<uint64_t>(wanted_ - sent_, kBufferBytes));
    const ssize_t written = send(socket_.fd(), script.pattern().At(sent_), length, MSG_NOSIGNAL);
    if (written < 0) {
      if (errno == EAGAIN) return;
      if (errno == EINTR) continue;
      Fail(kServerFailed, "send: %s", strerror(errno));
    }
    sent_ += static_cast<uint64_t>(written);
  }
}

uint64_t EchoConnection::Receive(EchoScript* script, uint8_t* buffer, Recorder* recorder, uint64_t* now_ns) {
  const ssize_t length = recv(socket_.fd(), buffer, kBufferBytes, 0);
  if (length < 0) {
    if (errno == EAGAIN || errno == EINTR) return 0;
    Fail(kServerFailed, "recv: %s", strerror(errno));
  }
  if (length == 0) Fail(kServerFailed, "the server closed a connection");
  const uint64_t bytes = static_cast<uint64_t>(length);
  if (received_ + bytes > sent_) Fail(kServerFailed, "the server sent more than it got");
  if (memcmp(buffer, script->pattern().At(received_), bytes) != 0) {
    Fail(kServerFailed, "the server echoed wrong bytes at position %llu", static_cast<unsigned long long>(received_));
  }
  received_ += bytes;
  const uint64_t count = received_ / script->message_bytes() - whole_;
  if (count == 0) return 0;
  whole_ += count;
  *now_ns = NowNs();
  for (uint64_t i = 0; i < count; i++) recorder->Answered(times_.Pop(), *now_ns);
  return count;
}

void EchoConnection::GiveUp(uint64_t now_ns, Recorder* recorder) {
  while (times_.size() > 0) recorder->GivenUp(times_.Pop(), now_ns);
}

}  // namespace load

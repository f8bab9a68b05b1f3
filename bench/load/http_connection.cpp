#include "http_connection.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <algorithm>

#include "clock.h"
#include "fail.h"
#include "pattern.h"

namespace load {

void HttpConnection::TrySend(const HttpScript& script, std::string* fault) {
  while (sent_ < wanted_) {
    const size_t length = static_cast<size_t>(std::min<uint64_t>(wanted_ - sent_, script.LengthAt(sent_)));
    const ssize_t written = send(socket_.fd(), script.At(sent_), length, MSG_NOSIGNAL);
    if (written < 0) {
      if (errno == EAGAIN) return;
      if (errno == EINTR) continue;
      *fault = std::string("send: ") + strerror(errno);
      return;
    }
    sent_ += static_cast<uint64_t>(written);
  }
}

uint64_t HttpConnection::TryReceive(HttpScript* script, uint8_t* buffer, std::string* fault) {
  const ssize_t length = recv(socket_.fd(), buffer, kBufferBytes, 0);
  if (length < 0) {
    if (errno != EAGAIN && errno != EINTR) *fault = std::string("recv: ") + strerror(errno);
    return 0;
  }
  if (length == 0) {
    *fault = reader_.is_begun() ? "the server closed a connection in the middle of a reply"
                                : "the server closed a connection";
    return 0;
  }
  uint64_t whole = 0;
  for (size_t taken = 0; taken < static_cast<size_t>(length);) {
    if (whole == times_.size()) {
      *fault = "the server sent more than it was asked for";
      return whole;
    }
    const HttpRequest& request = script->request(next_reply_);
    taken += reader_.Take(buffer + taken, static_cast<size_t>(length) - taken, request, script->memo(next_reply_));
    if (!reader_.fault().empty()) {
      *fault = request.Name() + ": " + reader_.fault();
      return whole;
    }
    if (!reader_.is_whole()) break;
    if (reader_.closes()) {
      *fault = request.Name() + ": the server announced that it closes the connection";
      return whole;
    }
    reader_.Restart();
    next_reply_ = script->After(next_reply_);
    whole++;
  }
  return whole;
}

void HttpConnection::Send(const HttpScript& script) {
  std::string fault;
  TrySend(script, &fault);
  if (!fault.empty()) Fail(kServerFailed, "%s", fault.c_str());
}

uint64_t HttpConnection::Receive(HttpScript* script, uint8_t* buffer, Recorder* recorder, uint64_t* now_ns) {
  std::string fault;
  const uint64_t whole = TryReceive(script, buffer, &fault);
  if (!fault.empty()) Fail(kServerFailed, "%s", fault.c_str());
  if (whole > 0) *now_ns = NowNs();
  for (uint64_t i = 0; i < whole; i++) recorder->Answered(times_.Pop(), *now_ns);
  return whole;
}

void HttpConnection::GiveUp(uint64_t now_ns, Recorder* recorder) {
  while (times_.size() > 0) recorder->GivenUp(times_.Pop(), now_ns);
}

}  // namespace load

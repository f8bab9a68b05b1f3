// Connect, one request, its answer, close, again, on a fixed number of slots at the same time.
//
// Who closes first keeps the connection's ports in TIME_WAIT for a minute: with `client` that is this program, which has
// many source addresses; with `server` the server; with `reset` nobody, but the server sees an error and no end.
#include "churn.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <vector>

#include "clock.h"
#include "fail.h"
#include "meter.h"
#include "modes.h"
#include "pattern.h"
#include "server_state.h"
#include "silence.h"
#include "sockets.h"

namespace load {
namespace {

constexpr int kEventsAtOnce = 64;

struct Slot {
  Descriptor socket;
  uint64_t started_ns = 0;
  uint64_t first_byte = 0;  // where its request begins in the pattern: each has another
  uint32_t sent = 0;
  uint32_t received = 0;
};

class Churn {
 public:
  Churn(const Options& options, const Meter& meter)
      : options_(options),
        meter_(meter),
        target_(options, options.sources),
        buffer_(kBufferBytes),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        slots_(options.parallel) {
    if (!epoll_.is_open()) Fail(kServerFailed, "epoll_create1: %s", strerror(errno));
  }

  ChurnResult Run() {
    const uint64_t begin_ns = NowNs();
    for (uint32_t index = 0; index < slots_.size(); index++) Start(index);
    ServeUntil(begin_ns + SecondsToNs(options_.warmup_seconds));
    whole_.Clear();
    answer_.Clear();
    ChurnResult result;
    result.window.from = meter_.Read(done_);
    ServeUntil(result.window.from.time_ns + SecondsToNs(options_.seconds));
    result.window.to = meter_.Read(done_);
    if (result.window.done() == 0) Fail(kServerFailed, "no connection was done within %g seconds", options_.seconds);
    result.whole = whole_;
    result.answer = answer_;
    result.sources = target_.sources();
    is_ending_ = true;
    while (open_ > 0) silence_.After(Poll());
    return result;
  }

 private:
  void ServeUntil(uint64_t until_ns) {
    do {
      silence_.After(Poll());
    } while (NowNs() < until_ns);
  }

  void Start(uint32_t index) {
    Slot& slot = slots_[index];
    slot.started_ns = NowNs();
    slot.first_byte = serial_++;
    slot.sent = 0;
    slot.received = 0;
    slot.socket = target_.StartConnecting();
    open_++;
    // Over loopback the connection mostly stands by now, and the request leaves at once.
    Send(&slot);
    Watch(EPOLL_CTL_ADD, index, slot.sent < options_.message_bytes ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }

  void Watch(int operation, uint32_t index, uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.u32 = index;
    if (epoll_ctl(epoll_.fd(), operation, slots_[index].socket.fd(), &event) != 0) {
      Fail(kServerFailed, "epoll_ctl: %s", strerror(errno));
    }
  }

  uint32_t Poll() {
    epoll_event events[kEventsAtOnce];
    const int count = epoll_wait(epoll_.fd(), events, kEventsAtOnce, kPollMs);
    if (count < 0 && errno != EINTR) Fail(kServerFailed, "epoll_wait: %s", strerror(errno));
    for (int i = 0; i < count; i++) {
      const uint32_t index = events[i].data.u32;
      if ((events[i].events & EPOLLOUT) != 0) {
        Send(&slots_[index]);
        if (slots_[index].sent == options_.message_bytes) Watch(EPOLL_CTL_MOD, index, EPOLLIN);
      }
      if ((events[i].events & ~static_cast<uint32_t>(EPOLLOUT)) != 0) Receive(index);
    }
    return count < 0 ? 0 : static_cast<uint32_t>(count);
  }

  void Send(Slot* slot) {
    while (slot->sent < options_.message_bytes) {
      const size_t length = std::min<size_t>(options_.message_bytes - slot->sent, kBufferBytes);
      const uint8_t* bytes = pattern_.At(slot->first_byte + slot->sent);
      const ssize_t written = send(slot->socket.fd(), bytes, length, MSG_NOSIGNAL);
      if (written < 0) {
        if (errno == EAGAIN) return;
        if (errno == EINTR) continue;
        Fail(kServerFailed, "send to %s:%u: %s", target_.host(), target_.port(), strerror(errno));
      }
      slot->sent += static_cast<uint32_t>(written);
    }
  }

  void Receive(uint32_t index) {
    Slot& slot = slots_[index];
    const ssize_t length = recv(slot.socket.fd(), buffer_.data(), kBufferBytes, 0);
    if (length < 0) {
      if (errno == EAGAIN || errno == EINTR) return;
      Fail(kServerFailed, "recv from %s:%u: %s", target_.host(), target_.port(), strerror(errno));
    }
    if (length == 0) return End(index);
    const uint64_t bytes = static_cast<uint64_t>(length);
    if (slot.received + bytes > slot.sent) Fail(kServerFailed, "the server sent more than it got");
    if (memcmp(buffer_.data(), pattern_.At(slot.first_byte + slot.received), bytes) != 0) {
      Fail(kServerFailed, "the server echoed wrong bytes at position %u", slot.received);
    }
    slot.received += static_cast<uint32_t>(bytes);
    if (slot.received < options_.message_bytes) return;
    answer_.Add(NowNs() - slot.started_ns);
    if (options_.closer == Closer::kReset) {
      slot.socket.CloseWithReset();
      return Finish(index);
    }
    // Then the server's end must come.
    if (options_.closer == Closer::kClient) shutdown(slot.socket.fd(), SHUT_WR);
  }

  void End(uint32_t index) {
    if (slots_[index].received < options_.message_bytes) {
      Fail(kServerFailed, "the server closed a connection before it had answered");
    }
    slots_[index].socket.Close();
    Finish(index);
  }

  void Finish(uint32_t index) {
    done_++;
    open_--;
    whole_.Add(NowNs() - slots_[index].started_ns);
    if (!is_ending_) Start(index);
  }

  const Options& options_;
  const Meter& meter_;
  Target target_;
  const Pattern pattern_;
  std::vector<uint8_t> buffer_;
  Descriptor epoll_;
  std::vector<Slot> slots_;
  Silence silence_;
  uint64_t serial_ = 0;
  uint64_t done_ = 0;
  uint32_t open_ = 0;
  bool is_ending_ = false;
  Histogram whole_;
  Histogram answer_;
};

}  // namespace

ChurnResult MeasureChurn(const Options& options, const Meter& meter) { return Churn(options, meter).Run(); }

Json RunChurn(const Options& options) {
  RaiseFileLimit(options.parallel);
  const Meter meter(options.server_pid);
  const ChurnResult result = MeasureChurn(options, meter);
  Json json;
  json.Text("mode", "churn")
      .Count("parallel", options.parallel)
      .Count("messageBytes", options.message_bytes)
      .Text("close", NameOf(options.closer))
      .Count("sources", result.sources);
  result.window.Write(&json, meter);
  return json.Count("connections", result.window.done())
      .Real("connectionsPerSecond", result.window.per_second(), 1)
      .Times("latencyMicroseconds", result.whole)
      .Times("answerMicroseconds", result.answer)
      .Count("timeWait", CountTimeWait(static_cast<uint16_t>(options.port)));
}

}  // namespace load

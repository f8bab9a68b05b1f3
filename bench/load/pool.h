// A pool of connections that exchange messages (over HTTP: requests and replies): what the closed and the open loop drive.
// EchoPool, HttpPool and UdpPool are those there are.
#pragma once

#include <stdint.h>

#include <algorithm>

#include "clock.h"
#include "histogram.h"
#include "silence.h"
#include "sockets.h"

namespace load {

// Takes the latencies of messages whose time (from which their latency counts) lies in [from, to).
class Recorder {
 public:
  void Open(uint64_t from_ns, uint64_t to_ns) {
    from_ns_ = from_ns;
    to_ns_ = to_ns;
    given_up_ = 0;
    latency_.Clear();
  }
  void Close() { from_ns_ = to_ns_ = 0; }

  bool Takes(uint64_t counts_from_ns) const { return counts_from_ns >= from_ns_ && counts_from_ns < to_ns_; }

  void Answered(uint64_t counts_from_ns, uint64_t now_ns) {
    answered_++;
    if (Takes(counts_from_ns)) latency_.Add(now_ns - counts_from_ns);
  }

  // A message that did not come back counts with the time that it was waited for: left out, it would make the percentiles
  // better than they are.
  void GivenUp(uint64_t counts_from_ns, uint64_t now_ns) {
    if (!Takes(counts_from_ns)) return;
    given_up_++;
    latency_.Add(now_ns - std::min(now_ns, counts_from_ns));
  }

  uint64_t answered() const { return answered_; }  // in or out of the window
  uint64_t given_up() const { return given_up_; }
  const Histogram& latency() const { return latency_; }

 private:
  uint64_t from_ns_ = 0;
  uint64_t to_ns_ = 0;
  uint64_t answered_ = 0;
  uint64_t given_up_ = 0;
  Histogram latency_;
};

class Pool {
 public:
  virtual ~Pool() = default;

  // Opens `count` connections more.
  virtual void Open(Target* target, uint32_t count) = 0;
  virtual uint32_t size() const = 0;
  // Sends `messages` more on connection `index`, all at once, or as much as its socket takes now. Their latency counts
  // from `counts_from_ns`.
  virtual void Send(uint32_t index, uint64_t counts_from_ns, uint32_t messages) = 0;
  // Waits for events, at most `timeout_ms` (-1: without limit), and handles them; the number of events of sockets.
  virtual uint32_t Poll(int timeout_ms) = 0;
  // Messages sent that neither came back nor were given up.
  virtual uint64_t waiting() const = 0;
  // Gives up all that are waiting.
  virtual void GiveUp(uint64_t now_ns) = 0;
  // The epoll in which Poll waits, so that a timer can wake it: registered with kNotASocket.
  virtual int epoll() const = 0;

  // Exchanges `messages` messages, one after the other, on each connection from `first` on; ends when all are back.
  void Exchange(uint32_t first, uint32_t messages) {
    Silence silence;
    for (uint32_t round = 0; round < messages; round++) {
      for (uint32_t index = first; index < size(); index++) Send(index, NowNs(), 1);
      while (waiting() > 0) silence.After(Poll(kPollMs));
    }
  }

  // Whether each message that is done with is at once followed by the next: the closed loop.
  void set_replaces(bool replaces) { replaces_ = replaces; }
  Recorder& recorder() { return recorder_; }

  static constexpr uint32_t kNotASocket = UINT32_MAX;

 protected:
  bool replaces() const { return replaces_; }

 private:
  Recorder recorder_;
  bool replaces_ = false;
};

}  // namespace load

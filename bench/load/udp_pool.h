// UDP sockets that echo datagrams. Each datagram carries its socket's tag and its number, so that one that comes twice, to
// the wrong socket or out of nowhere is seen; one that does not come within the time limit is lost.
#pragma once

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

#include <vector>

#include "pattern.h"
#include "pool.h"
#include "sockets.h"

namespace load {

struct DatagramHeader {
  uint64_t tag;
  uint64_t number;
};

// What became of the datagrams of one socket, by number: the latest ones, and at least all that are waited for.
class Numbers {
 public:
  enum class State : uint8_t { kWaiting, kAnswered, kLost };
  struct Entry {
    uint64_t counts_from_ns = 0;
    uint64_t sent_ns = 0;
    State state = State::kAnswered;
  };

  Numbers() : entries_(kHistory) {}

  uint64_t next() const { return next_; }
  uint64_t oldest_waiting() const { return oldest_; }
  bool Remembers(uint64_t number) const { return number + entries_.size() >= next_; }
  Entry& at(uint64_t number) { return entries_[number & (entries_.size() - 1)]; }

  void Push(uint64_t counts_from_ns, uint64_t sent_ns) {
    SkipSettled();
    if (next_ - oldest_ == entries_.size()) Grow();
    at(next_++) = {counts_from_ns, sent_ns, State::kWaiting};
  }

  void SkipSettled() {
    while (oldest_ < next_ && at(oldest_).state != State::kWaiting) oldest_++;
  }

 private:
  static constexpr size_t kHistory = 256;  // a power of two

  void Grow();

  std::vector<Entry> entries_;
  uint64_t oldest_ = 0;  // all before it are answered or lost
  uint64_t next_ = 0;
};

class UdpPool final : public Pool {
 public:
  UdpPool(const Pattern& pattern, const Options& options);

  void Open(Target* target, uint32_t count) override;

  // Came after they were given up.
  uint64_t late() const { return late_; }
  // Answers that the kernel dropped because this program did not fetch them in time: the generator's fault.
  uint64_t own_drops() const;

  uint32_t size() const override { return static_cast<uint32_t>(sockets_.size()); }
  void Send(uint32_t index, uint64_t counts_from_ns, uint32_t messages) override;
  uint32_t Poll(int timeout_ms) override;
  uint64_t waiting() const override { return waiting_; }
  void GiveUp(uint64_t now_ns) override;
  int epoll() const override { return epoll_.fd(); }

 private:
  struct Socket {
    Descriptor descriptor;
    uint64_t tag = 0;
    Numbers numbers;
    uint64_t unsent = 0;  // the first number that has not left
    bool is_watched_for_room = false;
  };

  void Flush(uint32_t index);
  size_t SendBatch(Socket* socket);
  int SendSegmented(int fd, size_t count);
  // Reads one batch; the number of datagrams that were waited for.
  uint32_t Receive(Socket* socket);
  bool Check(Socket* socket, const uint8_t* datagram, size_t length, uint64_t now_ns);
  void LoseOld(uint64_t now_ns);
  uint64_t Lose(Socket* socket, uint64_t sent_before_ns, uint64_t now_ns);
  const uint8_t* BodyOf(uint64_t number) const { return pattern_.At(number * message_bytes_); }
  [[noreturn]] void FailOn(const char* what) const;

  const Pattern& pattern_;
  const uint32_t message_bytes_;
  const uint64_t timeout_ns_;
  const char* const host_;
  const uint32_t port_;
  Descriptor epoll_;
  std::vector<Socket> sockets_;
  uint64_t waiting_ = 0;
  uint64_t late_ = 0;
  bool can_segment_ = true;
  uint64_t look_for_lost_ns_ = 0;

  std::vector<DatagramHeader> headers_;
  std::vector<iovec> out_parts_;
  std::vector<mmsghdr> out_;
  std::vector<uint8_t> buffer_;
  std::vector<iovec> in_parts_;
  std::vector<mmsghdr> in_;
};

}  // namespace load

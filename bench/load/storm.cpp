// Peers that no server likes, all at once, beside one connection that must go on being served:
//   resets      send something, read some of the answer, and break off with RST
//   half-close  send all and at once their end; the whole answer must still come, and then the server's end
//   vanish      send something, read some of the answer, and are gone without a word, as after a power cut: the server's end
//               stays half-open until it writes or looks
//   slow        send all as fast as the server takes it, and read a little each millisecond
// Those that close half and the slow ones count every byte: what was sent must come back, neither more nor less.
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <vector>

#include "clock.h"
#include "fail.h"
#include "meter.h"
#include "modes.h"
#include "random.h"
#include "server_state.h"
#include "silence.h"
#include "stream_pool.h"

namespace load {
namespace {

constexpr int kEventsAtOnce = 64;
constexpr uint32_t kControl = UINT32_MAX;
constexpr int kTickMs = 1;
constexpr size_t kSlowReadBytes = 1024;
constexpr int kSlowBufferBytes = 1 << 16;
constexpr uint32_t kControlMessageBytes = 64;
constexpr uint64_t kForgetNs = 5'000'000'000u;

enum class Manner { kReset, kVanish, kHalfClose, kSlow };
constexpr size_t kManners = 4;

struct Peer {
  Manner manner = Manner::kReset;
  Descriptor socket;
  uint64_t first_byte = 0;
  uint64_t wanted = 0;  // to send; one that breaks off stops reading after `enough`
  uint64_t enough = 0;
  uint64_t sent = 0;
  uint64_t received = 0;
  bool has_ended = false;

  bool breaks_off() const { return manner == Manner::kReset || manner == Manner::kVanish; }
};

struct Tally {
  uint64_t connections = 0;
  uint64_t sent = 0;
  uint64_t received = 0;

  Json Written() const {
    Json json;
    return json.Count("connections", connections).Count("bytesSent", sent).Count("bytesReceived", received);
  }
};

class Storm {
 public:
  Storm(const Options& options, const Meter& meter)
      : options_(options),
        meter_(meter),
        target_(options, options.sources),
        random_(options.seed),
        buffer_(kBufferBytes),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        control_script_(kControlMessageBytes),
        control_(&control_script_) {
    if (!epoll_.is_open()) Fail(kServerFailed, "epoll_create1: %s", strerror(errno));
    for (const auto& [manner, count] :
         {std::pair{Manner::kReset, options.resets}, std::pair{Manner::kVanish, options.vanish},
          std::pair{Manner::kHalfClose, options.half_close}, std::pair{Manner::kSlow, options.slow}}) {
      for (uint32_t i = 0; i < count; i++) {
        peers_.emplace_back().manner = manner;
        if (manner == Manner::kSlow) slow_.push_back(static_cast<uint32_t>(peers_.size() - 1));
      }
    }
  }

  Json Run() {
    const uint64_t descriptors = meter_.has_server() ? CountDescriptors(options_.server_pid) : 0;
    control_.Open(&target_, 1);
    Watch(control_.epoll(), kControl, EPOLLIN);
    Window window;
    window.from = meter_.Read(0);
    control_.recorder().Open(0, UINT64_MAX);
    control_.set_replaces(true);
    control_.Send(0, NowNs(), 1);
    for (uint32_t index = 0; index < peers_.size(); index++) Start(index);
    const uint64_t until_ns = window.from.time_ns + SecondsToNs(options_.seconds);
    while (NowNs() < until_ns) Turn();
    is_ending_ = true;
    for (const uint32_t index : slow_) SetReceiveBuffer(index, kBufferBytes);
    while (open_ > 0) Turn();
    control_.set_replaces(false);
    while (control_.waiting() > 0) Turn();
    window.to = meter_.Read(control_.recorder().answered());

    Json json;
    json.Text("mode", "storm").Count("messageBytes", options_.message_bytes).Count("seed", options_.seed);
    window.Write(&json, meter_);
    json.Object("resets", of(Manner::kReset).Written())
        .Object("vanish", of(Manner::kVanish).Written())
        .Object("halfClose", of(Manner::kHalfClose).Written())
        .Object("slow", of(Manner::kSlow).Written());
    Json control;
    control.Count("messages", window.done()).Times("latencyMicroseconds", control_.recorder().latency());
    json.Object("control", control);
    if (meter_.has_server()) {
      Json of_server;
      // The connection of control is open still.
      of_server.Count("before", descriptors).Count("after", AwaitDescriptors(descriptors + 1) - 1);
      json.Object("descriptors", of_server);
    }
    return json;
  }

 private:
  Tally& of(Manner manner) { return tallies_[static_cast<size_t>(manner)]; }

  void Watch(int fd, uint32_t index, uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.u32 = index;
    if (epoll_ctl(epoll_.fd(), EPOLL_CTL_ADD, fd, &event) != 0) Fail(kServerFailed, "epoll_ctl: %s", strerror(errno));
  }

  void Start(uint32_t index) {
    Peer& peer = peers_[index];
    const Manner manner = peer.manner;
    peer = Peer();
    peer.manner = manner;
    peer.first_byte = random_.Below(kPatternPeriod);
    peer.wanted = options_.message_bytes;
    if (peer.breaks_off()) {
      peer.wanted = 1 + random_.Below(options_.message_bytes);
      peer.enough = random_.Below(peer.wanted + 1);
    }
    peer.socket = target_.StartConnecting();
    open_++;
    of(peer.manner).connections++;
    if (peer.manner == Manner::kSlow) {
      SetReceiveBuffer(index, kSlowBufferBytes);
      return;
    }
    Watch(peer.socket.fd(), index, EPOLLIN | EPOLLOUT | EPOLLET);
  }

  void SetReceiveBuffer(uint32_t index, int bytes) {
    setsockopt(peers_[index].socket.fd(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  }

  void Turn() {
    epoll_event events[kEventsAtOnce];
    const int count = epoll_wait(epoll_.fd(), events, kEventsAtOnce, kTickMs);
    if (count < 0 && errno != EINTR) Fail(kServerFailed, "epoll_wait: %s", strerror(errno));
    bytes_moved_ = 0;
    const uint64_t answered = control_.recorder().answered();
    for (int i = 0; i < count; i++) {
      if (events[i].data.u32 == kControl) {
        control_.Poll(0);
      } else {
        Go(events[i].data.u32);
      }
    }
    const uint64_t now_ns = NowNs();
    if (now_ns >= next_tick_ns_) {
      next_tick_ns_ = now_ns + kTickMs * 1'000'000u;
      for (const uint32_t index : slow_) Go(index);
    }
    // At the end all must get what is theirs. That control is served counts only when nobody else is left.
    const bool is_control_served = open_ == 0 && control_.recorder().answered() > answered;
    const bool is_served = !is_ending_ || bytes_moved_ > 0 || is_control_served;
    silence_.After(is_served ? 1 : 0);
  }

  void Go(uint32_t index) {
    Peer& peer = peers_[index];
    if (!peer.socket.is_open()) return;
    Send(&peer);
    if (peer.breaks_off()) {
      Receive(&peer, peer.enough);
      if (peer.has_ended) Fail(kServerFailed, "the server closed a connection");
      if (is_ending_ || (peer.sent == peer.wanted && peer.received >= peer.enough)) {
        BreakOff(&peer);
        Finish(index);
      }
      return;
    }
    // A slow reader that is to end reads as fast as anybody.
    const bool is_slow = peer.manner == Manner::kSlow && !is_ending_;
    Receive(&peer, is_slow ? std::min<uint64_t>(peer.received + kSlowReadBytes, peer.wanted + 1) : peer.wanted + 1);
    if (!peer.has_ended) return;
    if (peer.received != peer.wanted) {
      Fail(kServerFailed, "the server closed after %llu of %llu bytes", static_cast<unsigned long long>(peer.received),
           static_cast<unsigned long long>(peer.wanted));
    }
    peer.socket.Close();
    Finish(index);
  }

  void Send(Peer* peer) {
    if (peer->sent == peer->wanted) return;
    while (peer->sent < peer->wanted) {
      const size_t length = static_cast<size_t>(std::min<uint64_t>(peer->wanted - peer->sent, kBufferBytes));
      const uint8_t* bytes = pattern_.At(peer->first_byte + peer->sent);
      const ssize_t written = send(peer->socket.fd(), bytes, length, MSG_NOSIGNAL);
      if (written < 0) {
        if (errno == EAGAIN) return;
        if (errno == EINTR) continue;
        Fail(kServerFailed, "send: %s", strerror(errno));
      }
      peer->sent += static_cast<uint64_t>(written);
      of(peer->manner).sent += static_cast<uint64_t>(written);
      bytes_moved_ += static_cast<uint64_t>(written);
    }
    if (!peer->breaks_off()) shutdown(peer->socket.fd(), SHUT_WR);
  }

  // Reads until `limit` bytes have come, or no more are there.
  void Receive(Peer* peer, uint64_t limit) {
    while (peer->received < limit && !peer->has_ended) {
      const size_t length = static_cast<size_t>(std::min<uint64_t>(limit - peer->received, kBufferBytes));
      const ssize_t got = recv(peer->socket.fd(), buffer_.data(), length, 0);
      if (got < 0) {
        if (errno == EAGAIN) return;
        if (errno == EINTR) continue;
        Fail(kServerFailed, "recv: %s", strerror(errno));
      }
      if (got == 0) {
        peer->has_ended = true;
        return;
      }
      const uint64_t bytes = static_cast<uint64_t>(got);
      if (peer->received + bytes > peer->sent) Fail(kServerFailed, "the server sent more than it got");
      if (memcmp(buffer_.data(), pattern_.At(peer->first_byte + peer->received), bytes) != 0) {
        Fail(kServerFailed, "the server echoed wrong bytes at position %llu",
             static_cast<unsigned long long>(peer->received));
      }
      peer->received += bytes;
      of(peer->manner).received += bytes;
      bytes_moved_ += bytes;
    }
  }

  static void BreakOff(Peer* peer) {
    if (peer->manner == Manner::kReset) return peer->socket.CloseWithReset();
    // A socket under repair is closed without a packet.
    const int on = 1;
    if (setsockopt(peer->socket.fd(), IPPROTO_TCP, TCP_REPAIR, &on, sizeof on) != 0) {
      Fail(kServerFailed, "--vanish needs the capability CAP_NET_ADMIN: %s", strerror(errno));
    }
    peer->socket.Close();
  }

  void Finish(uint32_t index) {
    open_--;
    if (!is_ending_) Start(index);
  }

  // The server may need a moment to see the last ends.
  uint64_t AwaitDescriptors(uint64_t wanted) const {
    const timespec pause{0, 1'000'000};
    const uint64_t until_ns = NowNs() + kForgetNs;
    for (;;) {
      const uint64_t count = CountDescriptors(options_.server_pid);
      if (count <= wanted || NowNs() > until_ns) return count;
      nanosleep(&pause, nullptr);
    }
  }

  const Options& options_;
  const Meter& meter_;
  Target target_;
  const Pattern pattern_;
  Random random_;
  std::vector<uint8_t> buffer_;
  Descriptor epoll_;
  EchoScript control_script_;
  EchoPool control_;
  std::vector<Peer> peers_;
  std::vector<uint32_t> slow_;
  Tally tallies_[kManners];
  Silence silence_;
  uint64_t next_tick_ns_ = 0;
  uint64_t bytes_moved_ = 0;
  uint64_t open_ = 0;
  bool is_ending_ = false;
};

}  // namespace

Json RunStorm(const Options& options) {
  RaiseFileLimit(uint64_t{options.resets} + options.vanish + options.half_close + options.slow);
  const Meter meter(options.server_pid);
  return Storm(options, meter).Run();
}

}  // namespace load

// A pool of TCP connections, each of which sends what its script says and checks what comes back.
#pragma once

#include <stdint.h>

#include <vector>

#include "echo_connection.h"
#include "http_connection.h"
#include "pool.h"
#include "sockets.h"

namespace load {

template <class Connection>
class StreamPool final : public Pool {
 public:
  using Script = typename Connection::Script;

  explicit StreamPool(Script* script);

  void Open(Target* target, uint32_t count) override;
  void Close();
  // How many messages each connection sends in all while they are replaced; without it there is no end.
  void LimitTo(uint32_t messages) { limit_ = messages; }

  uint32_t size() const override { return static_cast<uint32_t>(connections_.size()); }
  void Send(uint32_t index, uint64_t counts_from_ns, uint32_t messages) override;
  uint32_t Poll(int timeout_ms) override;
  uint64_t waiting() const override { return waiting_; }
  void GiveUp(uint64_t now_ns) override;
  int epoll() const override { return epoll_.fd(); }

 private:
  void Receive(uint32_t index);
  void Flush(uint32_t index);
  uint32_t StillAllowed(uint32_t index, uint64_t wanted) const;

  Script* const script_;
  std::vector<uint8_t> buffer_;
  Descriptor epoll_;
  std::vector<Connection> connections_;
  std::vector<uint32_t> sent_;  // messages of each connection
  uint32_t limit_ = UINT32_MAX;
  uint64_t waiting_ = 0;
};

using EchoPool = StreamPool<EchoConnection>;
using HttpPool = StreamPool<HttpConnection>;

}  // namespace load

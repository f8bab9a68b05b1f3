// A connection over which HTTP requests are sent, many at a time if wanted, and their replies checked in their order.
#pragma once

#include <stdint.h>

#include <string>

#include "http_reply.h"
#include "http_script.h"
#include "pool.h"
#include "sockets.h"
#include "time_queue.h"

namespace load {

// Positions are those of the script's row, counted on from the place where the connection begins. Invariant:
// sent <= wanted, and wanted is the end of the last request that is waited for.
class HttpConnection {
 public:
  using Script = HttpScript;

  HttpConnection(Descriptor socket, const HttpScript& script, uint32_t place)
      : socket_(std::move(socket)),
        wanted_(script.begin(place)),
        sent_(wanted_),
        next_request_(place),
        next_reply_(place) {}

  int fd() const { return socket_.fd(); }
  bool is_blocked() const { return sent_ < wanted_; }
  size_t waiting() const { return times_.size(); }

  void Want(const HttpScript& script, uint64_t counts_from_ns) {
    times_.Push(counts_from_ns);
    wanted_ += script.length(next_request_);
    next_request_ = script.After(next_request_);
  }

  // Both end the program when the connection has failed.
  void Send(const HttpScript& script);
  uint64_t Receive(HttpScript* script, uint8_t* buffer, Recorder* recorder, uint64_t* now_ns);

  // Send as much as the socket takes; receive once, and give the number of replies that are now whole. `fault` says why the
  // connection is of no further use, and stays empty while it is.
  void TrySend(const HttpScript& script, std::string* fault);
  uint64_t TryReceive(HttpScript* script, uint8_t* buffer, std::string* fault);

  void GiveUp(uint64_t now_ns, Recorder* recorder);
  // The oldest request, whose reply is whole.
  void Forget() { times_.Pop(); }

  bool is_watched_for_room = false;

 private:
  Descriptor socket_;
  ReplyReader reader_;
  TimeQueue times_;
  uint64_t wanted_;
  uint64_t sent_;
  uint32_t next_request_;
  uint32_t next_reply_;
};

}  // namespace load

// A mix of requests as an endless row of bytes: they follow one another in a fixed order in which each has its share, and
// every connection goes through them from a place of its own.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <string>
#include <vector>

#include "http_reply.h"
#include "http_request.h"
#include "sockets.h"

namespace load {

class HttpScript {
 public:
  HttpScript(const std::vector<HttpRequest>& requests, const Target& target);

  // Places: which of the requests stands where. After the last one the row begins again.
  uint32_t places() const { return static_cast<uint32_t>(order_.size()); }
  uint32_t After(uint32_t place) const { return place + 1 == places() ? 0 : place + 1; }
  const HttpRequest& request(uint32_t place) const { return requests_[order_[place]]; }
  HeadMemo* memo(uint32_t place) { return &memos_[order_[place]]; }

  // The request at `place` is `length(place)` bytes long and begins at byte `begin(place)` of the row.
  uint64_t begin(uint32_t place) const { return begins_[place]; }
  uint64_t length(uint32_t place) const { return lengths_[order_[place]]; }

  // The bytes of the row from `position` on, as many as lie in one piece: at least a whole turn of it.
  const char* At(uint64_t position) const { return row_.data() + position % turn_bytes_; }
  size_t LengthAt(uint64_t position) const { return row_.size() - static_cast<size_t>(position % turn_bytes_); }

 private:
  const std::vector<HttpRequest>& requests_;
  std::vector<HeadMemo> memos_;    // one for each request
  std::vector<uint64_t> lengths_;  // likewise
  std::vector<uint32_t> order_;
  std::vector<uint64_t> begins_;
  std::string row_;
  uint64_t turn_bytes_ = 0;
};

}  // namespace load

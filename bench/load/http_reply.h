// Reads the replies of one connection, strictly: what is not a well-formed HTTP/1.1 reply with the status and the body that
// are wanted is a fault, and the connection is of no further use.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <string>
#include <string_view>

#include "http_request.h"

namespace load {

struct ReplyHead {
  uint32_t status = 0;
  bool is_chunked = false;
  bool closes = false;  // the server will close the connection after this reply
  bool has_length = false;
  uint64_t body_bytes = 0;
};

// Reads a whole head, with its empty line. What is wrong with it, or nullptr.
const char* ReadHead(std::string_view bytes, ReplyHead* head);

// The last head that was read and found right. Most heads are the same but for a date that changes once a second: the same
// bytes need not be read twice.
struct HeadMemo {
  std::string bytes;
  ReplyHead head;
};

class ReplyReader {
 public:
  // Takes from `bytes` what belongs to the reply to `request`: less than `length` when it is whole, or at a fault.
  size_t Take(const uint8_t* bytes, size_t length, const HttpRequest& request, HeadMemo* memo);

  bool is_whole() const { return state_ == State::kWhole; }
  bool is_begun() const { return state_ != State::kHead || !pending_.empty(); }
  bool closes() const { return head_.closes; }
  // What is wrong; empty while nothing is.
  const std::string& fault() const { return fault_; }

  // For the next reply, after a whole one.
  void Restart() { state_ = State::kHead; }

 private:
  enum class State { kHead, kBody, kChunkLine, kChunk, kChunkEnd, kTrailers, kWhole };

  size_t TakeHead(std::string_view bytes, const HttpRequest& request, HeadMemo* memo);
  bool BeginBody(const HttpRequest& request);
  size_t TakeBody(std::string_view bytes, const HttpRequest& request);
  // A line into `pending_`, whole when it ends with CRLF; nullptr while it is not.
  size_t TakeLine(std::string_view bytes, bool* is_whole);
  void EndLine(const HttpRequest& request);
  bool Check(std::string_view body, const HttpRequest& request);
  void EndBody(const HttpRequest& request);
  void Blame(std::string fault) { fault_ = std::move(fault); }

  State state_ = State::kHead;
  ReplyHead head_;
  uint64_t remaining_ = 0;  // of the body, or of the chunk
  uint64_t position_ = 0;   // in the body
  uint32_t trailers_ = 0;
  std::string pending_;  // a head or a line that has not come whole
  std::string fault_;
};

}  // namespace load

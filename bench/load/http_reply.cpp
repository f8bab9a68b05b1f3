#include "http_reply.h"

#include <string.h>

#include <algorithm>

namespace load {
namespace {

constexpr size_t kMaxHeadBytes = 1u << 16;
constexpr size_t kMaxLineBytes = 1024;
constexpr uint32_t kMaxTrailers = 64;
constexpr uint64_t kMaxChunkBytes = uint64_t{1} << 40;

// Bare, or followed by an extension; what is wrong with it, or nullptr.
const char* ReadChunkLine(std::string_view line, uint64_t* chunk_bytes) {
  *chunk_bytes = 0;
  size_t digits = 0;
  for (; digits < line.size(); digits++) {
    const char c = line[digits];
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) break;
    *chunk_bytes = *chunk_bytes * 16 + static_cast<uint64_t>(digit);
    if (*chunk_bytes > kMaxChunkBytes) return "a reply with a chunk beyond all measure";
  }
  if (digits == 0 || (digits < line.size() && line[digits] != ';')) return "a reply with a chunk that has no size";
  return nullptr;
}

}  // namespace

size_t ReplyReader::Take(const uint8_t* bytes, size_t length, const HttpRequest& request, HeadMemo* memo) {
  std::string_view rest(reinterpret_cast<const char*>(bytes), length);
  while (!rest.empty() && state_ != State::kWhole && fault_.empty()) {
    size_t taken = 0;
    bool is_line = false;
    switch (state_) {
      case State::kHead:
        taken = TakeHead(rest, request, memo);
        break;
      case State::kBody:
      case State::kChunk:
        taken = TakeBody(rest, request);
        break;
      default:
        taken = TakeLine(rest, &is_line);
        if (is_line) EndLine(request);
    }
    rest.remove_prefix(taken);
  }
  return length - rest.size();
}

size_t ReplyReader::TakeHead(std::string_view bytes, const HttpRequest& request, HeadMemo* memo) {
  if (pending_.empty() && !memo->bytes.empty() && bytes.substr(0, memo->bytes.size()) == memo->bytes) {
    head_ = memo->head;
    BeginBody(request);
    return memo->bytes.size();
  }
  // The end may lie across what has come before and what comes now.
  const size_t before = pending_.size();
  const size_t looked_at = std::min<size_t>(before, 3);
  pending_.append(bytes.substr(0, kMaxHeadBytes));
  const size_t end = pending_.find("\r\n\r\n", before - looked_at);
  if (end == std::string::npos) {
    if (pending_.size() > kMaxHeadBytes) Blame("a reply whose head has no end");
    return bytes.size();
  }
  pending_.resize(end + 4);
  const size_t taken = pending_.size() - before;
  if (const char* fault = ReadHead(pending_, &head_); fault != nullptr) {
    Blame(fault);
    return taken;
  }
  if (head_.status < 200) {
    pending_.clear();  // an interim reply: the real one follows
    return taken;
  }
  if (BeginBody(request)) *memo = {pending_, head_};
  pending_.clear();
  return taken;
}

// Whether a body may begin as the head says.
bool ReplyReader::BeginBody(const HttpRequest& request) {
  if (head_.status != request.status) {
    Blame("status " + std::to_string(head_.status) + " instead of " + std::to_string(request.status));
    return false;
  }
  position_ = 0;
  const bool is_bare = request.method == "HEAD" || head_.status == 204 || head_.status == 304;
  if (is_bare) {
    state_ = State::kWhole;
  } else if (head_.is_chunked) {
    state_ = State::kChunkLine;
  } else if (head_.has_length) {
    remaining_ = head_.body_bytes;
    state_ = State::kBody;
    if (request.known != HttpRequest::Known::kNothing && remaining_ != request.expected_length) {
      Blame("a body of " + std::to_string(remaining_) + " bytes instead of " + std::to_string(request.expected_length));
    } else if (remaining_ == 0) {
      EndBody(request);
    }
  } else {
    Blame("a reply without a length");
  }
  return fault_.empty();
}

size_t ReplyReader::TakeBody(std::string_view bytes, const HttpRequest& request) {
  const size_t taken = static_cast<size_t>(std::min<uint64_t>(remaining_, bytes.size()));
  if (!Check(bytes.substr(0, taken), request)) return taken;
  position_ += taken;
  remaining_ -= taken;
  if (remaining_ > 0) return taken;
  if (state_ == State::kChunk) {
    state_ = State::kChunkEnd;
  } else {
    EndBody(request);
  }
  return taken;
}

bool ReplyReader::Check(std::string_view body, const HttpRequest& request) {
  if (request.known == HttpRequest::Known::kNothing) return true;
  if (position_ + body.size() > request.expected_length) {
    Blame("a body of more than " + std::to_string(request.expected_length) + " bytes");
  } else if (request.known == HttpRequest::Known::kBytes &&
             memcmp(body.data(), request.expected_body.data() + position_, body.size()) != 0) {
    Blame("a body with wrong bytes");
  }
  return fault_.empty();
}

void ReplyReader::EndBody(const HttpRequest& request) {
  state_ = State::kWhole;
  if (request.known != HttpRequest::Known::kNothing && position_ != request.expected_length) {
    Blame("a body of " + std::to_string(position_) + " bytes instead of " + std::to_string(request.expected_length));
  }
}

size_t ReplyReader::TakeLine(std::string_view bytes, bool* is_whole) {
  const size_t end = bytes.find('\n');
  const size_t taken = end == std::string_view::npos ? bytes.size() : end + 1;
  if (pending_.size() + taken > kMaxLineBytes) {
    Blame("a reply with a line that has no end");
    return taken;
  }
  pending_.append(bytes.substr(0, taken));
  if (end == std::string_view::npos) return taken;
  *is_whole = pending_.size() >= 2 && pending_[pending_.size() - 2] == '\r';
  if (!*is_whole) Blame("a reply with a bare line feed");
  return taken;
}

// `pending_` is a whole line between the chunks, or a trailer.
void ReplyReader::EndLine(const HttpRequest& request) {
  const std::string_view line = std::string_view(pending_).substr(0, pending_.size() - 2);
  if (state_ == State::kChunkLine) {
    if (const char* fault = ReadChunkLine(line, &remaining_); fault != nullptr) Blame(fault);
    state_ = remaining_ == 0 ? State::kTrailers : State::kChunk;
    trailers_ = 0;
  } else if (state_ == State::kChunkEnd) {
    if (!line.empty()) Blame("a reply with a chunk that is longer than its size");
    state_ = State::kChunkLine;
  } else if (line.empty()) {
    EndBody(request);
  } else if (++trailers_ > kMaxTrailers) {
    Blame("a reply with too many trailers");
  }
  pending_.clear();
}

}  // namespace load

#include "core/http/chunks.h"

#include "core/http/characters.h"

namespace millrace {

namespace {

constexpr uint64_t kSizeMax = (uint64_t{1} << 53) - 1;  // what a double counts exactly
constexpr uint8_t kDigitsMax = 16;                      // zeros before the size would have no end otherwise

}  // namespace

bool ChunkReader::refuse(HttpReason reason) {
  reason_ = reason;
  return false;
}

bool ChunkReader::go(State next) {
  state_ = next;
  return true;
}

bool ChunkReader::step_size(uint8_t c) {
  if (is(c, kHexDigit)) {
    if (++digits_ > kDigitsMax) return refuse(HttpReason::BadChunkSize);
    size_ = size_ << 4 | hex_value(c);
    return size_ <= kSizeMax || refuse(HttpReason::BadChunkSize);
  }
  if (digits_ == 0) return refuse(HttpReason::BadChunkSize);
  if (c == '\r') return go(State::SizeLf);
  if (c == ';') return go(State::Ext);
  if (is_space(c)) return go(State::BeforeExt);
  return refuse(c == '\n' ? HttpReason::BareLf : HttpReason::BadChunkSize);
}

// chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS ( token / quoted-string ) ] ), RFC 9112 7.1.1. What it says is
// ignored, but not how it says it: readers that differ about its end differ about the data.
bool ChunkReader::step_extension(uint8_t c) {
  const bool token = is(c, kToken), space = is_space(c);
  const bool text = space || (c > 0x20 && c != 0x7f);
  switch (state_) {
    case State::BeforeExt:
      if (c == ';') return go(State::Ext);
      if (space) return true;
      break;
    case State::Ext:
      if (token) return go(State::ExtName);
      if (space) return true;
      break;
    case State::ExtName:
    case State::AfterName:
      if (token && state_ == State::ExtName) return true;
      if (c == '=') return go(State::ExtValue);
      if (c == ';') return go(State::Ext);
      if (space) return go(State::AfterName);
      if (c == '\r' && state_ == State::ExtName) return go(State::SizeLf);
      break;
    case State::ExtValue:
      if (c == '"') return go(State::ExtQuoted);
      if (token) return go(State::ExtToken);
      if (space) return true;
      break;
    case State::ExtToken:
    case State::AfterQuoted:
      if (token && state_ == State::ExtToken) return true;
      if (c == ';') return go(State::Ext);
      if (space) return go(State::BeforeExt);
      if (c == '\r') return go(State::SizeLf);
      break;
    case State::ExtQuoted:
      if (c == '"') return go(State::AfterQuoted);
      if (c == '\\') return go(State::ExtEscape);
      if (text) return true;
      break;
    case State::ExtEscape:
      if (text) return go(State::ExtQuoted);
      break;
    default:
      break;
  }
  return refuse(HttpReason::BadChunkExtension);
}

bool ChunkReader::step(uint8_t c) {
  switch (state_) {
    case State::Size:
      return step_size(c);
    case State::SizeLf:
      return c == '\n' || refuse(HttpReason::BareCr);
    case State::DataCr:
      state_ = State::DataLf;
      return c == '\r' || refuse(HttpReason::BadChunkEnd);
    case State::DataLf:
      state_ = State::Size;
      size_ = 0;
      digits_ = 0;
      return c == '\n' || refuse(HttpReason::BadChunkEnd);
    default:
      return step_extension(c);
  }
}

ChunkStep ChunkReader::read(const uint8_t* bytes, size_t length, uint32_t extension_bytes_max, size_t* taken) {
  size_t& at = *taken;
  for (at = 0; at < length; at++) {
    bool ends = state_ == State::SizeLf;
    if (!step(bytes[at])) return ChunkStep::Error;
    if (ends) {
      at++;
      state_ = State::DataCr;
      return size_ == 0 ? ChunkStep::Last : ChunkStep::Data;
    }
    bool in_extension = state_ > State::Size && state_ < State::SizeLf;
    if (in_extension && ++extension_bytes_ > extension_bytes_max) {
      refuse(HttpReason::ChunkExtensionsTooLarge);
      return ChunkStep::Error;
    }
  }
  return ChunkStep::Incomplete;
}

}  // namespace millrace

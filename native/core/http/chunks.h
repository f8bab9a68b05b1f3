// The framing of a chunked body: RFC 9112 7.1, at any split. The data between is the caller's.
#ifndef MILLRACE_CORE_HTTP_CHUNKS_H_
#define MILLRACE_CORE_HTTP_CHUNKS_H_

#include <cstddef>
#include <cstdint>

#include "core/http/events.h"

namespace millrace {

enum class ChunkStep {
  Incomplete,  // all bytes were taken
  Data,        // `size` bytes of data follow
  Last,        // the last chunk: trailers follow
  Error,
};

class ChunkReader {
 public:
  // Reads up to the next data, from the begin or from behind the data of the chunk before. *taken: bytes that were read.
  ChunkStep read(const uint8_t* bytes, size_t length, uint32_t extension_bytes_max, size_t* taken);

  uint64_t size() const { return size_; }
  HttpReason reason() const { return reason_; }

 private:
  enum class State : uint8_t {
    Size,       // digits
    BeforeExt,  // white space behind the size or a value: ";" has to follow
    Ext,        // behind ";"
    ExtName,
    AfterName,  // white space behind it
    ExtValue,   // behind "="
    ExtToken,
    ExtQuoted,
    ExtEscape,  // behind a backslash
    AfterQuoted,
    SizeLf,  // behind CR
    DataCr,  // behind the data
    DataLf,
  };

  bool step(uint8_t c);
  bool step_size(uint8_t c);
  bool step_extension(uint8_t c);
  bool go(State next);             // true
  bool refuse(HttpReason reason);  // false

  uint64_t size_ = 0;
  uint32_t extension_bytes_ = 0;  // of this body
  State state_ = State::Size;
  uint8_t digits_ = 0;
  HttpReason reason_ = HttpReason::None;
};

}  // namespace millrace

#endif  // MILLRACE_CORE_HTTP_CHUNKS_H_

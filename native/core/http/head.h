// The head of a request: RFC 9112, strictly. A pure function of the bytes that have come.
#ifndef MILLRACE_CORE_HTTP_HEAD_H_
#define MILLRACE_CORE_HTTP_HEAD_H_

#include <cstddef>
#include <cstdint>

#include "core/http/events.h"
#include "core/http/field_line.h"
#include "core/http/request_line.h"
#include "core/http/scanner.h"

namespace millrace {

struct HttpLimits {
  uint32_t request_line_bytes = 8 * 1024;      // without CRLF
  uint32_t head_bytes = 16 * 1024;             // from the method to the empty line, with it
  uint32_t fields = 100;                       // of a head, and of trailers
  uint32_t chunk_extension_bytes = 16 * 1024;  // of a body
  uint32_t trailer_bytes = 16 * 1024;
};

struct HttpHeadFound {
  RequestLine line;
  uint32_t flags = 0;
  size_t begin = 0;  // behind an empty line that came before
  size_t end = 0;
  uint32_t fields = 0;
  uint32_t host_field = 0;  // index + 1
  HttpSpan authority;
  uint64_t content_length = 0;
  HttpReason reason = HttpReason::None;
  // Of an incomplete head: where its last line begins, and the fields before that; 0: the request line.
  size_t last_line = 0;
};

// The head at `at`. Its fields are written into `words` as far as those reach: if found->fields is more than `room`, the
// rest is missing.
HttpStep parse_head(Scan& scan, size_t at, const HttpLimits& limits, uint32_t* words, uint32_t room,
                    HttpHeadFound* found);

// The same answer for a head that was incomplete, where no line has ended since: only its last line is read.
HttpStep continue_head(Scan& scan, size_t begin, size_t last_line, uint32_t fields, const HttpLimits& limits,
                       HttpReason* reason);

}  // namespace millrace

#endif  // MILLRACE_CORE_HTTP_HEAD_H_

// method SP request-target SP HTTP-version CRLF, RFC 9112 3: exactly one space each, nothing else around them.
#ifndef MILLRACE_CORE_HTTP_REQUEST_LINE_H_
#define MILLRACE_CORE_HTTP_REQUEST_LINE_H_

#include <cstddef>
#include <cstdint>

#include "core/http/events.h"
#include "core/http/field_line.h"
#include "core/http/scanner.h"

namespace millrace {

// Some bytes, relative to the first of the head.
struct HttpSpan {
  uint32_t offset = 0;
  uint32_t length = 0;
};

struct RequestLine {
  HttpMethod method = HttpMethod::Other;
  uint32_t method_length = 0;
  uint32_t flags = 0;  // Http10 and those that the target has
  HttpSpan target;
  HttpSpan path;
  HttpSpan authority;  // of absolute-form and authority-form
  size_t end = 0;      // behind LF
  HttpReason reason = HttpReason::None;
};

// From `begin` on; the line has at most `bytes_max` bytes without CRLF.
HttpStep read_request_line(Scan& scan, size_t begin, uint32_t bytes_max, RequestLine* line);

}  // namespace millrace

#endif  // MILLRACE_CORE_HTTP_REQUEST_LINE_H_

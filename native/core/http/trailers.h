// The fields behind a chunked body: RFC 9112 7.1.2. A pure function of the bytes that have come, as a head is.
#ifndef MILLRACE_CORE_HTTP_TRAILERS_H_
#define MILLRACE_CORE_HTTP_TRAILERS_H_

#include <cstddef>
#include <cstdint>

#include "core/http/field_line.h"
#include "core/http/head.h"

namespace millrace {

struct HttpTrailersFound {
  size_t end = 0;
  uint32_t fields = 0;  // those that are told
  HttpReason reason = HttpReason::None;
};

// The trailers at `at`, up to the empty line. Fields that may not be trailers (RFC 9110 6.5.1: framing, routing,
// authentication, request modifiers, response controls, content format) are checked and left out. If found->fields is
// more than `room`, the rest is missing from `words`.
HttpStep parse_trailers(Scan& scan, size_t at, const HttpLimits& limits, uint32_t* words, uint32_t room,
                        HttpTrailersFound* found);

}  // namespace millrace

#endif  // MILLRACE_CORE_HTTP_TRAILERS_H_

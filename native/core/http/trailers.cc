#include "core/http/trailers.h"

#include <algorithm>
#include <string_view>

#include "core/http/characters.h"
#include "core/http/field_names.h"

namespace millrace {

namespace {

// Besides those that have a number, each of which says something that must be known before the content.
constexpr std::string_view kForbidden[] = {
    "age",
    "alt-svc",
    "content-location",
    "content-security-policy",
    "expires",
    "location",
    "proxy-status",
    "proxy-connection",
    "retry-after",
    "strict-transport-security",
    "vary",
    "warning",
    "www-authenticate",
    "proxy-authenticate",
    "authentication-info",
    "proxy-authentication-info",
    "x-real-ip",
    "x-forwarded-port",
    "x-forwarded-server",
    "x-http-method-override",
    "early-data",
    "priority",
    "http2-settings",
};

bool may_be_trailer(HttpFieldName known, const uint8_t* name, size_t length) {
  if (known != HttpFieldName::Other) return false;
  return std::none_of(std::begin(kForbidden), std::end(kForbidden),
                      [&](std::string_view forbidden) { return equals_lower(name, length, forbidden); });
}

}  // namespace

HttpStep parse_trailers(Scan& scan, size_t at, const HttpLimits& limits, uint32_t* words, uint32_t room,
                        HttpTrailersFound* found) {
  const FieldSection section = {at + limits.trailer_bytes, limits.fields, HttpReason::TrailersTooLarge,
                                HttpReason::TooManyTrailers};
  const uint8_t* bytes = scan.bytes();
  uint32_t lines = 0;
  for (size_t line_begin = at;; lines++) {
    FieldLine line;
    HttpStep step = read_field_line(scan, line_begin, lines, section, &line);
    found->reason = line.reason;
    if (step != HttpStep::Complete) return step;
    if (line.last) {
      found->end = line.end;
      return step;
    }
    HttpFieldName name = field_name_of(bytes + line_begin, line.name_end - line_begin);
    if (may_be_trailer(name, bytes + line_begin, line.name_end - line_begin)) {
      if (found->fields < room) write_field(words, found->fields, at, line_begin, line, name);
      found->fields++;
    }
    line_begin = line.end;
  }
}

}  // namespace millrace

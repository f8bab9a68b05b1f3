// The numbers of known field names.
#ifndef MILLRACE_CORE_HTTP_FIELD_NAMES_H_
#define MILLRACE_CORE_HTTP_FIELD_NAMES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/http/events.h"

namespace millrace {

// By number, in lower case. [0] stands for all others.
inline constexpr std::array<std::string_view, 47> kFieldNames = {
    "",
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "connection",
    "accept",
    "accept-encoding",
    "accept-language",
    "user-agent",
    "cookie",
    "authorization",
    "cache-control",
    "if-none-match",
    "if-modified-since",
    "if-match",
    "if-unmodified-since",
    "if-range",
    "range",
    "origin",
    "referer",
    "expect",
    "upgrade",
    "te",
    "trailer",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "forwarded",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-protocol",
    "sec-websocket-extensions",
    "date",
    "via",
    "accept-charset",
    "content-encoding",
    "content-language",
    "dnt",
    "pragma",
    "upgrade-insecure-requests",
    "keep-alive",
    "content-range",
    "content-disposition",
    "proxy-authorization",
    "max-forwards",
    "set-cookie",
};

// `name` consists of tchar, `length` is not 0.
HttpFieldName field_name_of(const uint8_t* name, size_t length);

}  // namespace millrace

#endif  // MILLRACE_CORE_HTTP_FIELD_NAMES_H_

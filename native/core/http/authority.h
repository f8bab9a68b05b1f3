// The syntax of Host and of the authority of a target: uri-host [ ":" port ], RFC 9110 4.2 and 7.2, RFC 3986 3.2.
#ifndef MILLRACE_CORE_HTTP_AUTHORITY_H_
#define MILLRACE_CORE_HTTP_AUTHORITY_H_

#include <cstddef>
#include <cstdint>

namespace millrace {

struct Authority {
  bool valid = false;
  bool has_port = false;   // with at least one digit
  size_t host_length = 0;  // without the port and its colon
};

// No user information: RFC 9110 4.2.4 lets a recipient treat it as an error. The host may be empty; an IPv6 literal
// stands in brackets. A port is at most 65535, and may be empty.
Authority parse_authority(const uint8_t* bytes, size_t length);

}  // namespace millrace

#endif  // MILLRACE_CORE_HTTP_AUTHORITY_H_

// The status with which each reason is answered.
#ifndef MILLRACE_CORE_HTTP_REASONS_H_
#define MILLRACE_CORE_HTTP_REASONS_H_

#include <cstdint>

#include "core/http/events.h"

namespace millrace {

constexpr uint32_t status_of(HttpReason reason) {
  switch (reason) {
    case HttpReason::RequestLineTooLong:
      return 414;  // RFC 9112 3
    case HttpReason::HeadTooLarge:
    case HttpReason::TooManyFields:
    case HttpReason::TrailersTooLarge:
    case HttpReason::TooManyTrailers:
      return 431;  // RFC 6585 5
    case HttpReason::ChunkExtensionsTooLarge:
      return 413;                            // RFC 9112 7.1.1: "an appropriate 4xx"
    case HttpReason::MethodTooLong:          // RFC 9112 3
    case HttpReason::UnknownTransferCoding:  // RFC 9112 6.1
      return 501;
    case HttpReason::VersionNotSupported:
      return 505;  // RFC 9110 15.6.6
    case HttpReason::OutOfMemory:
      return 503;
    default:
      return 400;
  }
}

}  // namespace millrace

#endif  // MILLRACE_CORE_HTTP_REASONS_H_

// The Date of a reply: IMF-fixdate, RFC 9110 5.6.7, made anew once a second.
#ifndef MILLRACE_CORE_HTTP_DATE_H_
#define MILLRACE_CORE_HTTP_DATE_H_

#include <cstdint>

#include "core/http/events.h"

namespace millrace {

// Seconds since 1970, of a clock that costs next to nothing.
int64_t wall_clock_seconds();

class HttpDate {
 public:
  // kHttpDateBytes bytes.
  const char* at(int64_t seconds);

 private:
  int64_t seconds_ = -1;
  char text_[kHttpDateBytes + 1] = {};
};

}  // namespace millrace

#endif  // MILLRACE_CORE_HTTP_DATE_H_

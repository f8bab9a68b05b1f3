#include "fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

namespace load {

void Fail(int code, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  // A known mistake of clang-tidy 14 when it is given several files.
  vfprintf(stderr, format, arguments);  // NOLINT(clang-analyzer-valist.Uninitialized)
  va_end(arguments);
  fputc('\n', stderr);
  exit(code);
}

}  // namespace load

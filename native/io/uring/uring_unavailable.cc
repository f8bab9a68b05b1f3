#ifndef __linux__
#include "io/backend.h"

namespace millrace {

Backend* create_uring_backend(const char** reason) {
  *reason = "io_uring exists on Linux only.";
  return nullptr;
}

}  // namespace millrace
#endif  // __linux__

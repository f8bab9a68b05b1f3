// Stands in for io_uring until its backend is in the source list.
#ifdef __linux__
#include "io/backend.h"

namespace millrace {

Backend* create_uring_backend(const char** reason) {
  *reason = "this build has no io_uring backend";
  return nullptr;
}

}  // namespace millrace
#endif

// Stands in for native/io until its backends are in the source list: timers work, sockets answer ENOSYS.
#include <uv.h>

#include "io/backend.h"

namespace millrace {

namespace {

class TimersOnly : public Backend {
 public:
  const char* name() const override { return "uv"; }
  int start(uv_loop_t*, CompletionRing*) override { return 0; }
  void provide(const Arenas&) override {}
  int listen(const sockaddr*, uint32_t, int, uint32_t, uint32_t*) override { return UV_ENOSYS; }
  int connect(const sockaddr*, uint32_t, uint32_t*) override { return UV_ENOSYS; }
  int name_of(uint32_t, bool, sockaddr*, uint32_t*) override { return UV_ENOSYS; }
  bool submit(const Record&) override { return false; }
  bool harvest() override { return false; }
  void release_delivered() override {}
  bool flush() override { return false; }
  bool keeps_alive() const override { return false; }
  BackendCounters counters() const override { return {}; }
  void stop(void (*on_stopped)(void* data), void* data) override { on_stopped(data); }
};

}  // namespace

Backend* create_uring_backend(const char** reason) {
  *reason = "this build has no io_uring backend";
  return nullptr;
}

Backend* create_uv_backend() { return new TimersOnly; }

}  // namespace millrace

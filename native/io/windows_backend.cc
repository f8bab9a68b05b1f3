// Windows has timers and tasks, and no sockets of ours yet: readiness by uv_poll_t works there on sockets, but nothing
// below has been ported. Every call says so by ENOTSUP.
#ifdef _WIN32
#include <uv.h>

#include <new>

#include "io/backend.h"

namespace millrace {
namespace {

class WindowsBackend final : public Backend {
 public:
  const char* name() const override { return "uv"; }
  int start(uv_loop_t*, CompletionRing*) override { return 0; }
  void provide(const Arenas&) override {}
  int listen(const SocketAddress&, int, uint32_t, uint32_t, uint32_t*) override { return UV_ENOTSUP; }
  int connect(const SocketAddress&, const SocketAddress&, uint32_t*) override { return UV_ENOTSUP; }
  int adopt(int, uint32_t*) override { return UV_ENOTSUP; }
  int name_of(uint32_t, bool, SocketAddress*) override { return UV_ENOTSUP; }
  int descriptor_of(uint32_t, int*) override { return UV_ENOTSUP; }
  int set_option(uint32_t, SocketOption, int) override { return UV_ENOTSUP; }
  int get_option(uint32_t, SocketOption, int*) override { return UV_ENOTSUP; }
  int credentials_of(uint32_t, Credentials*) override { return UV_ENOTSUP; }
  uint32_t send_at_once(uint32_t, const uint8_t*, uint32_t) override { return 0; }
  bool submit(const Record&) override { return false; }
  bool harvest() override { return false; }
  void release_delivered() override {}
  bool flush() override { return false; }
  void make_room() override {}
  bool keeps_alive() const override { return false; }
  BackendCounters counters() const override { return {}; }
  void stop(void (*on_stopped)(void*), void* data) override { on_stopped(data); }
};

}  // namespace

Backend* create_uv_backend() { return new (std::nothrow) WindowsBackend; }

}  // namespace millrace
#endif  // _WIN32

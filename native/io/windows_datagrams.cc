// Windows has no UDP of ours yet: see windows_backend.cc.
#ifdef _WIN32
#include <uv.h>

#include <new>

#include "io/datagrams.h"

namespace millrace {
namespace {

class WindowsDatagrams final : public Datagrams {
 public:
  void provide(const DatagramMemory&) override {}
  int bind(const sockaddr*, uint32_t, uint32_t, uint32_t, uint32_t*) override { return UV_ENOTSUP; }
  int connect(uint32_t, const sockaddr*, uint32_t) override { return UV_ENOTSUP; }
  int name_of(uint32_t, bool, sockaddr*, uint32_t*) override { return UV_ENOTSUP; }
  int set_option(uint32_t, DatagramOption, int) override { return UV_ENOTSUP; }
  int get_option(uint32_t, DatagramOption) override { return UV_ENOTSUP; }
  int change_membership(uint32_t, bool, const sockaddr_storage&, const sockaddr_storage*, const char*) override {
    return UV_ENOTSUP;
  }
  int set_multicast_interface(uint32_t, const char*) override { return UV_ENOTSUP; }
  bool submit(const Record&) override { return false; }
  uint32_t take_sends() override { return 0; }
  bool harvest() override { return false; }
  void release_delivered() override {}
  bool flush() override { return false; }
  bool keeps_alive() const override { return false; }
  DatagramCounters counters() const override { return {}; }
  void stop(void (*on_stopped)(void*), void* data) override { on_stopped(data); }
};

}  // namespace

std::unique_ptr<Datagrams> create_datagrams(uv_loop_t*, CompletionRing*) {
  return std::unique_ptr<Datagrams>(new (std::nothrow) WindowsDatagrams);
}

}  // namespace millrace
#endif  // _WIN32

// Wakes the loop when the wheel's next timer is due, and nothing else: the tick looks at the wheel itself.
//
// libuv's own timers have a resolution of 1 ms (epoll_wait's), so on Linux it is a timerfd, on both backends. Elsewhere,
// and where no descriptor is left for it, a uv_timer_t.
//
// It may wake too early, never too late: reprogramming costs a system call, so an earlier time that was asked for before
// and is no longer needed is left to pass.
#ifndef MILLRACE_ADDON_TIMER_SOURCE_H_
#define MILLRACE_ADDON_TIMER_SOURCE_H_

#include <uv.h>

#include <cstdint>

namespace millrace {

class TimerSource {
 public:
  // The handle is unreferenced.
  void start(uv_loop_t* loop);
  // At uv_hrtime() == real_ns or before; UINT64_MAX: not needed.
  void wake_at(uint64_t real_ns);
  // on_closed is called with the handle's data, once.
  void close(void* data, uv_close_cb on_closed);

  bool is_timerfd() const { return descriptor_ >= 0; }
  uint64_t wakeups() const { return wakeups_; }

 private:
  void start_timer(uv_loop_t* loop);
  static void on_timer(uv_timer_t* timer);
#ifdef __linux__
  static void on_readable(uv_poll_t* poll, int status, int events);
#endif

  uv_poll_t poll_;
  uv_timer_t timer_;
  int descriptor_ = -1;
  uint64_t programmed_ns_ = UINT64_MAX;
  uint64_t wakeups_ = 0;
};

}  // namespace millrace

#endif  // MILLRACE_ADDON_TIMER_SOURCE_H_

#include "addon/timer_source.h"

#ifdef __linux__
#include <sys/timerfd.h>
#include <unistd.h>
#endif

namespace millrace {

namespace {

constexpr uint64_t kNanosecondsPerSecond = 1'000'000'000;
constexpr uint64_t kNanosecondsPerMillisecond = 1'000'000;

}  // namespace

void TimerSource::start_timer(uv_loop_t* loop) {
  uv_timer_init(loop, &timer_);
  timer_.data = this;
  uv_unref(reinterpret_cast<uv_handle_t*>(&timer_));
}

void TimerSource::on_timer(uv_timer_t* timer) {
  TimerSource* self = static_cast<TimerSource*>(timer->data);
  self->programmed_ns_ = UINT64_MAX;
  self->wakeups_++;
}

#ifdef __linux__

void TimerSource::start(uv_loop_t* loop) {
  // uv_hrtime is CLOCK_MONOTONIC on Linux, so its values can be given to the kernel as they are.
  descriptor_ = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (descriptor_ < 0) return start_timer(loop);
  if (uv_poll_init(loop, &poll_, descriptor_) != 0) {  // the user's limit of epoll watches
    ::close(descriptor_);
    descriptor_ = -1;
    return start_timer(loop);
  }
  poll_.data = this;
  uv_poll_start(&poll_, UV_READABLE, on_readable);
  uv_unref(reinterpret_cast<uv_handle_t*>(&poll_));
}

void TimerSource::on_readable(uv_poll_t* poll, int, int) {
  TimerSource* self = static_cast<TimerSource*>(poll->data);
  uint64_t expirations;
  // Fails with EAGAIN when the timer was moved after it had fired: then programmed_ns_ is the new time, and still ahead.
  if (read(self->descriptor_, &expirations, sizeof expirations) == sizeof expirations) {
    self->programmed_ns_ = UINT64_MAX;
    self->wakeups_++;
  }
}

void TimerSource::close(void* data, uv_close_cb on_closed) {
  uv_handle_t* handle =
      descriptor_ >= 0 ? reinterpret_cast<uv_handle_t*>(&poll_) : reinterpret_cast<uv_handle_t*>(&timer_);
  if (descriptor_ >= 0) {
    uv_poll_stop(&poll_);
    ::close(descriptor_);
  }
  handle->data = data;
  uv_close(handle, on_closed);
}

#else

void TimerSource::start(uv_loop_t* loop) { start_timer(loop); }

void TimerSource::close(void* data, uv_close_cb on_closed) {
  timer_.data = data;
  uv_close(reinterpret_cast<uv_handle_t*>(&timer_), on_closed);
}

#endif

void TimerSource::wake_at(uint64_t real_ns) {
  if (real_ns >= programmed_ns_) return;
  programmed_ns_ = real_ns;
#ifdef __linux__
  if (descriptor_ >= 0) {
    itimerspec when = {};
    when.it_value.tv_sec = static_cast<time_t>(real_ns / kNanosecondsPerSecond);
    when.it_value.tv_nsec = static_cast<long>(real_ns % kNanosecondsPerSecond);
    if (real_ns == 0) when.it_value.tv_nsec = 1;  // zero would disarm
    timerfd_settime(descriptor_, TFD_TIMER_ABSTIME, &when, nullptr);
    return;
  }
#endif
  uint64_t now_ns = uv_hrtime();
  uint64_t delay_ms =
      real_ns <= now_ns ? 0 : (real_ns - now_ns + kNanosecondsPerMillisecond - 1) / kNanosecondsPerMillisecond;
  // libuv counts from the time it saw when the loop last woke.
  uv_update_time(timer_.loop);
  uv_timer_start(&timer_, on_timer, delay_ms, 0);
}

}  // namespace millrace

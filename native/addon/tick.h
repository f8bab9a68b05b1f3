// The tick: what Millrace does in each turn of Node's loop, and in which order.
//
//   check (after poll)        take submissions; fire timers; harvest I/O; one call into JavaScript, if there is anything
//                             for it; take submissions; give receive buffers back; hand everything to the kernel
//   prepare (before poll)     take submissions and hand them over; decide whether the loop may block, until when, and
//                             whether the process may end
//
// Invariants:
//   - Before the loop may block, both rings are empty, no timer is due and no task is runnable; or the idle handle is
//     active, which makes libuv poll without blocking.
//   - All handles are unreferenced, except that prepare is referenced while Control.Awake is 1. JavaScript calls wake()
//     when it submits while Awake is 0, so a submission is never left behind by a loop that ends.
//   - The completion ring has room for timers and I/O alike: timers take half of it first, I/O what it needs, and timers
//     the rest. Neither can starve the other.
//   - After close() has begun JavaScript is not called again.
//
// One thread, that of the environment. The owner keeps this object until close() has reported.
#ifndef MILLRACE_ADDON_TICK_H_
#define MILLRACE_ADDON_TICK_H_

#include <uv.h>

#include <cstdint>
#include <memory>

#include "addon/drain_callback.h"
#include "addon/timer_source.h"
#include "core/clock.h"
#include "core/records.h"
#include "core/rings.h"
#include "core/wheel.h"
#include "io/backend.h"
#include "io/datagrams.h"

namespace millrace {

// Memory that JavaScript sees too, and that lives until close() has reported.
struct Rings {
  uint32_t* control;
  Record* submissions;
  Record* completions;
};

struct TickCounters {
  uint64_t turns, timers_fired, faults;
};

class Tick {
 public:
  Tick();
  Tick(const Tick&) = delete;
  Tick& operator=(const Tick&) = delete;

  void attach(const Rings& rings);
  CompletionRing* completion_ring() { return &completions_; }

  // The backend has been started on the same loop, with the completion ring of this tick.
  void start(uv_loop_t* loop, std::unique_ptr<Backend> backend);
  // on_closed runs from the loop, once, when neither the loop nor the kernel refers to this object or to the memory.
  void close(void (*on_closed)(void* data), void* data);

  // UDP, made when it is first asked for; nullptr: no memory.
  Datagrams* datagrams();
  const Datagrams* open_datagrams() const { return datagrams_.get(); }

  void flush();
  void wake();

  // The clock of the wheel.
  uint64_t now_ns() const { return clock_.now_ns(uv_hrtime()); }
  void set_real_time();
  void set_virtual_time(bool auto_advance);
  bool advance_time(double ms);  // false: too far
  bool time_is_virtual() const { return clock_.is_virtual(); }

  DrainCallback& drain_callback() { return drain_; }
  Backend* backend() { return backend_.get(); }
  const Wheel& wheel() const { return wheel_; }
  const CompletionRing& completions() const { return completions_; }
  const SubmissionRing& submissions() const { return submissions_; }
  const TimerSource& timer_source() const { return timer_source_; }
  const TickCounters& counters() const { return counters_; }

 private:
  static void on_check(uv_check_t* handle);
  static void on_prepare(uv_prepare_t* handle);
  static void on_idle(uv_idle_t*) {}
  static void on_handle_closed(uv_handle_t* handle);
  static void on_part_stopped(void* data);

  void check();
  void prepare();
  bool apply(const Record& record);
  bool apply_timer_arm(const Record& record);
  void take_submissions();
  bool fire_timers(uint32_t limit);
  bool something_is_ready();
  bool flush_kernel();
  bool is_io_in_flight() const;
  void keep_alive(bool alive);
  void set_idle(bool active);
  void part_closed();

  uint32_t& control(Control word) { return control_[static_cast<uint32_t>(word)]; }
  Wheel::Precision precision() const {
    return clock_.is_virtual() ? Wheel::Precision::kNanoseconds : Wheel::Precision::kTicks;
  }

  uint32_t* control_ = nullptr;
  SubmissionRing submissions_;
  CompletionRing completions_;
  Clock clock_;
  Wheel wheel_;
  DrainCallback drain_;
  TimerSource timer_source_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Datagrams> datagrams_;  // none until the first UDP socket

  uv_loop_t* loop_ = nullptr;
  uv_check_t check_;
  uv_prepare_t prepare_;
  uv_idle_t idle_;
  bool idle_active_ = false;
  bool awake_ = false;
  bool harvest_left_ = false;
  bool kernel_has_more_ = false;
  bool closing_ = false;
  uint32_t parts_open_ = 0;
  void (*on_closed_)(void* data) = nullptr;
  void* on_closed_data_ = nullptr;
  TickCounters counters_ = {};
};

}  // namespace millrace

#endif  // MILLRACE_ADDON_TICK_H_

#include "addon/tick.h"

#include <algorithm>

namespace millrace {

namespace {

constexpr uint32_t kTimersAtOnce = 256;

uint8_t kind_of(const Record& record) { return record.head & 0xff; }

}  // namespace

Tick::Tick() : wheel_(uv_hrtime()) {}

void Tick::attach(const Rings& rings) {
  control_ = rings.control;
  submissions_.attach(rings.control, rings.submissions);
  completions_.attach(rings.control, rings.completions);
}

void Tick::start(uv_loop_t* loop, std::unique_ptr<Backend> backend) {
  loop_ = loop;
  backend_ = std::move(backend);
  uv_check_init(loop, &check_);
  uv_prepare_init(loop, &prepare_);
  uv_idle_init(loop, &idle_);
  check_.data = prepare_.data = idle_.data = this;
  uv_check_start(&check_, on_check);
  uv_prepare_start(&prepare_, on_prepare);
  uv_unref(reinterpret_cast<uv_handle_t*>(&check_));
  uv_unref(reinterpret_cast<uv_handle_t*>(&prepare_));
  uv_unref(reinterpret_cast<uv_handle_t*>(&idle_));
  timer_source_.start(loop);
}

void Tick::close(void (*on_closed)(void* data), void* data) {
  closing_ = true;
  on_closed_ = on_closed;
  on_closed_data_ = data;
  drain_.detach();
  parts_open_ = 6;
  uv_close(reinterpret_cast<uv_handle_t*>(&check_), on_handle_closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&prepare_), on_handle_closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&idle_), on_handle_closed);
  timer_source_.close(this, on_handle_closed);
  if (datagrams_) {
    datagrams_->stop(on_part_stopped, this);
  } else {
    part_closed();
  }
  if (backend_) {
    backend_->stop(on_part_stopped, this);
  } else {
    part_closed();
  }
}

void Tick::on_handle_closed(uv_handle_t* handle) { static_cast<Tick*>(handle->data)->part_closed(); }
void Tick::on_part_stopped(void* data) { static_cast<Tick*>(data)->part_closed(); }

// Handles are closed from the loop, so this reaches 0 there, whether backend and UDP stop at once or later.
void Tick::part_closed() {
  parts_open_--;
  if (parts_open_ == 0) on_closed_(on_closed_data_);
}

void Tick::on_check(uv_check_t* handle) { static_cast<Tick*>(handle->data)->check(); }
void Tick::on_prepare(uv_prepare_t* handle) { static_cast<Tick*>(handle->data)->prepare(); }

void Tick::check() {
  counters_.turns++;
  take_submissions();
  bool more_timers = fire_timers(kCompletionCapacity / 2);
  harvest_left_ = backend_ && backend_->harvest();
  if (datagrams_ && datagrams_->harvest()) harvest_left_ = true;
  if (more_timers) fire_timers(kCompletionCapacity);

  if (!completions_.empty() || control(Control::Runnable) != 0) {
    control(Control::Ticks)++;
    completions_.publish();
    drain_.call();
  }

  take_submissions();
  // What JavaScript has not taken, because it threw, still lies in receive buffers.
  if (completions_.empty()) {
    if (backend_) backend_->release_delivered();
    if (datagrams_) datagrams_->release_delivered();
  }
  kernel_has_more_ = flush_kernel();
}

// True: completions may be ready already.
bool Tick::flush_kernel() {
  bool more = backend_ && backend_->flush();
  return (datagrams_ && datagrams_->flush()) || more;
}

void Tick::prepare() {
  take_submissions();
  kernel_has_more_ = flush_kernel();

  bool ready = something_is_ready();
  if (!ready && clock_.is_virtual()) {
    // To jump over unreferenced timers only would never end: their owners arm them again.
    bool may_jump = clock_.mode() == Clock::Mode::kAutoAdvance && wheel_.referenced() != 0 && !is_io_in_flight();
    ready = clock_.step(wheel_.earliest_deadline_ns(), may_jump) || clock_.has_target();
  } else if (!ready) {
    uint64_t next_ns = wheel_.next_expiry_ns();
    if (next_ns != Wheel::kNever) timer_source_.wake_at(clock_.real_of(next_ns));
  }
  set_idle(ready);

  keep_alive(wheel_.referenced() != 0 || control(Control::Runnable) != 0 || !completions_.empty() || harvest_left_ ||
             clock_.has_target() || (backend_ && backend_->keeps_alive()) || (datagrams_ && datagrams_->keeps_alive()));
}

bool Tick::is_io_in_flight() const {
  return (backend_ && backend_->counters().operations_in_flight != 0) ||
         (datagrams_ && datagrams_->counters().operations_in_flight != 0);
}

Datagrams* Tick::datagrams() {
  if (!datagrams_) datagrams_ = create_datagrams(loop_, &completions_);
  return datagrams_.get();
}

bool Tick::something_is_ready() {
  return kernel_has_more_ || harvest_left_ || control(Control::Runnable) != 0 || !completions_.empty() ||
         !submissions_.empty() || (wheel_.armed() != 0 && wheel_.due(now_ns(), precision()));
}

void Tick::set_idle(bool active) {
  if (active == idle_active_) return;
  idle_active_ = active;
  if (active) {
    uv_idle_start(&idle_, on_idle);
  } else {
    uv_idle_stop(&idle_);
  }
}

void Tick::keep_alive(bool alive) {
  control(Control::Awake) = alive ? 1 : 0;
  if (alive == awake_) return;
  awake_ = alive;
  if (alive) {
    uv_ref(reinterpret_cast<uv_handle_t*>(&prepare_));
  } else {
    uv_unref(reinterpret_cast<uv_handle_t*>(&prepare_));
  }
}

void Tick::wake() {
  if (!closing_) keep_alive(true);
}

void Tick::flush() {
  if (closing_) return;
  take_submissions();
  if (backend_) backend_->make_room();
}

void Tick::take_submissions() {
  // First, so that what was sent before a Close leaves before it.
  if (datagrams_) {
    uint32_t faults = datagrams_->take_sends();
    counters_.faults += faults;
    control(Control::Faults) += faults;
  }
  counters_.faults += submissions_.drain([this](const Record& record) { return apply(record); });
}

bool Tick::apply(const Record& record) {
  switch (static_cast<Submission>(kind_of(record))) {
    case Submission::TimerArm:
      return apply_timer_arm(record);
    case Submission::TimerCancel:
      if (record.handle >= wheel_.high_water()) return false;
      wheel_.cancel(record.handle);
      return true;
    case Submission::TimerRef:
      if (record.handle >= wheel_.high_water() || record.a > 1) return false;
      wheel_.set_referenced(record.handle, record.a == 1);
      return true;
    case Submission::Send:
    case Submission::NotifyDrain:
    case Submission::Pause:
    case Submission::Resume:
    case Submission::Shutdown:
    case Submission::Close:
    case Submission::SocketRef:
    case Submission::Detach:
      return backend_ && backend_->submit(record);
    case Submission::DatagramRead:
    case Submission::DatagramNotifyDrain:
    case Submission::DatagramClose:
    case Submission::DatagramRef:
      return datagrams_ && datagrams_->submit(record);
  }
  return false;
}

bool Tick::apply_timer_arm(const Record& record) {
  uint64_t deadline_ns;
  return deadline_of(record.value, &deadline_ns) &&
         wheel_.arm(record.handle, deadline_ns, (record.head & kUnref) == 0, kSubmissionCapacity);
}

// True: more are due, or may be.
bool Tick::fire_timers(uint32_t limit) {
  if (wheel_.armed() == 0) return false;  // most ticks of a server; reading the clock costs more than the rest of this
  uint64_t now = now_ns();
  uint32_t expired[kTimersAtOnce];
  while (wheel_.due(now, precision())) {
    uint32_t capacity = std::min({limit, completions_.room(), kTimersAtOnce});
    if (capacity == 0) return true;
    uint32_t count = wheel_.advance(now, expired, capacity, precision());
    for (uint32_t i = 0; i < count; i++) completions_.push(Completion::Timer, expired[i]);
    counters_.timers_fired += count;
    limit -= count;
    if (count < capacity) return false;  // all, or a cascade that goes on in the next tick
  }
  return false;
}

void Tick::set_real_time() {
  clock_.set_real(uv_hrtime());
  wake();
}

void Tick::set_virtual_time(bool auto_advance) {
  clock_.set_virtual(uv_hrtime(), auto_advance);
  wake();
}

bool Tick::advance_time(double ms) {
  wake();
  return clock_.advance(ms);
}

}  // namespace millrace

// The module: its exports, how it opens, and how it ends with its environment.
#include "addon/addon.h"
#include "addon/arguments.h"
#include "addon/continuation_data.h"
#include "addon/http.h"
#include "addon/shared_memory.h"
#include "addon/tls.h"

namespace millrace {

namespace {

// The modes of setTime; 1 is paused.
constexpr uint32_t kTimeReal = 0;
constexpr uint32_t kTimeAdvance = 2;
constexpr uint32_t kTimeAutoAdvance = 3;

}  // namespace

Addon::Addon(Napi::Env env, Napi::Object exports) {
  export_continuation_data(env, exports);
  export_tls(env, exports);
  export_http(env, exports, &io_);
  DefineAddon(exports, {
                           InstanceMethod("open", &Addon::open),
                           InstanceMethod("flush", &Addon::flush),
                           InstanceMethod("wake", &Addon::wake),
                           InstanceMethod("clock", &Addon::clock),
                           InstanceMethod("setTime", &Addon::set_time),
                           InstanceMethod("openIo", &Addon::open_io),
                           InstanceMethod("listen", &Addon::listen),
                           InstanceMethod("connect", &Addon::connect),
                           InstanceMethod("adopt", &Addon::adopt),
                           InstanceMethod("send", &Addon::send),
                           InstanceMethod("descriptor", &Addon::descriptor),
                           InstanceMethod("setOption", &Addon::set_option),
                           InstanceMethod("getOption", &Addon::get_option),
                           InstanceMethod("credentials", &Addon::credentials),
                           InstanceMethod("name", &Addon::name),
                           InstanceMethod("info", &Addon::info),
                           InstanceMethod("counters", &Addon::counters),
                           InstanceMethod("openDatagrams", &Addon::open_datagrams),
                           InstanceMethod("bindDatagrams", &Addon::bind_datagrams),
                           InstanceMethod("connectDatagrams", &Addon::connect_datagrams),
                           InstanceMethod("datagramName", &Addon::datagram_name),
                           InstanceMethod("datagramOption", &Addon::datagram_option),
                           InstanceMethod("datagramMembership", &Addon::datagram_membership),
                           InstanceMethod("datagramInterface", &Addon::datagram_interface),
                       });
}

bool Addon::require_open(Napi::Env env) {
  return opened_ || throw_error(env, "ERR_MILLRACE_INVALID_STATE", "The addon is not open: call open first");
}

// nullptr with an exception pending.
std::unique_ptr<Backend> Addon::start_backend(Napi::Env env, const std::string& wanted, uv_loop_t* loop) {
  if (wanted != "uv") {
    const char* reason = nullptr;
    std::unique_ptr<Backend> uring(create_uring_backend(&reason));
    if (uring) {
      int status = uring->start(loop, tick_.completion_ring());
      if (status == 0) return uring;
      fallback_reason_ = std::string("io_uring could not be started: ") + uv_strerror(status);
    } else {
      fallback_reason_ = reason == nullptr ? "io_uring is not available" : reason;
    }
    if (wanted == "uring") {
      throw_error(env, "ERR_MILLRACE_BACKEND", "The backend 'uring' is not available: " + fallback_reason_);
      fallback_reason_.clear();
      return nullptr;
    }
  }
  std::unique_ptr<Backend> uv(create_uv_backend());
  int status = uv ? uv->start(loop, tick_.completion_ring()) : UV_ENOMEM;
  if (status == 0) return uv;
  throw_error(env, "ERR_MILLRACE_BACKEND",
              std::string("The backend 'uv' could not be started: ") + uv_strerror(status));
  return nullptr;
}

Napi::Value Addon::open(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (!check_object(info[0], "options") || !check_function(info[1], "drain")) return Napi::Value();
  std::string wanted;
  Napi::Value backend_option = info[0].As<Napi::Object>().Get("backend");
  if (env.IsExceptionPending() || !check_string(backend_option, "options.backend", &wanted)) return Napi::Value();
  if (wanted != "auto" && wanted != "uring" && wanted != "uv") {
    throw_error(env, "ERR_MILLRACE_BACKEND",
                "options.backend must be one of 'auto', 'uring', 'uv'; got '" + wanted + "'");
    return Napi::Value();
  }

  // After the options were read: their getters are user code, and might have opened it.
  if (opened_) {
    throw_error(env, "ERR_MILLRACE_INVALID_STATE", "The addon is already open");
    return Napi::Value();
  }

  uv_loop_t* loop;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) {
    throw_error(env, "ERR_MILLRACE_ADDON", "This runtime has no libuv loop");
    return Napi::Value();
  }
  Napi::Object rings = Napi::Object::New(env);
  Napi::ArrayBuffer control = zeroed_buffer(env, static_cast<size_t>(Control::Words) * sizeof(uint32_t));
  Napi::ArrayBuffer submissions = zeroed_buffer(env, kSubmissionCapacity * sizeof(Record));
  Napi::ArrayBuffer completions = zeroed_buffer(env, kCompletionCapacity * sizeof(Record));
  if (control.IsEmpty() || submissions.IsEmpty() || completions.IsEmpty()) return Napi::Value();
  rings.Set("control", control);
  rings.Set("submissions", submissions);
  rings.Set("completions", completions);
  tick_.attach(Rings{static_cast<uint32_t*>(control.Data()), static_cast<Record*>(submissions.Data()),
                     static_cast<Record*>(completions.Data())});

  if (cleanup_hook_ == nullptr && napi_add_async_cleanup_hook(env, on_cleanup, this, &cleanup_hook_) != napi_ok) {
    throw_error(env, "ERR_MILLRACE_ADDON", "Node-API refused a clean-up hook");
    return Napi::Value();
  }
  if (!tick_.drain_callback().attach(env, info[1])) {
    throw_error(env, "ERR_MILLRACE_ADDON", "Node-API refused an async context");
    return Napi::Value();
  }
  std::unique_ptr<Backend> backend = start_backend(env, wanted, loop);
  if (!backend) {
    tick_.drain_callback().detach();
    return Napi::Value();
  }
  rings_ = Napi::Persistent(rings);
  tick_.start(loop, std::move(backend));
  opened_ = true;
  return rings;
}

// Natural exit, the end of a worker, worker.terminate(). Not process.exit() on the main thread: there the kernel ends all.
void Addon::on_cleanup(napi_async_cleanup_hook_handle, void* addon) {
  Addon* self = static_cast<Addon*>(addon);
  if (self->opened_) {
    self->tick_.close(on_closed, self);
  } else {
    on_closed(self);
  }
}

void Addon::on_closed(void* addon) {
  Addon* self = static_cast<Addon*>(addon);
  self->rings_.Reset();
  self->arenas_.Reset();
  self->io_ = Arenas();
  self->receive_memory_.Reset();
  self->datagram_memory_.Reset();
  self->datagram_arena_.Reset();
  napi_remove_async_cleanup_hook(self->cleanup_hook_);
}

Napi::Value Addon::flush(const Napi::CallbackInfo& info) {
  if (require_open(info.Env())) tick_.flush();
  return Napi::Value();
}

Napi::Value Addon::wake(const Napi::CallbackInfo& info) {
  if (require_open(info.Env())) tick_.wake();
  return Napi::Value();
}

Napi::Value Addon::clock(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), milliseconds_of(tick_.now_ns()));
}

Napi::Value Addon::set_time(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  uint32_t mode;
  double ms = 0;
  if (!require_open(env) || !check_integer(info[0], "mode", kTimeReal, kTimeAutoAdvance, &mode)) return Napi::Value();
  if (mode == kTimeReal) {
    tick_.set_real_time();
  } else if (mode != kTimeAdvance) {
    tick_.set_virtual_time(mode == kTimeAutoAdvance);
  } else if (!tick_.time_is_virtual()) {
    throw_error(env, "ERR_MILLRACE_INVALID_STATE", "Time cannot be advanced: it is not paused");
  } else if (check_number(info[1], "ms", &ms)) {
    if (ms < 0 || !tick_.advance_time(ms)) {
      throw_range_error(env, "ms must be from 0 to 9223372036854 (292 years); got " + shown(info[1]));
    }
  }
  return Napi::Value();
}

NODE_API_ADDON(Addon)

}  // namespace millrace

// What one environment (the main thread, a worker) has of Millrace: everything, for nothing is shared between them.
//
// Life: constructed when the environment loads the module; open() starts the tick and registers the clean-up hook; the
// hook closes the tick; when the last handle is closed the hook is removed, and only then does Node free the environment
// and with it this object.
#ifndef MILLRACE_ADDON_ADDON_H_
#define MILLRACE_ADDON_ADDON_H_

#include <napi.h>

#include <memory>
#include <string>

#include "addon/tick.h"

namespace millrace {

class Addon : public Napi::Addon<Addon> {
 public:
  Addon(Napi::Env env, Napi::Object exports);

 private:
  // module.cc
  Napi::Value open(const Napi::CallbackInfo& info);
  Napi::Value flush(const Napi::CallbackInfo& info);
  Napi::Value wake(const Napi::CallbackInfo& info);
  Napi::Value clock(const Napi::CallbackInfo& info);
  Napi::Value set_time(const Napi::CallbackInfo& info);
  std::unique_ptr<Backend> start_backend(Napi::Env env, const std::string& wanted, uv_loop_t* loop);
  static void on_cleanup(napi_async_cleanup_hook_handle handle, void* addon);
  static void on_closed(void* addon);
  // False with an exception pending.
  bool require_open(Napi::Env env);

  // sockets.cc
  Napi::Value open_io(const Napi::CallbackInfo& info);
  Napi::Value listen(const Napi::CallbackInfo& info);
  Napi::Value connect(const Napi::CallbackInfo& info);
  Napi::Value adopt(const Napi::CallbackInfo& info);
  Napi::Value send(const Napi::CallbackInfo& info);
  Napi::Value descriptor(const Napi::CallbackInfo& info);
  Napi::Value set_option(const Napi::CallbackInfo& info);
  Napi::Value get_option(const Napi::CallbackInfo& info);
  Napi::Value credentials(const Napi::CallbackInfo& info);
  Napi::Value name(const Napi::CallbackInfo& info);
  bool require_io(Napi::Env env);

  // datagrams.cc
  Napi::Value open_datagrams(const Napi::CallbackInfo& info);
  Napi::Value bind_datagrams(const Napi::CallbackInfo& info);
  Napi::Value connect_datagrams(const Napi::CallbackInfo& info);
  Napi::Value datagram_name(const Napi::CallbackInfo& info);
  Napi::Value datagram_option(const Napi::CallbackInfo& info);
  Napi::Value datagram_membership(const Napi::CallbackInfo& info);
  Napi::Value datagram_interface(const Napi::CallbackInfo& info);
  // nullptr with an exception pending.
  Datagrams* require_datagrams(Napi::Env env);

  // report.cc
  Napi::Value info(const Napi::CallbackInfo& info);
  Napi::Value counters(const Napi::CallbackInfo& info);

  Tick tick_;
  bool opened_ = false;
  std::string fallback_reason_;
  napi_async_cleanup_hook_handle cleanup_hook_ = nullptr;
  // What C++ and the kernel write into, held until both have stopped.
  Napi::ObjectReference rings_;
  Napi::ObjectReference arenas_;
  Arenas io_;                             // the same, while they are held
  Napi::ObjectReference receive_memory_;  // whose buffer the receive arena is
  Napi::ObjectReference datagram_memory_;
  Napi::ObjectReference datagram_arena_;  // whose buffer the receive arena of UDP is
};

}  // namespace millrace

#endif  // MILLRACE_ADDON_ADDON_H_

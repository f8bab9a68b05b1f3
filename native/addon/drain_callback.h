// The one call into JavaScript. Made with an async context, so that microtasks and process.nextTick run after it and
// async_hooks see it; what it throws becomes an uncaught exception, as if a callback of Node's own had thrown it.
#ifndef MILLRACE_ADDON_DRAIN_CALLBACK_H_
#define MILLRACE_ADDON_DRAIN_CALLBACK_H_

#include <node_api.h>

#include <cstdint>

namespace millrace {

class DrainCallback {
 public:
  // False with an exception pending or a status that the caller reports.
  bool attach(napi_env env, napi_value function);
  // From now on call() does nothing. Belongs into the environment's clean-up.
  void detach();
  void call();

  uint64_t calls() const { return calls_; }
  uint64_t failures() const { return failures_; }

 private:
  void report_failure();

  napi_env env_ = nullptr;
  napi_ref function_ = nullptr;
  napi_async_context context_ = nullptr;
  uint64_t calls_ = 0;
  uint64_t failures_ = 0;
};

}  // namespace millrace

#endif  // MILLRACE_ADDON_DRAIN_CALLBACK_H_

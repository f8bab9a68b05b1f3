#include "addon/drain_callback.h"

namespace millrace {

bool DrainCallback::attach(napi_env env, napi_value function) {
  napi_value name;
  if (napi_create_string_utf8(env, "Millrace", NAPI_AUTO_LENGTH, &name) != napi_ok) return false;
  // Without a resource of ours Node makes one and holds it strongly; one that we pass would be held weakly.
  if (napi_async_init(env, nullptr, name, &context_) != napi_ok) return false;
  if (napi_create_reference(env, function, 1, &function_) != napi_ok) {
    napi_async_destroy(env, context_);
    context_ = nullptr;
    return false;
  }
  env_ = env;
  return true;
}

void DrainCallback::detach() {
  if (env_ == nullptr) return;
  napi_delete_reference(env_, function_);
  napi_async_destroy(env_, context_);
  env_ = nullptr;
}

void DrainCallback::call() {
  if (env_ == nullptr) return;
  napi_handle_scope scope;
  if (napi_open_handle_scope(env_, &scope) != napi_ok) return;
  napi_env env = env_;
  napi_value function;
  if (napi_get_reference_value(env, function_, &function) == napi_ok) {
    calls_++;
    // The function is its own receiver: make_callback wants an object, and this one is at hand.
    if (napi_make_callback(env, context_, function, function, 0, nullptr, nullptr) != napi_ok) report_failure();
  }
  napi_close_handle_scope(env, scope);
}

// While the environment is being terminated nothing is pending, and both calls do nothing.
void DrainCallback::report_failure() {
  failures_++;
  bool pending = false;
  napi_value error;
  if (napi_is_exception_pending(env_, &pending) != napi_ok || !pending) return;
  if (napi_get_and_clear_last_exception(env_, &error) == napi_ok) napi_fatal_exception(env_, error);
}

}  // namespace millrace

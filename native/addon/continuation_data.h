// The engine's continuation data: a value that V8 captures where a promise reaction is made and puts back when it runs,
// so that it follows an async function through its awaits at no cost. Node-API does not reach it, so its functions are
// looked up in the running process by name; where they are missing, the addon does not export these functions, and
// JavaScript uses AsyncLocalStorage instead.
//
// Only for Node 20 and 22: from Node 24 on the value belongs to Node's own AsyncLocalStorage.
#ifndef MILLRACE_ADDON_CONTINUATION_DATA_H_
#define MILLRACE_ADDON_CONTINUATION_DATA_H_

#include <node_api.h>

namespace millrace {

// Adds getContinuation() and swapContinuation(value), which returns the value before, if the engine has what they need.
void export_continuation_data(napi_env env, napi_value exports);

}  // namespace millrace

#endif  // MILLRACE_ADDON_CONTINUATION_DATA_H_

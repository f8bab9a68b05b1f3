// TLS sessions for JavaScript: functions over memory that JavaScript owns. See lib/tls/native-engine.ts.
#ifndef MILLRACE_ADDON_TLS_H_
#define MILLRACE_ADDON_TLS_H_

#include <node_api.h>

namespace millrace {

// Adds `openTls` to the exports. Everything that it allocates is freed with the environment.
void export_tls(napi_env env, napi_value exports);

}  // namespace millrace

#endif  // MILLRACE_ADDON_TLS_H_

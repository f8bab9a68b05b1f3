// The HTTP codec for JavaScript: functions over memory that JavaScript owns. See lib/http/codec.ts.
#ifndef MILLRACE_ADDON_HTTP_H_
#define MILLRACE_ADDON_HTTP_H_

#include <node_api.h>

#include "io/backend.h"

namespace millrace {

// Adds `openHttp` to the exports. Everything that it allocates is freed with the environment. `arenas` are those of this
// environment's sockets, and live as long as it; empty until they are opened.
void export_http(napi_env env, napi_value exports, const Arenas* arenas);

}  // namespace millrace

#endif  // MILLRACE_ADDON_HTTP_H_

#include "addon/continuation_data.h"

#ifndef _WIN32
#include <dlfcn.h>
#endif

namespace millrace {

#ifdef _WIN32
void export_continuation_data(napi_env, napi_value) {}
#else

namespace {

// v8::Local is one pointer, passed and returned as one, and a napi_value is that pointer: Node's own implementation of
// Node-API relies on the same.
using GetIsolate = void* (*)();
using GetContext = void* (*)(void* isolate);
using GetData = napi_value (*)(void* holder);
using SetData = void (*)(void* holder, napi_value value);

struct Engine {
  GetIsolate isolate;
  GetContext context;  // nullptr: the isolate itself holds the data (Node 22)
  GetData get;
  SetData set;

  void* holder() const {
    void* current = isolate();
    return context == nullptr ? current : context(current);
  }
};

template <typename Function>
Function find(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
}

// Looked up for each module instance rather than once: there are no globals, and this is rare.
bool find_engine(Engine* engine) {
  engine->isolate = find<GetIsolate>("_ZN2v87Isolate10GetCurrentEv");
  engine->context = nullptr;
  engine->get = find<GetData>("_ZN2v87Isolate36GetContinuationPreservedEmbedderDataEv");
  engine->set = find<SetData>("_ZN2v87Isolate36SetContinuationPreservedEmbedderDataENS_5LocalINS_5ValueEEE");
  if (engine->get == nullptr || engine->set == nullptr) {
    engine->context = find<GetContext>("_ZN2v87Isolate17GetCurrentContextEv");
    engine->get = find<GetData>("_ZNK2v87Context36GetContinuationPreservedEmbedderDataEv");
    engine->set = find<SetData>("_ZN2v87Context36SetContinuationPreservedEmbedderDataENS_5LocalINS_5ValueEEE");
    if (engine->context == nullptr) return false;
  }
  return engine->isolate != nullptr && engine->get != nullptr && engine->set != nullptr;
}

const Engine& engine_of(napi_env env, napi_callback_info info, size_t* count, napi_value* value) {
  void* data;
  napi_get_cb_info(env, info, count, value, nullptr, &data);
  return *static_cast<const Engine*>(data);
}

napi_value get_continuation(napi_env env, napi_callback_info info) {
  size_t count = 0;
  const Engine& engine = engine_of(env, info, &count, nullptr);
  return engine.get(engine.holder());
}

napi_value swap_continuation(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value value;
  const Engine& engine = engine_of(env, info, &count, &value);
  void* holder = engine.holder();
  napi_value before = engine.get(holder);
  engine.set(holder, value);
  return before;
}

void export_function(napi_env env, napi_value exports, const char* name, napi_callback function, Engine* engine) {
  napi_value value;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, function, engine, &value) != napi_ok) return;
  napi_set_named_property(env, exports, name, value);
}

}  // namespace

void export_continuation_data(napi_env env, napi_value exports) {
  const napi_node_version* version;
  if (napi_get_node_version(env, &version) != napi_ok || (version->major != 20 && version->major != 22)) return;
  Engine found;
  if (!find_engine(&found)) return;
  auto* engine = new Engine(found);
  if (napi_add_env_cleanup_hook(
          env, [](void* data) { delete static_cast<Engine*>(data); }, engine) != napi_ok) {
    delete engine;
    return;
  }
  export_function(env, exports, "getContinuation", get_continuation, engine);
  export_function(env, exports, "swapContinuation", swap_continuation, engine);
}

#endif

}  // namespace millrace

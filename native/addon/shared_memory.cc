#include "addon/shared_memory.h"

#include "addon/arguments.h"

namespace millrace {

Napi::ArrayBuffer zeroed_buffer(Napi::Env env, size_t bytes) {
  napi_value buffer = nullptr;
  void* data = nullptr;
  if (napi_create_arraybuffer(env, bytes, &data, &buffer) != napi_ok) return Napi::ArrayBuffer();
  return Napi::ArrayBuffer(env, buffer);
}

// In a thread that is being ended every call of JavaScript gives an empty value without an exception, and to ask anything
// of such a value ends the process.
bool make_untransferable(Napi::Env env, Napi::Object buffers, std::initializer_list<const char*> names) {
  Napi::Value process = env.Global().Get("process");
  if (env.IsExceptionPending() || !process.IsObject()) return false;
  Napi::Value get_builtin = process.As<Napi::Object>().Get("getBuiltinModule");
  if (env.IsExceptionPending()) return false;
  if (!get_builtin.IsFunction()) {
    return throw_error(env, "ERR_MILLRACE_ADDON", "Node 20.16 or later is needed: process.getBuiltinModule is missing");
  }
  Napi::Value threads = get_builtin.As<Napi::Function>().Call(process, {Napi::String::New(env, "node:worker_threads")});
  if (env.IsExceptionPending() || !threads.IsObject()) return false;
  Napi::Value mark = threads.As<Napi::Object>().Get("markAsUntransferable");
  if (env.IsExceptionPending() || !mark.IsFunction()) return false;
  for (const char* name : names) {
    mark.As<Napi::Function>().Call({buffers.Get(name)});
    if (env.IsExceptionPending()) return false;
  }
  return true;
}

Napi::Value fixed_buffer(Napi::Env env, size_t bytes, Napi::ObjectReference* memory) {
  constexpr size_t kPageBytes = 64 * 1024;
  Napi::Value assembly = env.Global().Get("WebAssembly");
  if (!env.IsExceptionPending() && assembly.IsObject()) {
    Napi::Value constructor = assembly.As<Napi::Object>().Get("Memory");
    if (!env.IsExceptionPending() && constructor.IsFunction()) {
      auto pages = static_cast<uint32_t>(bytes / kPageBytes);
      Napi::Object descriptor = Napi::Object::New(env);
      descriptor.Set("initial", pages);
      descriptor.Set("maximum", pages);
      Napi::Object made = constructor.As<Napi::Function>().New({descriptor});
      if (!made.IsEmpty()) {
        Napi::Value buffer = made.Get("buffer");
        if (!env.IsExceptionPending() && buffer.IsArrayBuffer() &&
            buffer.As<Napi::ArrayBuffer>().ByteLength() == bytes) {
          *memory = Napi::Persistent(made);
          return buffer;
        }
      }
    }
  }
  if (env.IsExceptionPending()) env.GetAndClearPendingException();
  return Napi::Value();
}

}  // namespace millrace

// Memory that C++ and JavaScript both see, and that users get views of.
#ifndef MILLRACE_ADDON_SHARED_MEMORY_H_
#define MILLRACE_ADDON_SHARED_MEMORY_H_

#include <napi.h>

#include <initializer_list>

namespace millrace {

// `bytes` zeroed ones: for sizes like those of arenas these are pages that take no memory until they are touched. Empty
// when there is no memory, with an exception pending; and in a thread that is being ended, where there is none.
Napi::ArrayBuffer zeroed_buffer(Napi::Env env, size_t bytes);

// The kernel writes into the arenas, and users hold views of them: postMessage(chunk, [chunk.buffer]) must not move the
// memory to another thread, which would free it. Node copies instead (20, 22) or throws (24). False: an exception is
// pending.
bool make_untransferable(Napi::Env env, Napi::Object buffers, std::initializer_list<const char*> names);

// The buffer of a WebAssembly.Memory that cannot grow: nothing can detach it, neither a byte stream that was given a view
// nor transfer(), and users hold views of the receive arena. Empty where there is no WebAssembly (--jitless) or no address
// space for it; a plain buffer serves then. *memory is what must stay alive, out of JavaScript's reach.
Napi::Value fixed_buffer(Napi::Env env, size_t bytes, Napi::ObjectReference* memory);

}  // namespace millrace

#endif  // MILLRACE_ADDON_SHARED_MEMORY_H_

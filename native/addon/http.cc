#include "addon/http.h"

#include <napi.h>

#include <array>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "addon/arguments.h"
#include "addon/shared_memory.h"
#include "core/http/codec.h"

namespace millrace {

namespace {

// What one environment has. The two buffers are referenced as long as it lives.
struct HttpEnvironment {
  HttpEnvironment(uint32_t* table, uint8_t* scratch, const Arenas* arenas)
      : table(table), arenas(arenas), codec(table, scratch) {}

  uint32_t* table;
  const Arenas* arenas;
  HttpCodec codec;
  Napi::ObjectReference memory;
};

constexpr size_t kArgumentsMax = 5;
constexpr size_t kReceiveBytes = size_t{kReceiveBuffers} * kReceiveBufferBytes;
constexpr size_t kSendBytes = size_t{kSendBlocks} * kSendBlockBytes;

// One call from JavaScript. Each getter throws and returns false when the argument is wrong.
class HttpCall {
 public:
  HttpCall(napi_env env, napi_callback_info info) : env_(env) {
    size_t count = arguments_.size();
    void* data = nullptr;
    napi_get_cb_info(env, info, &count, arguments_.data(), nullptr, &data);
    environment_ = static_cast<HttpEnvironment*>(data);
  }

  HttpCodec& codec() { return environment_->codec; }
  uint32_t word(HttpWord which) const { return environment_->table[static_cast<size_t>(which)]; }
  Napi::Value argument(size_t index) const { return Napi::Value(env_, arguments_[index]); }

  bool integer(size_t index, const char* name, uint32_t min, uint32_t max, uint32_t* out) {
    return check_integer(argument(index), name, min, max, out);
  }

  bool server(uint32_t* handle, HttpServer** out) {
    if (!integer(0, "server", 0, UINT32_MAX, handle)) return false;
    *out = codec().server(*handle);
    return *out != nullptr || throw_error(env_, "ERR_MILLRACE_INVALID_STATE", "There is no such HTTP server");
  }

  bool connection(uint32_t handle, HttpConnection** out) {
    *out = codec().connection(handle);
    return *out != nullptr || throw_error(env_, "ERR_MILLRACE_INVALID_STATE", "There is no such HTTP connection");
  }

  bool bytes(size_t index, const char* name, uint8_t** data, size_t* length) {
    napi_typedarray_type type;
    void* memory;
    if (napi_get_typedarray_info(env_, arguments_[index], &type, length, &memory, nullptr, nullptr) != napi_ok ||
        type != napi_uint8_array) {
      return refuse(index, name, "a Uint8Array");
    }
    *data = static_cast<uint8_t*>(memory);
    return true;
  }

  bool words(size_t index, const char* name, uint32_t** data, size_t* length) {
    napi_typedarray_type type;
    void* memory;
    if (napi_get_typedarray_info(env_, arguments_[index], &type, length, &memory, nullptr, nullptr) != napi_ok ||
        type != napi_uint32_array) {
      return refuse(index, name, "a Uint32Array");
    }
    *data = static_cast<uint32_t*>(memory);
    return true;
  }

  const Arenas& arenas() const { return *environment_->arenas; }

  // An arena, or else the Uint8Array that was given.
  bool memory(size_t index, const char* name, bool is_arena, uint8_t* arena, size_t arena_bytes, uint8_t** data,
              size_t* length) {
    if (!is_arena) return bytes(index, name, data, length);
    *data = arena;
    *length = arena_bytes;
    return arena != nullptr || throw_error(env_, "ERR_MILLRACE_INVALID_STATE", "There is no memory for sockets");
  }

  // The part of it that two words of the table tell.
  bool part(const char* name, size_t size, HttpWord offset_word, HttpWord length_word, uint32_t* offset,
            uint32_t* length) {
    *offset = word(offset_word);
    *length = word(length_word);
    return (*offset <= size && *length <= size - *offset) ||
           throw_range_error(env_, std::string(name) + " has " + std::to_string(size) + " bytes; got offset " +
                                       std::to_string(*offset) + " and length " + std::to_string(*length));
  }

  napi_value number(uint32_t value) const {
    napi_value result = nullptr;
    napi_create_uint32(env_, value, &result);
    return result;
  }

 private:
  bool refuse(size_t index, const char* name, const char* expected) {
    return throw_type_error(env_, std::string(name) + " must be " + expected + "; got " + shown(argument(index)));
  }

  napi_env env_;
  std::array<napi_value, kArgumentsMax> arguments_{};
  HttpEnvironment* environment_;
};

// server(requestLineBytes, headBytes, fields, chunkExtensionBytes, trailerBytes): a handle.
napi_value server(napi_env env, napi_callback_info info) {
  HttpCall call(env, info);
  HttpLimits limits;
  if (!call.integer(0, "limits.requestLineBytes", 1, kHttpHeadBytesMax, &limits.request_line_bytes) ||
      !call.integer(1, "limits.headBytes", 1, kHttpHeadBytesMax, &limits.head_bytes) ||
      !call.integer(2, "limits.fields", 1, kHttpFieldsMax, &limits.fields) ||
      !call.integer(3, "limits.chunkExtensionBytes", 0, kHttpChunkExtensionBytesMax, &limits.chunk_extension_bytes) ||
      // The empty line is part of them.
      !call.integer(4, "limits.trailerBytes", 2, kHttpHeadBytesMax, &limits.trailer_bytes)) {
    return nullptr;
  }
  uint32_t handle = call.codec().add_server(limits);
  if (handle == 0) throw_error(env, "ERR_MILLRACE_INVALID_STATE", "There are too many HTTP servers");
  return handle == 0 ? nullptr : call.number(handle);
}

// setStatic(server, words, bytes): the table in its flat form; no words: none.
napi_value set_static(napi_env env, napi_callback_info info) {
  HttpCall call(env, info);
  uint32_t handle;
  HttpServer* server = nullptr;
  uint32_t* words = nullptr;
  uint8_t* bytes = nullptr;
  size_t word_count = 0, byte_count = 0;
  if (!call.server(&handle, &server) || !call.words(1, "words", &words, &word_count) ||
      !call.bytes(2, "bytes", &bytes, &byte_count)) {
    return nullptr;
  }
  std::unique_ptr<StaticTable> table;
  if (word_count > 0) {
    table = StaticTable::create(words, word_count, bytes, byte_count);
    if (!table) {
      throw_range_error(env, "words do not describe a static table");
      return nullptr;
    }
  }
  server->statics = std::move(table);
  return nullptr;
}

napi_value drop_server(napi_env env, napi_callback_info info) {
  HttpCall call(env, info);
  uint32_t handle;
  HttpServer* server = nullptr;
  if (call.server(&handle, &server)) call.codec().drop_server(handle);
  return nullptr;
}

// attach(server): a connection's handle.
napi_value attach(napi_env env, napi_callback_info info) {
  HttpCall call(env, info);
  uint32_t server_handle;
  HttpServer* server = nullptr;
  if (!call.server(&server_handle, &server)) return nullptr;
  uint32_t handle = call.codec().attach(server_handle);
  if (handle == 0) throw_error(env, "ERR_MILLRACE_SOCKET_LIMIT", "There are too many HTTP connections");
  return handle == 0 ? nullptr : call.number(handle);
}

napi_value detach(napi_env env, napi_callback_info info) {
  HttpCall call(env, info);
  uint32_t handle;
  HttpConnection* connection = nullptr;
  if (!call.integer(0, "connection", 0, UINT32_MAX, &handle) || !call.connection(handle, &connection)) return nullptr;
  call.codec().detach(handle);
  return nullptr;
}

// parse(input, output): the number of events; everything else is in the table. `input` is not looked at when it is the
// receive arena, `output` neither when it is the send arena, nor without OutRoom: to ask what an array is costs as much as
// a short head.
napi_value parse(napi_env env, napi_callback_info info) {
  HttpCall call(env, info);
  const Arenas& arenas = call.arenas();
  const uint32_t known = call.word(HttpWord::Arenas);
  HttpConnection* connection = nullptr;
  uint8_t* bytes = nullptr;
  size_t size = 0;
  HttpInput input = {};
  HttpOutput output = {};
  if (!call.connection(call.word(HttpWord::Connection), &connection) ||
      !call.memory(0, "input", (known & kHttpInputIsArena) != 0, arenas.receive, kReceiveBytes, &bytes, &size) ||
      !call.part("input", size, HttpWord::Offset, HttpWord::Length, &input.offset, &input.length)) {
    return nullptr;
  }
  input.bytes = bytes;
  if (call.word(HttpWord::OutRoom) > 0) {
    uint32_t offset;
    if (!call.memory(1, "output", (known & kHttpOutputIsArena) != 0, arenas.send, kSendBytes, &output.bytes, &size) ||
        !call.part("output", size, HttpWord::OutOffset, HttpWord::OutRoom, &offset, &output.room)) {
      return nullptr;
    }
    output.bytes += offset;
  }
  return call.number(call.codec().parse(connection, input, call.word(HttpWord::RequestsMax), output));
}

// isArena(bytes): kHttpInputIsArena or kHttpOutputIsArena for the whole of one of the arenas, else 0.
napi_value is_arena(napi_env env, napi_callback_info info) {
  HttpCall call(env, info);
  uint8_t* bytes = nullptr;
  size_t size = 0;
  if (!call.bytes(0, "bytes", &bytes, &size)) return nullptr;
  const Arenas& arenas = call.arenas();
  if (bytes == nullptr) return call.number(0);
  if (bytes == arenas.receive && size == kReceiveBytes) return call.number(kHttpInputIsArena);
  return call.number(bytes == arenas.send && size == kSendBytes ? kHttpOutputIsArena : 0);
}

napi_value skip_body(napi_env env, napi_callback_info info) {
  HttpCall call(env, info);
  uint32_t handle;
  HttpConnection* connection = nullptr;
  if (call.integer(0, "connection", 0, UINT32_MAX, &handle) && call.connection(handle, &connection)) {
    HttpCodec::skip_body(connection);
  }
  return nullptr;
}

// connections(): how many are attached, for tests.
napi_value connections(napi_env env, napi_callback_info info) {
  HttpCall call(env, info);
  return call.number(call.codec().connections());
}

void destroy(void* data) { delete static_cast<HttpEnvironment*>(data); }

// openHttp(): the functions above, and the memory that they speak through.
napi_value open(napi_env env, napi_callback_info info) {
  void* arenas = nullptr;
  napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &arenas);
  Napi::Object result = Napi::Object::New(env);
  Napi::ArrayBuffer table = zeroed_buffer(env, kHttpTableWords * sizeof(uint32_t));
  if (table.IsEmpty()) return nullptr;
  Napi::ArrayBuffer scratch = zeroed_buffer(env, kHttpScratchBytes);
  if (scratch.IsEmpty()) return nullptr;
  result.Set("table", table);
  result.Set("scratch", scratch);
  if (!make_untransferable(env, result, {"table", "scratch"})) return nullptr;

  std::unique_ptr<HttpEnvironment> made(new (std::nothrow) HttpEnvironment(
      static_cast<uint32_t*>(table.Data()), static_cast<uint8_t*>(scratch.Data()), static_cast<const Arenas*>(arenas)));
  if (!made || napi_add_env_cleanup_hook(env, destroy, made.get()) != napi_ok) {
    throw_error(env, "ERR_MILLRACE_ADDON", "There is no memory for the HTTP codec");
    return nullptr;
  }
  made->memory = Napi::Persistent(result);
  HttpEnvironment* environment = made.release();

  const std::pair<const char*, napi_callback> all[] = {
      {"server", server},      {"setStatic", set_static},    {"dropServer", drop_server},
      {"attach", attach},      {"detach", detach},           {"parse", parse},
      {"skipBody", skip_body}, {"connections", connections}, {"isArena", is_arena},
  };
  for (const auto& [name, function] : all) {
    napi_value value;
    if (napi_create_function(env, name, NAPI_AUTO_LENGTH, function, environment, &value) != napi_ok) return nullptr;
    result.Set(name, Napi::Value(env, value));
  }
  return result;
}

}  // namespace

void export_http(napi_env env, napi_value exports, const Arenas* arenas) {
  napi_value value;
  // The function gives it back as it is.
  void* data = const_cast<Arenas*>(arenas);
  if (napi_create_function(env, "openHttp", NAPI_AUTO_LENGTH, open, data, &value) != napi_ok) return;
  napi_set_named_property(env, exports, "openHttp", value);
}

}  // namespace millrace

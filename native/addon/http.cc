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
  HttpEnvironment(uint32_t* table, uint8_t* scratch) : table(table), codec(table, scratch) {}

  uint32_t* table;
  HttpCodec codec;
  Napi::ObjectReference memory;
};

constexpr size_t kArgumentsMax = 5;

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

  // The part of a Uint8Array that two words of the table tell.
  bool part(size_t index, const char* name, HttpWord offset_word, HttpWord length_word, uint8_t** data,
            uint32_t* offset, uint32_t* length) {
    size_t size;
    if (!bytes(index, name, data, &size)) return false;
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

// parse(input, output): the number of events; everything else is in the table. `output` is only looked at with OutRoom.
napi_value parse(napi_env env, napi_callback_info info) {
  HttpCall call(env, info);
  HttpConnection* connection = nullptr;
  uint8_t* bytes = nullptr;
  HttpInput input = {};
  HttpOutput output = {};
  if (!call.connection(call.word(HttpWord::Connection), &connection) ||
      !call.part(0, "input", HttpWord::Offset, HttpWord::Length, &bytes, &input.offset, &input.length)) {
    return nullptr;
  }
  input.bytes = bytes;
  if (call.word(HttpWord::OutRoom) > 0) {
    uint32_t offset;
    if (!call.part(1, "output", HttpWord::OutOffset, HttpWord::OutRoom, &output.bytes, &offset, &output.room)) {
      return nullptr;
    }
    output.bytes += offset;
  }
  return call.number(call.codec().parse(connection, input, call.word(HttpWord::RequestsMax), output));
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
napi_value open(napi_env env, napi_callback_info) {
  Napi::Object result = Napi::Object::New(env);
  Napi::ArrayBuffer table = Napi::ArrayBuffer::New(env, kHttpTableWords * sizeof(uint32_t));
  if (table.IsEmpty()) return nullptr;
  Napi::ArrayBuffer scratch = Napi::ArrayBuffer::New(env, kHttpScratchBytes);
  if (scratch.IsEmpty()) return nullptr;
  result.Set("table", table);
  result.Set("scratch", scratch);
  if (!make_untransferable(env, result, {"table", "scratch"})) return nullptr;

  std::unique_ptr<HttpEnvironment> made(
      new (std::nothrow) HttpEnvironment(static_cast<uint32_t*>(table.Data()), static_cast<uint8_t*>(scratch.Data())));
  if (!made || napi_add_env_cleanup_hook(env, destroy, made.get()) != napi_ok) {
    throw_error(env, "ERR_MILLRACE_ADDON", "There is no memory for the HTTP codec");
    return nullptr;
  }
  made->memory = Napi::Persistent(result);
  HttpEnvironment* environment = made.release();

  const std::pair<const char*, napi_callback> all[] = {
      {"server", server}, {"setStatic", set_static}, {"dropServer", drop_server}, {"attach", attach},
      {"detach", detach}, {"parse", parse},          {"skipBody", skip_body},     {"connections", connections},
  };
  for (const auto& [name, function] : all) {
    napi_value value;
    if (napi_create_function(env, name, NAPI_AUTO_LENGTH, function, environment, &value) != napi_ok) return nullptr;
    result.Set(name, Napi::Value(env, value));
  }
  return result;
}

}  // namespace

void export_http(napi_env env, napi_value exports) {
  napi_value value;
  if (napi_create_function(env, "openHttp", NAPI_AUTO_LENGTH, open, nullptr, &value) != napi_ok) return;
  napi_set_named_property(env, exports, "openHttp", value);
}

}  // namespace millrace

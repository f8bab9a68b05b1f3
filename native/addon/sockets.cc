// Exports that concern sockets: their memory, and what needs an answer at once.
#include <uv.h>

#include "addon/addon.h"
#include "addon/arguments.h"
#include "addon/shared_memory.h"

namespace millrace {

namespace {

constexpr uint32_t kPortMax = 65535;
constexpr uint32_t kFlagsMax = 3;  // ipv6Only | reusePort

// An IP literal; IPv6 may carry a zone (fe80::1%eth0).
bool parse_address(Napi::Env env, const std::string& text, uint32_t port, sockaddr_storage* storage, uint32_t* bytes) {
  *storage = {};
  sockaddr_in* v4 = reinterpret_cast<sockaddr_in*>(storage);
  sockaddr_in6* v6 = reinterpret_cast<sockaddr_in6*>(storage);
  // libuv reads up to the first NUL: what stands after it must not be ignored.
  if (text.find('\0') == std::string::npos) {
    if (uv_ip4_addr(text.c_str(), static_cast<int>(port), v4) == 0) {
      *bytes = sizeof *v4;
      return true;
    }
    if (uv_ip6_addr(text.c_str(), static_cast<int>(port), v6) == 0) {
      *bytes = sizeof *v6;
      return true;
    }
  }
  return throw_type_error(env, "address must be an IPv4 or IPv6 address; got '" + text.substr(0, 64) + "'");
}

Napi::Value handle_or_error(Napi::Env env, int status, uint32_t handle) {
  return status < 0 ? Napi::Number::New(env, status) : Napi::Number::New(env, handle);
}

}  // namespace

bool Addon::require_io(Napi::Env env) {
  return require_open(env) && (!arenas_.IsEmpty() || throw_error(env, "ERR_MILLRACE_INVALID_STATE",
                                                                 "There is no memory for sockets: call openIo first"));
}

Napi::Value Addon::open_io(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (!require_open(env)) return Napi::Value();
  if (!arenas_.IsEmpty()) return arenas_.Value();

  Arenas arenas;
  Napi::Object result = Napi::Object::New(env);
  // Zeroed by the allocator, which for sizes like these means pages that take no memory until they are touched.
  auto allocate = [&](const char* name, size_t bytes) -> void* {
    Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, bytes);
    if (env.IsExceptionPending()) return nullptr;
    result.Set(name, buffer);
    return buffer.Data();
  };
  constexpr size_t kReceiveBytes = size_t{kReceiveBuffers} * kReceiveBufferBytes;
  Napi::Value fixed = fixed_buffer(env, kReceiveBytes, &receive_memory_);
  if (!fixed.IsEmpty()) {
    result.Set("receiveArena", fixed);
    arenas.receive = static_cast<uint8_t*>(fixed.As<Napi::ArrayBuffer>().Data());
  } else {
    arenas.receive = static_cast<uint8_t*>(allocate("receiveArena", kReceiveBytes));
  }
  if (arenas.receive == nullptr) return Napi::Value();
  arenas.send = static_cast<uint8_t*>(allocate("sendArena", size_t{kSendBlocks} * kSendBlockBytes));
  if (arenas.send == nullptr) return Napi::Value();
  arenas.send_block_segments = static_cast<uint32_t*>(allocate("sendBlockSegments", kSendBlocks * sizeof(uint32_t)));
  if (arenas.send_block_segments == nullptr) return Napi::Value();
  arenas.socket_bytes_sent = static_cast<uint32_t*>(allocate("socketBytesSent", kSocketsMax * sizeof(uint32_t)));
  if (arenas.socket_bytes_sent == nullptr) return Napi::Value();

  if (!make_untransferable(env, result, {"receiveArena", "sendArena", "sendBlockSegments", "socketBytesSent"}))
    return Napi::Value();

  arenas_ = Napi::Persistent(result);
  tick_.backend()->provide(arenas);
  return result;
}

Napi::Value Addon::listen(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::string text;
  uint32_t port, backlog, flags, address_bytes, handle = 0;
  sockaddr_storage address;
  if (!require_io(env) || !check_string(info[0], "address", &text) ||
      !check_integer(info[1], "port", 0, kPortMax, &port) ||
      !check_integer(info[2], "backlog", 0, INT32_MAX, &backlog) ||
      !check_integer(info[3], "flags", 0, kFlagsMax, &flags) ||
      !parse_address(env, text, port, &address, &address_bytes)) {
    return Napi::Value();
  }
  int status = tick_.backend()->listen(reinterpret_cast<sockaddr*>(&address), address_bytes, static_cast<int>(backlog),
                                       flags, &handle);
  if (status >= 0) tick_.wake();
  return handle_or_error(env, status, handle);
}

Napi::Value Addon::connect(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::string text;
  uint32_t port, address_bytes, handle = 0;
  sockaddr_storage address;
  if (!require_io(env) || !check_string(info[0], "address", &text) ||
      !check_integer(info[1], "port", 0, kPortMax, &port) ||
      !parse_address(env, text, port, &address, &address_bytes)) {
    return Napi::Value();
  }
  int status = tick_.backend()->connect(reinterpret_cast<sockaddr*>(&address), address_bytes, &handle);
  if (status >= 0) tick_.wake();
  return handle_or_error(env, status, handle);
}

Napi::Value Addon::name(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  uint32_t handle;
  bool peer;
  if (!require_io(env) || !check_integer(info[0], "handle", 0, UINT32_MAX, &handle) ||
      !check_boolean(info[1], "peer", &peer)) {
    return Napi::Value();
  }
  sockaddr_storage storage = {};
  uint32_t bytes = sizeof storage;
  int status = tick_.backend()->name_of(handle, peer, reinterpret_cast<sockaddr*>(&storage), &bytes);
  if (status < 0) return Napi::Number::New(env, status);

  char text[INET6_ADDRSTRLEN] = {};
  Napi::Object result = Napi::Object::New(env);
  if (storage.ss_family == AF_INET6) {
    const sockaddr_in6* v6 = reinterpret_cast<const sockaddr_in6*>(&storage);
    uv_ip6_name(v6, text, sizeof text);
    result.Set("family", "IPv6");
    result.Set("port", Napi::Number::New(env, ntohs(v6->sin6_port)));
  } else {
    const sockaddr_in* v4 = reinterpret_cast<const sockaddr_in*>(&storage);
    uv_ip4_name(v4, text, sizeof text);
    result.Set("family", "IPv4");
    result.Set("port", Napi::Number::New(env, ntohs(v4->sin_port)));
  }
  result.Set("address", text);
  return result;
}

}  // namespace millrace

// Exports that concern sockets: their memory, and what needs an answer at once.
#include <errno.h>
#include <uv.h>

#include <cstddef>
#include <cstring>

#include "addon/addon.h"
#include "addon/arguments.h"
#include "addon/shared_memory.h"
#include "io/address.h"
#include "io/descriptor.h"

namespace millrace {

namespace {

constexpr uint32_t kPortMax = 65535;
constexpr uint32_t kFlagsMax = kListenIpv6Only | kListenReusePort | kListenUnix;
constexpr uint32_t kModeMax = 0777;
constexpr auto kOptionMax = static_cast<uint32_t>(SocketOption::Linger);

// An IP literal; IPv6 may carry a zone (fe80::1%eth0).
bool parse_ip(Napi::Env env, const char* name, const std::string& text, uint32_t port, SocketAddress* address) {
  // libuv reads up to the first NUL: what stands after it must not be ignored.
  if (text.find('\0') == std::string::npos) {
    if (uv_ip4_addr(text.c_str(), static_cast<int>(port), &address->v4) == 0) {
      address->bytes = sizeof address->v4;
      return true;
    }
    if (uv_ip6_addr(text.c_str(), static_cast<int>(port), &address->v6) == 0) {
      address->bytes = sizeof address->v6;
      return true;
    }
  }
  return throw_type_error(env,
                          std::string(name) + " must be an IPv4 or IPv6 address; got '" + text.substr(0, 64) + "'");
}

#ifndef _WIN32
// A path, or NUL and an abstract name, which is Linux's. *status: a negative errno that is no misuse.
bool parse_unix(Napi::Env env, const std::string& text, SocketAddress* address, int* status) {
  bool abstract = !text.empty() && text[0] == '\0';
  if (text.empty() || (!abstract && text.find('\0') != std::string::npos)) {
    return throw_type_error(env, "address must be a path without NUL, or NUL and an abstract name");
  }
#ifndef __linux__
  if (abstract) *status = -ENOTSUP;
#endif
  // A path ends with NUL, a name with its length.
  if (text.size() > sizeof address->un.sun_path - (abstract ? 0 : 1)) *status = -ENAMETOOLONG;
  if (*status < 0) return true;
  address->un = {};
  address->un.sun_family = AF_UNIX;
  text.copy(address->un.sun_path, text.size());
  address->bytes = static_cast<uint32_t>(offsetof(sockaddr_un, sun_path) + text.size() + (abstract ? 0 : 1));
  return true;
}
#endif

// False: an exception is pending.
bool parse_address(Napi::Env env, const std::string& text, uint32_t port, uint32_t flags, SocketAddress* address,
                   int* status) {
  if ((flags & kListenUnix) == 0) return parse_ip(env, "address", text, port, address);
#ifdef _WIN32
  *status = UV_ENOTSUP;
  return true;
#else
  return parse_unix(env, text, address, status);
#endif
}

// A path, an abstract name with its NUL before it, or nothing.
Napi::Value unix_name([[maybe_unused]] Napi::Env env, [[maybe_unused]] const SocketAddress& name) {
#ifdef _WIN32
  return Napi::String::New(env, "");
#else
  constexpr size_t kBefore = offsetof(sockaddr_un, sun_path);
  if (name.bytes <= kBefore) return Napi::String::New(env, "");
  const char* path = name.un.sun_path;
  size_t length = name.bytes - kBefore;
  if (path[0] != '\0') length = strnlen(path, length);
#ifndef __linux__
  else
    length = 0;
#endif
  return Napi::String::New(env, path, length);
#endif
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
  auto allocate = [&](const char* name, size_t bytes) -> void* {
    Napi::ArrayBuffer buffer = zeroed_buffer(env, bytes);
    if (buffer.IsEmpty()) return nullptr;
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
  io_ = arenas;
  tick_.backend()->provide(arenas);
  return result;
}

Napi::Value Addon::listen(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::string text;
  uint32_t port, backlog, flags, mode, handle = 0;
  SocketAddress address;
  int status = 0;
  if (!require_io(env) || !check_string(info[0], "address", &text) ||
      !check_integer(info[1], "port", 0, kPortMax, &port) ||
      !check_integer(info[2], "backlog", 0, INT32_MAX, &backlog) ||
      !check_integer(info[3], "flags", 0, kFlagsMax, &flags) || !check_integer(info[4], "mode", 0, kModeMax, &mode) ||
      !parse_address(env, text, port, flags, &address, &status)) {
    return Napi::Value();
  }
  if (status >= 0) status = tick_.backend()->listen(address, static_cast<int>(backlog), flags, mode, &handle);
  if (status >= 0) tick_.wake();
  return handle_or_error(env, status, handle);
}

Napi::Value Addon::connect(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::string text, local_text;
  uint32_t port, flags, local_port, handle = 0;
  SocketAddress address, local;
  int status = 0;
  if (!require_io(env) || !check_string(info[0], "address", &text) ||
      !check_integer(info[1], "port", 0, kPortMax, &port) || !check_integer(info[2], "flags", 0, kFlagsMax, &flags) ||
      !check_string(info[3], "localAddress", &local_text) ||
      !check_integer(info[4], "localPort", 0, kPortMax, &local_port)) {
    return Napi::Value();
  }
  if ((flags & ~kListenUnix) != 0) {
    throw_range_error(env, "flags must be 0 or " + std::to_string(kListenUnix) + "; got " + shown(info[2]));
    return Napi::Value();
  }
  if (!parse_address(env, text, port, flags, &address, &status)) return Napi::Value();
  if (local_text.empty() && local_port != 0) local_text = address.base.sa_family == AF_INET6 ? "::" : "0.0.0.0";
  if (!local_text.empty() && !parse_ip(env, "localAddress", local_text, local_port, &local)) return Napi::Value();
  if (status >= 0) status = tick_.backend()->connect(address, local, &handle);
  if (status >= 0) tick_.wake();
  return handle_or_error(env, status, handle);
}

Napi::Value Addon::adopt(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  uint32_t fd, handle = 0;
  if (!require_io(env) || !check_integer(info[0], "fd", 0, INT32_MAX, &fd)) return Napi::Value();
  int status = tick_.backend()->adopt(static_cast<int>(fd), &handle);
  if (status >= 0) tick_.wake();
  return handle_or_error(env, status, handle);
}

// With every call the memory is looked at anew: it may have been transferred or shrunk.
Napi::Value Addon::send(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  uint32_t handle, offset, length;
  if (!require_io(env) || !check_integer(info[0], "handle", 0, UINT32_MAX, &handle) ||
      !check_integer(info[2], "offset", 0, INT32_MAX, &offset) ||
      !check_integer(info[3], "length", 0, INT32_MAX, &length)) {
    return Napi::Value();
  }
  napi_typedarray_type type;
  size_t bytes;
  void* data;
  if (napi_get_typedarray_info(env, info[1], &type, &bytes, &data, nullptr, nullptr) != napi_ok ||
      type != napi_uint8_array) {
    throw_type_error(env, "data must be a Uint8Array; got " + shown(info[1]));
    return Napi::Value();
  }
  if (offset > bytes || length > bytes - offset) {
    throw_range_error(env, "offset and length must lie inside of data");
    return Napi::Value();
  }
  const uint8_t* start = static_cast<const uint8_t*>(data) + offset;
  return Napi::Number::New(env, tick_.backend()->send_at_once(handle, start, length));
}

Napi::Value Addon::descriptor(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  uint32_t handle;
  int fd = -1;
  if (!require_io(env) || !check_integer(info[0], "handle", 0, UINT32_MAX, &handle)) return Napi::Value();
  int status = tick_.backend()->descriptor_of(handle, &fd);
  return Napi::Number::New(env, status < 0 ? status : fd);
}

Napi::Value Addon::set_option(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  uint32_t handle, option;
  int32_t value;
  if (!require_io(env) || !check_integer(info[0], "handle", 0, UINT32_MAX, &handle) ||
      !check_integer(info[1], "option", 1, kOptionMax, &option) ||
      !check_signed(info[2], "value", -1, INT32_MAX, &value)) {
    return Napi::Value();
  }
  return Napi::Number::New(env, tick_.backend()->set_option(handle, static_cast<SocketOption>(option), value));
}

Napi::Value Addon::get_option(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  uint32_t handle, option;
  int value = 0;
  if (!require_io(env) || !check_integer(info[0], "handle", 0, UINT32_MAX, &handle) ||
      !check_integer(info[1], "option", 1, kOptionMax, &option)) {
    return Napi::Value();
  }
  int status = tick_.backend()->get_option(handle, static_cast<SocketOption>(option), &value);
  return Napi::Number::New(env, status < 0 ? status : value);
}

Napi::Value Addon::credentials(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  uint32_t handle;
  Credentials credentials = {};
  if (!require_io(env) || !check_integer(info[0], "handle", 0, UINT32_MAX, &handle)) return Napi::Value();
  int status = tick_.backend()->credentials_of(handle, &credentials);
  if (status < 0) return Napi::Number::New(env, status);
  Napi::Object result = Napi::Object::New(env);
  result.Set("pid", Napi::Number::New(env, static_cast<double>(credentials.pid)));
  result.Set("uid", Napi::Number::New(env, credentials.uid));
  result.Set("gid", Napi::Number::New(env, credentials.gid));
  return result;
}

Napi::Value Addon::name(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  uint32_t handle;
  bool peer;
  if (!require_io(env) || !check_integer(info[0], "handle", 0, UINT32_MAX, &handle) ||
      !check_boolean(info[1], "peer", &peer)) {
    return Napi::Value();
  }
  SocketAddress name;
  int status = tick_.backend()->name_of(handle, peer, &name);
  if (status < 0) return Napi::Number::New(env, status);

  char text[INET6_ADDRSTRLEN] = {};
  Napi::Object result = Napi::Object::New(env);
  switch (name.base.sa_family) {
    case AF_INET6:
      uv_ip6_name(&name.v6, text, sizeof text);
      result.Set("family", "IPv6");
      result.Set("port", Napi::Number::New(env, ntohs(name.v6.sin6_port)));
      result.Set("address", text);
      break;
    case AF_INET:
      uv_ip4_name(&name.v4, text, sizeof text);
      result.Set("family", "IPv4");
      result.Set("port", Napi::Number::New(env, ntohs(name.v4.sin_port)));
      result.Set("address", text);
      break;
    default:
      result.Set("family", "Unix");
      result.Set("port", Napi::Number::New(env, 0));
      result.Set("address", unix_name(env, name));
  }
  return result;
}

}  // namespace millrace

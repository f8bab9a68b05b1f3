// Exports that concern UDP: its memory, and what needs an answer at once.
#include <uv.h>

#include "addon/addon.h"
#include "addon/arguments.h"
#include "addon/shared_memory.h"

namespace millrace {

namespace {

constexpr uint32_t kPortMax = 65535;

bool parse_ip(Napi::Env env, const char* argument, const std::string& text, uint32_t port, sockaddr_storage* storage,
              uint32_t* bytes) {
  *storage = {};
  auto* v4 = reinterpret_cast<sockaddr_in*>(storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(storage);
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
  return throw_type_error(env,
                          std::string(argument) + " must be an IPv4 or IPv6 address; got '" + text.substr(0, 64) + "'");
}

bool check_interface(Napi::Value value, std::string* out) {
  if (!check_string(value, "interface", out)) return false;
  return out->find('\0') == std::string::npos ||
         throw_type_error(value.Env(), "interface must be the name of an interface; got a string with a NUL");
}

}  // namespace

Datagrams* Addon::require_datagrams(Napi::Env env) {
  if (!require_open(env)) return nullptr;
  if (datagram_memory_.IsEmpty()) {
    throw_error(env, "ERR_MILLRACE_INVALID_STATE", "There is no memory for UDP: call openDatagrams first");
    return nullptr;
  }
  return tick_.datagrams();
}

Napi::Value Addon::open_datagrams(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (!require_open(env)) return Napi::Value();
  if (!datagram_memory_.IsEmpty()) return datagram_memory_.Value();

  DatagramMemory memory;
  Napi::Object result = Napi::Object::New(env);
  auto allocate = [&](const char* name, size_t bytes) -> void* {
    Napi::ArrayBuffer buffer = zeroed_buffer(env, bytes);
    if (buffer.IsEmpty()) return nullptr;
    result.Set(name, buffer);
    return buffer.Data();
  };
  constexpr size_t kEntryBytes = static_cast<size_t>(DatagramWord::Words) * sizeof(uint32_t);
  Napi::Value fixed = fixed_buffer(env, kDatagramReceiveBytes, &datagram_arena_);
  if (!fixed.IsEmpty()) {
    result.Set("receiveArena", fixed);
    memory.receive = static_cast<uint8_t*>(fixed.As<Napi::ArrayBuffer>().Data());
  } else {
    memory.receive = static_cast<uint8_t*>(allocate("receiveArena", kDatagramReceiveBytes));
  }
  if (memory.receive == nullptr) return Napi::Value();
  memory.receives = static_cast<uint32_t*>(allocate("receives", kDatagramReceives * kEntryBytes));
  if (memory.receives == nullptr) return Napi::Value();
  memory.send = static_cast<uint8_t*>(allocate("sendArena", kDatagramSendBytes));
  if (memory.send == nullptr) return Napi::Value();
  memory.sends = static_cast<uint32_t*>(allocate("sends", kDatagramSends * kEntryBytes));
  if (memory.sends == nullptr) return Napi::Value();
  memory.control =
      static_cast<uint32_t*>(allocate("control", static_cast<size_t>(DatagramControl::Words) * sizeof(uint32_t)));
  if (memory.control == nullptr) return Napi::Value();
  memory.queued = static_cast<uint32_t*>(allocate("queuedBytes", kDatagramSocketsMax * sizeof(uint32_t)));
  if (memory.queued == nullptr) return Napi::Value();
  if (!make_untransferable(env, result, {"receiveArena", "receives", "sendArena", "sends", "control", "queuedBytes"})) {
    return Napi::Value();
  }

  Datagrams* datagrams = tick_.datagrams();
  if (datagrams == nullptr) {
    throw_error(env, "ERR_MILLRACE_ADDON", "There is no memory for UDP");
    return Napi::Value();
  }
  datagram_memory_ = Napi::Persistent(result);
  datagrams->provide(memory);
  return result;
}

Napi::Value Addon::bind_datagrams(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::string text;
  uint32_t port, flags, bytes_max, address_bytes, handle = 0;
  sockaddr_storage address;
  Datagrams* datagrams = require_datagrams(env);
  if (datagrams == nullptr || !check_string(info[0], "address", &text) ||
      !check_integer(info[1], "port", 0, kPortMax, &port) ||
      !check_integer(info[2], "flags", 0, kBindFlagsMax, &flags) ||
      !check_integer(info[3], "bytesMax", 1, kDatagramBytesMax, &bytes_max) ||
      !parse_ip(env, "address", text, port, &address, &address_bytes)) {
    return Napi::Value();
  }
  int status = datagrams->bind(reinterpret_cast<sockaddr*>(&address), address_bytes, flags, bytes_max, &handle);
  if (status < 0) return Napi::Number::New(env, status);
  tick_.wake();
  return Napi::Number::New(env, handle);
}

Napi::Value Addon::connect_datagrams(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::string text;
  uint32_t handle, port, address_bytes;
  sockaddr_storage address;
  Datagrams* datagrams = require_datagrams(env);
  if (datagrams == nullptr || !check_integer(info[0], "handle", 0, UINT32_MAX, &handle) ||
      !check_string(info[1], "address", &text) || !check_integer(info[2], "port", 0, kPortMax, &port) ||
      !parse_ip(env, "address", text, port, &address, &address_bytes)) {
    return Napi::Value();
  }
  return Napi::Number::New(env, datagrams->connect(handle, reinterpret_cast<sockaddr*>(&address), address_bytes));
}

Napi::Value Addon::datagram_name(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  uint32_t handle;
  bool peer;
  Datagrams* datagrams = require_datagrams(env);
  if (datagrams == nullptr || !check_integer(info[0], "handle", 0, UINT32_MAX, &handle) ||
      !check_boolean(info[1], "peer", &peer)) {
    return Napi::Value();
  }
  sockaddr_storage storage = {};
  uint32_t bytes = sizeof storage;
  int status = datagrams->name_of(handle, peer, reinterpret_cast<sockaddr*>(&storage), &bytes);
  if (status < 0) return Napi::Number::New(env, status);

  char text[INET6_ADDRSTRLEN] = {};
  Napi::Object result = Napi::Object::New(env);
  bool v6 = storage.ss_family == AF_INET6;
  if (v6) {
    uv_ip6_name(reinterpret_cast<const sockaddr_in6*>(&storage), text, sizeof text);
  } else {
    uv_ip4_name(reinterpret_cast<const sockaddr_in*>(&storage), text, sizeof text);
  }
  // At the same place in both.
  result.Set("port", Napi::Number::New(env, ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port)));
  result.Set("family", v6 ? "IPv6" : "IPv4");
  result.Set("address", text);
  return result;
}

// The value, or a negative errno. With two arguments it asks, with three it sets.
Napi::Value Addon::datagram_option(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  uint32_t handle, option, value;
  Datagrams* datagrams = require_datagrams(env);
  if (datagrams == nullptr || !check_integer(info[0], "handle", 0, UINT32_MAX, &handle) ||
      !check_integer(info[1], "option", 1, static_cast<uint32_t>(DatagramOption::Dropped), &option)) {
    return Napi::Value();
  }
  auto name = static_cast<DatagramOption>(option);
  if (info[2].IsUndefined()) return Napi::Number::New(env, datagrams->get_option(handle, name));
  if (!check_integer(info[2], "value", 0, INT32_MAX, &value)) return Napi::Value();
  return Napi::Number::New(env, datagrams->set_option(handle, name, static_cast<int>(value)));
}

Napi::Value Addon::datagram_membership(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  uint32_t handle, bytes;
  bool join;
  std::string group_text, interface_name, source_text;
  sockaddr_storage group, source;
  Datagrams* datagrams = require_datagrams(env);
  if (datagrams == nullptr || !check_integer(info[0], "handle", 0, UINT32_MAX, &handle) ||
      !check_boolean(info[1], "join", &join) || !check_string(info[2], "group", &group_text) ||
      !check_interface(info[3], &interface_name) || !check_string(info[4], "source", &source_text) ||
      !parse_ip(env, "group", group_text, 0, &group, &bytes) ||
      (!source_text.empty() && !parse_ip(env, "source", source_text, 0, &source, &bytes))) {
    return Napi::Value();
  }
  return Napi::Number::New(env,
                           datagrams->change_membership(handle, join, group, source_text.empty() ? nullptr : &source,
                                                        interface_name.c_str()));
}

Napi::Value Addon::datagram_interface(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  uint32_t handle;
  std::string interface_name;
  Datagrams* datagrams = require_datagrams(env);
  if (datagrams == nullptr || !check_integer(info[0], "handle", 0, UINT32_MAX, &handle) ||
      !check_interface(info[1], &interface_name)) {
    return Napi::Value();
  }
  return Napi::Number::New(env, datagrams->set_multicast_interface(handle, interface_name.c_str()));
}

}  // namespace millrace

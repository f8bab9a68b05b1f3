#include "addon/tls.h"

#include <napi.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "addon/arguments.h"
#include "tls/session.h"

#ifndef _WIN32
#include <dlfcn.h>
#endif

namespace millrace {

namespace {

// The words that a call leaves its results in, besides the flags that it returns.
enum ResultWord { kPlainLength, kCipherLength, kSpillLength, kWaitingLength, kResultWords };

// A handle: the slot in the low bits, and how often the slot was used before, so that an old handle is refused.
constexpr uint32_t kSlotBits = 20;
constexpr uint32_t kSlotMask = (1u << kSlotBits) - 1;
constexpr uint32_t kGenerationMask = (1u << (32 - kSlotBits)) - 1;

// v8::External::Value() const. Node's SecureContext shows its SSL_CTX as an External of V8's own, which
// napi_get_value_external does not understand. v8::Local is one pointer, and a napi_value is that pointer.
using ExternalValue = void* (*)(const void* external);

struct TlsSlot {
  std::unique_ptr<TlsSession> session;
  uint32_t generation = 0;
};

// What one environment has.
struct TlsEnvironment {
  ExternalValue external_value = nullptr;
  bio_method_st* method = nullptr;
  uint32_t* results = nullptr;
  napi_ref results_reference = nullptr;
  std::vector<TlsSlot> slots;
  std::vector<uint32_t> free;
  size_t alive = 0;

  ~TlsEnvironment() {
    slots.clear();
    if (method != nullptr) openssl().BIO_meth_free(method);
  }

  TlsSession* find(uint32_t handle) {
    uint32_t slot = handle & kSlotMask;
    if (slot >= slots.size() || slots[slot].generation != handle >> kSlotBits) return nullptr;
    return slots[slot].session.get();
  }
};

constexpr size_t kArgumentsMax = 8;

// One call from JavaScript. Each getter throws and returns false when the argument is wrong.
class Call {
 public:
  Call(napi_env env, napi_callback_info info) : env_(env) {
    size_t count = arguments_.size();
    void* data = nullptr;
    napi_get_cb_info(env, info, &count, arguments_.data(), nullptr, &data);
    tls_ = static_cast<TlsEnvironment*>(data);
  }

  TlsEnvironment* tls() { return tls_; }
  napi_env env() const { return env_; }
  napi_value argument(size_t index) const { return arguments_[index]; }

  bool word(size_t index, const char* name, uint32_t* out) {
    double number;
    if (napi_get_value_double(env_, arguments_[index], &number) != napi_ok) return refuse(name, "a number");
    if (!(number >= 0 && number <= UINT32_MAX)) return refuse(name, "a number from 0 to 4294967295");
    *out = static_cast<uint32_t>(number);
    return true;
  }

  bool session(size_t index, TlsSession** out) {
    uint32_t handle = 0;
    if (!word(index, "handle", &handle)) return false;
    *out = tls_->find(handle);
    if (*out != nullptr) return true;
    throw_error(env_, "ERR_MILLRACE_INVALID_STATE", "There is no such TLS session");
    return false;
  }

  // The part of a typed array, at [index], that the two arguments after it tell.
  bool part(size_t index, const char* name, Span* out) {
    napi_typedarray_type type;
    size_t length;
    void* data;
    if (napi_get_typedarray_info(env_, arguments_[index], &type, &length, &data, nullptr, nullptr) != napi_ok ||
        type != napi_uint8_array) {
      return refuse(name, "a Uint8Array");
    }
    uint32_t offset = 0, bytes = 0;
    if (!word(index + 1, "offset", &offset) || !word(index + 2, "length", &bytes)) return false;
    if (offset > length || bytes > length - offset) return refuse(name, "as long as offset and length tell");
    *out = {static_cast<uint8_t*>(data) + offset, bytes};
    return true;
  }

  bool context(size_t index, SslContext** out) {
    napi_valuetype type;
    if (napi_typeof(env_, arguments_[index], &type) != napi_ok || type != napi_external) {
      return refuse("context", "a SecureContext's");
    }
    *out = static_cast<SslContext*>(tls_->external_value(arguments_[index]));
    if (*out != nullptr) return true;
    throw_error(env_, "ERR_MILLRACE_INVALID_STATE", "This SecureContext is closed");
    return false;
  }

  napi_value result(const TlsSession& session, const TlsResult& result) {
    tls_->results[kPlainLength] = static_cast<uint32_t>(result.plain);
    tls_->results[kCipherLength] = static_cast<uint32_t>(result.cipher);
    tls_->results[kSpillLength] = static_cast<uint32_t>(session.spilled());
    tls_->results[kWaitingLength] = static_cast<uint32_t>(session.waiting());
    napi_value flags = nullptr;
    napi_create_uint32(env_, result.flags, &flags);
    return flags;
  }

 private:
  bool refuse(const char* name, const char* expected) {
    return throw_type_error(env_, std::string(name) + " must be " + expected);
  }

  napi_env env_;
  std::array<napi_value, kArgumentsMax> arguments_{};
  TlsEnvironment* tls_;
};

napi_value copy_of(napi_env env, const Bytes& bytes) {
  napi_value buffer = nullptr;
  napi_create_buffer_copy(env, bytes.size(), bytes.data(), nullptr, &buffer);
  return buffer;
}

bool flag_of(const Napi::Object& settings, const char* name) {
  Napi::Value value = settings.Get(name);
  bool flag = false;
  return value.IsBoolean() && napi_get_value_bool(settings.Env(), value, &flag) == napi_ok && flag;
}

Bytes bytes_of(const Napi::Object& settings, const char* name) {
  Napi::Value value = settings.Get(name);
  if (!value.IsBuffer()) return Bytes();
  auto buffer = value.As<Napi::Buffer<uint8_t>>();
  return Bytes(buffer.Data(), buffer.Data() + buffer.Length());
}

// prepare(context): to be called once for each context, before its first session.
napi_value prepare(napi_env env, napi_callback_info info) {
  Call call(env, info);
  SslContext* context = nullptr;
  if (call.context(0, &context)) TlsSession::prepare(context);
  return nullptr;
}

// create(context, settings): a handle, or undefined when OpenSSL refused.
napi_value create(napi_env env, napi_callback_info info) {
  Call call(env, info);
  SslContext* context = nullptr;
  if (!call.context(0, &context) || !check_object(Napi::Value(env, call.argument(1)), "settings")) return nullptr;
  Napi::Object given(env, call.argument(1));
  TlsSettings settings;
  settings.server = flag_of(given, "server");
  settings.request_certificate = flag_of(given, "requestCertificate");
  settings.reject_unauthorized = flag_of(given, "rejectUnauthorized");
  settings.select_context = flag_of(given, "selectContext");
  settings.alpn = bytes_of(given, "alpn");
  settings.session = bytes_of(given, "session");
  Napi::Value servername = given.Get("servername");
  if (servername.IsString()) settings.servername = servername.As<Napi::String>().Utf8Value();

  TlsEnvironment* tls = call.tls();
  if (tls->free.empty() && tls->slots.size() > kSlotMask) return nullptr;
  std::unique_ptr<TlsSession> session = TlsSession::create(tls->method, context, std::move(settings));
  if (!session) return nullptr;
  uint32_t slot;
  if (tls->free.empty()) {
    slot = static_cast<uint32_t>(tls->slots.size());
    tls->slots.emplace_back();
  } else {
    slot = tls->free.back();
    tls->free.pop_back();
  }
  tls->slots[slot].session = std::move(session);
  tls->alive++;
  return Napi::Number::New(env, slot | tls->slots[slot].generation << kSlotBits);
}

napi_value release(napi_env env, napi_callback_info info) {
  Call call(env, info);
  uint32_t handle = 0;
  if (!call.word(0, "handle", &handle)) return nullptr;
  TlsEnvironment* tls = call.tls();
  if (tls->find(handle) == nullptr) return nullptr;
  TlsSlot& slot = tls->slots[handle & kSlotMask];
  slot.session.reset();
  slot.generation = (slot.generation + 1) & kGenerationMask;
  tls->free.push_back(handle & kSlotMask);
  tls->alive--;
  return nullptr;
}

// receive(handle, input, offset, length, output, offset, room, plain): the flags. Plaintext goes to the front of `plain`,
// ciphertext to `output`.
napi_value receive(napi_env env, napi_callback_info info) {
  Call call(env, info);
  TlsSession* session = nullptr;
  Span input = {}, output = {}, plain = {};
  if (!call.session(0, &session) || !call.part(1, "input", &input) || !call.part(4, "output", &output)) return nullptr;
  napi_typedarray_type type;
  void* data;
  if (napi_get_typedarray_info(env, call.argument(7), &type, &plain.size, &data, nullptr, nullptr) != napi_ok ||
      type != napi_uint8_array) {
    throw_type_error(env, "plain must be a Uint8Array");
    return nullptr;
  }
  plain.data = static_cast<uint8_t*>(data);
  return call.result(*session, session->receive(input.data, input.size, plain, output));
}

// write(handle, input, offset, length, output, offset, room): the flags.
napi_value write(napi_env env, napi_callback_info info) {
  Call call(env, info);
  TlsSession* session = nullptr;
  Span input = {}, output = {};
  if (!call.session(0, &session) || !call.part(1, "input", &input) || !call.part(4, "output", &output)) return nullptr;
  return call.result(*session, session->write(input.data, input.size, output));
}

// shutdown(handle, output, offset, room): the flags.
napi_value shutdown(napi_env env, napi_callback_info info) {
  Call call(env, info);
  TlsSession* session = nullptr;
  Span output = {};
  if (!call.session(0, &session) || !call.part(1, "output", &output)) return nullptr;
  return call.result(*session, session->shutdown(output));
}

// select(handle, context | undefined)
napi_value select(napi_env env, napi_callback_info info) {
  Call call(env, info);
  TlsSession* session = nullptr;
  if (!call.session(0, &session)) return nullptr;
  SslContext* context = nullptr;
  if (!Napi::Value(env, call.argument(1)).IsUndefined() && !call.context(1, &context)) return nullptr;
  session->select(context);
  return nullptr;
}

napi_value take_spill(napi_env env, napi_callback_info info) {
  Call call(env, info);
  TlsSession* session = nullptr;
  return call.session(0, &session) ? copy_of(env, session->take_spill()) : nullptr;
}

napi_value take_session(napi_env env, napi_callback_info info) {
  Call call(env, info);
  TlsSession* session = nullptr;
  return call.session(0, &session) ? copy_of(env, session->take_session()) : nullptr;
}

napi_value failure(napi_env env, napi_callback_info info) {
  Call call(env, info);
  TlsSession* session = nullptr;
  if (!call.session(0, &session)) return nullptr;
  Napi::Object result = Napi::Object::New(env);
  result.Set("library", session->failure().library);
  result.Set("reason", session->failure().reason);
  result.Set("message", session->failure().message);
  return result;
}

// verify(handle): X509_V_OK (0) or the number of the error, and OpenSSL's words for it.
napi_value verify(napi_env env, napi_callback_info info) {
  Call call(env, info);
  TlsSession* session = nullptr;
  if (!call.session(0, &session)) return nullptr;
  long code = openssl().SSL_get_verify_result(session->ssl());
  Napi::Object result = Napi::Object::New(env);
  result.Set("code", Napi::Number::New(env, static_cast<double>(code)));
  result.Set("message", openssl().X509_verify_cert_error_string(code));
  result.Set("certificate", Napi::Boolean::New(env, session->has_peer_certificate()));
  return result;
}

napi_value describe(napi_env env, napi_callback_info info) {
  Call call(env, info);
  TlsSession* session = nullptr;
  if (!call.session(0, &session)) return nullptr;
  const OpenSsl& lib = openssl();
  const ssl_cipher_st* cipher = lib.SSL_get_current_cipher(session->ssl());
  auto text = [](const char* value) { return std::string(value == nullptr ? "" : value); };
  Napi::Object result = Napi::Object::New(env);
  result.Set("protocol", text(lib.SSL_get_version(session->ssl())));
  if (cipher != nullptr) {
    result.Set("cipher", text(lib.SSL_CIPHER_get_name(cipher)));
    result.Set("standardName", text(lib.SSL_CIPHER_standard_name(cipher)));
    result.Set("version", text(lib.SSL_CIPHER_get_version(cipher)));
  }
  result.Set("alpn", session->alpn());
  result.Set("servername", session->servername());
  result.Set("reused", Napi::Boolean::New(env, lib.SSL_session_reused(session->ssl()) == 1));
  return result;
}

napi_value peer_certificates(napi_env env, napi_callback_info info) {
  Call call(env, info);
  TlsSession* session = nullptr;
  if (!call.session(0, &session)) return nullptr;
  Napi::Array result = Napi::Array::New(env);
  uint32_t count = 0;
  for (const Bytes& certificate : session->peer_certificates()) {
    result.Set(count++, Napi::Value(env, copy_of(env, certificate)));
  }
  return result;
}

napi_value alive(napi_env env, napi_callback_info info) {
  Call call(env, info);
  return Napi::Number::New(env, static_cast<double>(call.tls()->alive));
}

ExternalValue find_external_value() {
#ifdef _WIN32
  return nullptr;
#else
  return reinterpret_cast<ExternalValue>(dlsym(RTLD_DEFAULT, "_ZNK2v88External5ValueEv"));
#endif
}

void destroy(void* data) { delete static_cast<TlsEnvironment*>(data); }

// openTls(process.versions.openssl): the functions above and their results' words, or undefined where there is no
// OpenSSL to be had.
napi_value open(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  std::string version;
  if (!check_string(Napi::Value(env, argument), "version", &version)) return nullptr;
  auto tls = std::make_unique<TlsEnvironment>();
  tls->external_value = find_external_value();
  if (tls->external_value == nullptr || !openssl_usable(version.c_str())) return nullptr;
  tls->method = TlsSession::create_method();
  if (tls->method == nullptr) return nullptr;
  napi_value results;
  void* words;
  if (napi_create_arraybuffer(env, kResultWords * sizeof(uint32_t), &words, &results) != napi_ok) return nullptr;
  tls->results = static_cast<uint32_t*>(words);
  if (napi_create_reference(env, results, 1, &tls->results_reference) != napi_ok) return nullptr;
  if (napi_add_env_cleanup_hook(env, destroy, tls.get()) != napi_ok) return nullptr;
  TlsEnvironment* data = tls.release();

  Napi::Object functions = Napi::Object::New(env);
  functions.Set("results", Napi::Value(env, results));
  const std::pair<const char*, napi_callback> all[] = {
      {"prepare", prepare},
      {"create", create},
      {"release", release},
      {"receive", receive},
      {"write", write},
      {"shutdown", shutdown},
      {"select", select},
      {"failure", failure},
      {"verify", verify},
      {"takeSpill", take_spill},
      {"alive", alive},
      {"describe", describe},
      {"takeSession", take_session},
      {"peerCertificates", peer_certificates},
  };
  for (const auto& [name, function] : all) {
    napi_value value;
    if (napi_create_function(env, name, NAPI_AUTO_LENGTH, function, data, &value) != napi_ok) return nullptr;
    functions.Set(name, Napi::Value(env, value));
  }
  return functions;
}

}  // namespace

void export_tls(napi_env env, napi_value exports) {
  napi_value value;
  if (napi_create_function(env, "openTls", NAPI_AUTO_LENGTH, open, nullptr, &value) != napi_ok) return;
  napi_set_named_property(env, exports, "openTls", value);
}

}  // namespace millrace

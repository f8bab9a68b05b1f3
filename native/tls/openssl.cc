#include "tls/openssl.h"

#include <cstring>

#ifndef _WIN32
#include <dlfcn.h>
#endif

namespace millrace {

namespace {

constexpr unsigned long kMajor = 3;

template <typename Function>
void find_function(const char* name, Function* out) {
#ifdef _WIN32
  static_cast<void>(name);
  *out = nullptr;
#else
  *out = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
#endif
}

OpenSsl find_all() {
  OpenSsl found;
#define MILLRACE_FIND(name, result, arguments) find_function(#name, &found.name);
  MILLRACE_OPENSSL_FUNCTIONS(MILLRACE_FIND)
#undef MILLRACE_FIND
  return found;
}

}  // namespace

const OpenSsl& openssl() {
  static const OpenSsl found = find_all();
  return found;
}

bool openssl_usable(const char* version) {
  const OpenSsl& found = openssl();
#define MILLRACE_CHECK(name, result, arguments) \
  if (found.name == nullptr) return false;
  MILLRACE_OPENSSL_FUNCTIONS(MILLRACE_CHECK)
#undef MILLRACE_CHECK
  if (found.OpenSSL_version_num() >> 28 != kMajor) return false;
  // Node may add to it: "3.0.15+quic".
  const char* own = found.OpenSSL_version(kVersionString);
  return own != nullptr && std::strncmp(own, version, std::strlen(own)) == 0;
}

}  // namespace millrace

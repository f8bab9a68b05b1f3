// Checks of what JavaScript passes. Each returns false with a JavaScript exception pending that names the argument and
// shows the value; the caller returns at once.
#ifndef MILLRACE_ADDON_ARGUMENTS_H_
#define MILLRACE_ADDON_ARGUMENTS_H_

#include <napi.h>

#include <cstdint>
#include <string>

namespace millrace {

// How a value is shown in a message. Never runs user code: an object's own toString is not asked.
std::string shown(Napi::Value value);

// Always false. Throws an error with a `code` property.
bool throw_type_error(Napi::Env env, const std::string& message);   // ERR_INVALID_ARG_TYPE
bool throw_range_error(Napi::Env env, const std::string& message);  // ERR_OUT_OF_RANGE
bool throw_error(Napi::Env env, const char* code, const std::string& message);

bool check_integer(Napi::Value value, const char* name, uint32_t min, uint32_t max, uint32_t* out);
bool check_signed(Napi::Value value, const char* name, int32_t min, int32_t max, int32_t* out);
// Finite or infinite, but not NaN.
bool check_number(Napi::Value value, const char* name, double* out);
bool check_boolean(Napi::Value value, const char* name, bool* out);
bool check_string(Napi::Value value, const char* name, std::string* out);
bool check_function(Napi::Value value, const char* name);
bool check_object(Napi::Value value, const char* name);

}  // namespace millrace

#endif  // MILLRACE_ADDON_ARGUMENTS_H_

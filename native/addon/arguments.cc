#include "addon/arguments.h"

#include <cmath>

namespace millrace {

namespace {

constexpr size_t kShownBytes = 64;

bool throw_with_code(Napi::Error error, const char* code) {
  error.Value().Set("code", code);
  error.ThrowAsJavaScriptException();
  return false;
}

bool wrong_type(Napi::Value value, const char* name, const char* expected) {
  // What a property gave in a thread that is being ended, where nothing can be thrown; or an exception is pending.
  if (value.IsEmpty()) return false;
  return throw_type_error(value.Env(), std::string(name) + " must be " + expected + "; got " + shown(value));
}

template <typename Integer>
bool check_whole(Napi::Value value, const char* name, Integer min, Integer max, Integer* out) {
  if (!value.IsNumber()) return wrong_type(value, name, "a number");
  double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= min && number <= max) || number != std::floor(number)) {
    return throw_range_error(value.Env(), std::string(name) + " must be an integer from " + std::to_string(min) +
                                              " to " + std::to_string(max) + "; got " + shown(value));
  }
  *out = static_cast<Integer>(number);
  return true;
}

}  // namespace

std::string shown(Napi::Value value) {
  switch (value.Type()) {
    case napi_undefined:
      return "undefined";
    case napi_null:
      return "null";
    case napi_boolean:
    case napi_number:
    case napi_bigint: {
      // Empty in a thread that is being ended.
      Napi::String text = value.ToString();
      return text.IsEmpty() ? "a value" : text.Utf8Value();
    }
    case napi_string: {
      std::string text = value.As<Napi::String>().Utf8Value();
      if (text.size() > kShownBytes) text = text.substr(0, kShownBytes) + "...";
      return "'" + text + "'";
    }
    case napi_symbol:
      return "a symbol";
    case napi_function:
      return "a function";
    case napi_object:
    case napi_external:
      return value.IsArray() ? "an array" : "an object";
  }
  return "a value";
}

bool throw_type_error(Napi::Env env, const std::string& message) {
  return throw_with_code(Napi::TypeError::New(env, message), "ERR_INVALID_ARG_TYPE");
}

bool throw_range_error(Napi::Env env, const std::string& message) {
  return throw_with_code(Napi::RangeError::New(env, message), "ERR_OUT_OF_RANGE");
}

bool throw_error(Napi::Env env, const char* code, const std::string& message) {
  return throw_with_code(Napi::Error::New(env, message), code);
}

bool check_integer(Napi::Value value, const char* name, uint32_t min, uint32_t max, uint32_t* out) {
  return check_whole(value, name, min, max, out);
}

bool check_signed(Napi::Value value, const char* name, int32_t min, int32_t max, int32_t* out) {
  return check_whole(value, name, min, max, out);
}

bool check_number(Napi::Value value, const char* name, double* out) {
  if (!value.IsNumber()) return wrong_type(value, name, "a number");
  *out = value.As<Napi::Number>().DoubleValue();
  return std::isnan(*out) ? throw_range_error(value.Env(), std::string(name) + " must not be NaN; got NaN") : true;
}

bool check_boolean(Napi::Value value, const char* name, bool* out) {
  if (!value.IsBoolean()) return wrong_type(value, name, "a boolean");
  *out = value.As<Napi::Boolean>().Value();
  return true;
}

bool check_string(Napi::Value value, const char* name, std::string* out) {
  if (!value.IsString()) return wrong_type(value, name, "a string");
  *out = value.As<Napi::String>().Utf8Value();
  return true;
}

bool check_function(Napi::Value value, const char* name) {
  return value.IsFunction() || wrong_type(value, name, "a function");
}

bool check_object(Napi::Value value, const char* name) {
  return value.Type() == napi_object || wrong_type(value, name, "an object");
}

}  // namespace millrace

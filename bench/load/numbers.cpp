#include "numbers.h"

#include <stdlib.h>

#include "fail.h"

namespace load {
namespace {

double Checked(const char* name, const char* text, double low, double high, bool whole) {
  char* end = nullptr;
  const double value = strtod(text, &end);
  const bool is_number = end != text && *end == '\0' && value >= low && value <= high;
  if (!is_number || (whole && value != static_cast<double>(static_cast<uint64_t>(value)))) {
    Fail(kUsage, "%s must be a %s from %.10g to %.10g, got %s", name, whole ? "whole number" : "number", low, high,
         text);
  }
  return value;
}

}  // namespace

double Number(const char* name, const char* text, double low, double high) {
  return Checked(name, text, low, high, false);
}

uint64_t WholeNumber(const char* name, const char* text, double low, double high) {
  return static_cast<uint64_t>(Checked(name, text, low, high, true));
}

}  // namespace load

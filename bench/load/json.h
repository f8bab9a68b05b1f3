// The one object that is printed. Members stand in the order in which they are added.
#pragma once

#include <stdint.h>

#include <string>
#include <vector>

#include "histogram.h"

namespace load {

class Json {
 public:
  Json& Text(const char* name, const char* value);
  Json& Count(const char* name, uint64_t value);
  Json& Real(const char* name, double value, int decimals);
  Json& Flag(const char* name, bool value);
  Json& Null(const char* name);
  Json& Object(const char* name, const Json& value);
  Json& List(const char* name, const std::vector<Json>& values);
  Json& List(const char* name, const std::vector<uint64_t>& values);
  // {"p50", "p90", "p99", "p999", "max", "mean"} in microseconds.
  Json& Times(const char* name, const Histogram& histogram);

  std::string Written() const { return "{" + members_ + "}"; }

 private:
  void Name(const char* name);

  std::string members_;
};

}  // namespace load

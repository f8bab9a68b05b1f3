#include "json.h"

#include <stdio.h>

namespace load {

void Json::Name(const char* name) {
  if (!members_.empty()) members_ += ",";
  members_ += std::string("\"") + name + "\":";
}

// Only words of the program itself are written: nothing needs escaping.
Json& Json::Text(const char* name, const char* value) {
  Name(name);
  members_ += std::string("\"") + value + "\"";
  return *this;
}

Json& Json::Count(const char* name, uint64_t value) {
  Name(name);
  members_ += std::to_string(value);
  return *this;
}

Json& Json::Real(const char* name, double value, int decimals) {
  char text[400];
  snprintf(text, sizeof text, "%.*f", decimals, value);
  Name(name);
  members_ += text;
  return *this;
}

Json& Json::Flag(const char* name, bool value) {
  Name(name);
  members_ += value ? "true" : "false";
  return *this;
}

Json& Json::Null(const char* name) {
  Name(name);
  members_ += "null";
  return *this;
}

Json& Json::Object(const char* name, const Json& value) {
  Name(name);
  members_ += value.Written();
  return *this;
}

Json& Json::List(const char* name, const std::vector<Json>& values) {
  Name(name);
  members_ += "[";
  for (size_t i = 0; i < values.size(); i++) members_ += (i == 0 ? "" : ",") + values[i].Written();
  members_ += "]";
  return *this;
}

Json& Json::List(const char* name, const std::vector<uint64_t>& values) {
  Name(name);
  members_ += "[";
  for (size_t i = 0; i < values.size(); i++) members_ += (i == 0 ? "" : ",") + std::to_string(values[i]);
  members_ += "]";
  return *this;
}

Json& Json::Times(const char* name, const Histogram& histogram) {
  const auto us = [](uint64_t ns) { return static_cast<double>(ns) / 1000.0; };
  Json times;
  times.Real("p50", us(histogram.PercentileNs(50)), 3)
      .Real("p90", us(histogram.PercentileNs(90)), 3)
      .Real("p99", us(histogram.PercentileNs(99)), 3)
      .Real("p999", us(histogram.PercentileNs(99.9)), 3)
      .Real("max", us(histogram.max_ns()), 3)
      .Real("mean", histogram.mean_ns() / 1000.0, 3);
  return Object(name, times);
}

}  // namespace load

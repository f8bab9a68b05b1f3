// Numbers of the command line.
#pragma once

#include <stdint.h>

namespace load {

// Each ends the program when `text` is no number from `low` to `high`; `name` is the option.
double Number(const char* name, const char* text, double low, double high);
uint64_t WholeNumber(const char* name, const char* text, double low, double high);

}  // namespace load

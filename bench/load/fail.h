// The one way in which the program gives up: a line on standard error and an exit code.
#pragma once

namespace load {

constexpr int kServerFailed = 1;
constexpr int kUsage = 2;

[[noreturn, gnu::format(printf, 2, 3)]] void Fail(int code, const char* format, ...);

}  // namespace load

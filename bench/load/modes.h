// Each mode measures and gives the object to print.
#pragma once

#include "json.h"
#include "options.h"

namespace load {

Json RunEcho(const Options& options);
Json RunUdp(const Options& options);
Json RunHttp(const Options& options);
Json RunChurn(const Options& options);
Json RunIdle(const Options& options);

Json RunStorm(const Options& options);
Json RunBeside(const Options& options);
Json RunCalibrate(const Options& options);

}  // namespace load

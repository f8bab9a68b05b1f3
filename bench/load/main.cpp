// The load generator of the benchmark. README.md says what it does and what it prints.
#include <stdio.h>

#include "inspect.h"
#include "modes.h"
#include "serve.h"

namespace {

load::Json Measure(const load::Options& options) {
  switch (options.mode) {
    case load::Mode::kUdp:
      return load::RunUdp(options);
    case load::Mode::kHttp:
      return load::RunHttp(options);
    case load::Mode::kChurn:
      return load::RunChurn(options);
    case load::Mode::kIdle:
      return load::RunIdle(options);
    case load::Mode::kStorm:
      return load::RunStorm(options);
    case load::Mode::kBeside:
      return load::RunBeside(options);
    case load::Mode::kCalibrate:
      return load::RunCalibrate(options);
    case load::Mode::kHistogram:
      return load::InspectHistogram();
    case load::Mode::kSchedule:
      return load::InspectSchedule(options);
    default:
      return load::RunEcho(options);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const load::Options options = load::ParseOptions(argc, argv);
  if (options.mode == load::Mode::kServe) {
    load::RunServe(options);
    return 0;
  }
  puts(Measure(options).Written().c_str());
  return 0;
}

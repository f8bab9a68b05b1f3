// Connect, one request, its answer, close, again.
#pragma once

#include "histogram.h"
#include "meter.h"
#include "options.h"

namespace load {

struct ChurnResult {
  Window window;
  Histogram whole;   // from connect to the server's close
  Histogram answer;  // from connect to the whole answer
  uint32_t sources = 0;
};

ChurnResult MeasureChurn(const Options& options, const Meter& meter);

}  // namespace load

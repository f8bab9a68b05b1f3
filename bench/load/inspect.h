// The modes through which tests look at the parts that no server is needed for.
#pragma once

#include "json.h"
#include "options.h"

namespace load {

// Percentiles of the whole numbers on standard input.
Json InspectHistogram();
// The first `--count` messages: when each is due, and on which connection.
Json InspectSchedule(const Options& options);

}  // namespace load

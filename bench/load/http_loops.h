// The ways to load an HTTP server that no other protocol has.
#pragma once

#include "json.h"
#include "meter.h"
#include "options.h"
#include "sockets.h"

namespace load {

// A scenario with a fixed number of requests, again and again until the window is over: each round opens its connections,
// each of them sends its requests one after the other, and all are closed.
void RunRounds(const Options& options, const Meter& meter, Target* target, Json* json);

// One request each interval, for a given time, by one client that connects again after a failure. It counts failures where
// the other modes end at the first.
void RunSteady(const Options& options, const Meter& meter, Target* target, Json* json);

}  // namespace load

// The two ways to load a server, over TCP or UDP.
//
// Closed loop: a fixed number of messages in flight on each connection; each that is back is at once followed by the next.
// It finds the highest throughput. Its latencies flatter a server that stalls: while nothing comes back nothing is sent,
// so a stall is seen by the few messages in flight only (coordinated omission, Gil Tene).
//
// Open loop: the times at which messages are due are fixed in advance. Each latency counts from that time, so that a stall
// is seen by every message that was due while it lasted, whether or not it could be sent.
#pragma once

#include "json.h"
#include "meter.h"
#include "options.h"
#include "pool.h"

namespace load {

struct ClosedResult {
  Window window;
  Histogram latency;
};

// Leaves no message on its way. Ends the program when none came back in the window.
ClosedResult RunClosedLoop(const Options& options, const Meter& meter, Pool* pool);

struct OpenResult {
  Window window;
  Histogram latency;
  Histogram lateness;
  uint64_t scheduled = 0;
  uint64_t unanswered = 0;

  bool generator_limited() const;
};

OpenResult RunOpenLoop(const Options& options, const Meter& meter, Pool* pool);

// `connections`, `messageBytes` (but over HTTP), the options of the loop, and what it measured.
void WriteClosed(const Options& options, uint32_t connections, const Meter& meter, const ClosedResult& result,
                 Json* json);
void WriteOpen(const Options& options, uint32_t connections, const Meter& meter, const OpenResult& result, Json* json);

// What was done in the window: `messages`, `messagesPerSecond` and `bytesPerSecond`; over HTTP `requests` and
// `requestsPerSecond`.
void WriteDone(const Options& options, const Window& window, Json* json);

}  // namespace load

#include "http_loops.h"
#include "loops.h"
#include "modes.h"
#include "stream_pool.h"

namespace load {

Json RunHttp(const Options& options) {
  RaiseFileLimit(options.connections);
  const Meter meter(options.server_pid);
  Target target(options, options.sources);
  Json json;
  json.Text("mode", "http");
  if (options.requests_each > 0) {
    RunRounds(options, meter, &target, &json);
    return json;
  }
  if (options.interval_ms > 0) {
    RunSteady(options, meter, &target, &json);
    return json;
  }
  HttpScript script(options.requests, target);
  HttpPool pool(&script);
  pool.Open(&target, options.connections);
  if (options.rate > 0) {
    WriteOpen(options, pool.size(), meter, RunOpenLoop(options, meter, &pool), &json);
  } else {
    WriteClosed(options, pool.size(), meter, RunClosedLoop(options, meter, &pool), &json);
  }
  return json;
}

}  // namespace load

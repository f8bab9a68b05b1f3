#include "loops.h"
#include "modes.h"
#include "stream_pool.h"

namespace load {

Json RunEcho(const Options& options) {
  RaiseFileLimit(options.connections);
  const Meter meter(options.server_pid);
  Target target(options, options.sources);
  EchoScript script(options.message_bytes);
  EchoPool pool(&script);
  pool.Open(&target, options.connections);
  Json json;
  json.Text("mode", "echo");
  if (options.rate > 0) {
    WriteOpen(options, pool.size(), meter, RunOpenLoop(options, meter, &pool), &json);
  } else {
    WriteClosed(options, pool.size(), meter, RunClosedLoop(options, meter, &pool), &json);
  }
  return json;
}

}  // namespace load

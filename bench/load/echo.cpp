#include "loops.h"
#include "modes.h"
#include "tcp_pool.h"

namespace load {

Json RunEcho(const Options& options) {
  RaiseFileLimit(options.connections);
  const Pattern pattern;
  const Meter meter(options.server_pid);
  Target target(options, options.sources);
  TcpPool pool(pattern, options.message_bytes);
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

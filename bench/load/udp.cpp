#include "loops.h"
#include "modes.h"
#include "udp_pool.h"

namespace load {

Json RunUdp(const Options& options) {
  RaiseFileLimit(options.connections);
  const Pattern pattern;
  const Meter meter(options.server_pid);
  Target target(options, 0);
  UdpPool pool(pattern, options);
  pool.Open(&target, options.connections);
  Json json;
  json.Text("mode", "udp");
  uint64_t unanswered = 0;
  if (options.rate > 0) {
    const OpenResult result = RunOpenLoop(options, meter, &pool);
    unanswered = result.unanswered;
    WriteOpen(options, pool.size(), meter, result, &json);
  } else {
    WriteClosed(options, pool.size(), meter, RunClosedLoop(options, meter, &pool), &json);
  }
  json.Count("lost", pool.recorder().given_up() - unanswered)
      .Count("late", pool.late())
      .Count("ownDrops", pool.own_drops());
  return json;
}

}  // namespace load

#include "inspect.h"

#include <inttypes.h>
#include <stdio.h>

#include <vector>

#include "histogram.h"
#include "schedule.h"

namespace load {

Json InspectHistogram() {
  Histogram histogram;
  uint64_t value_ns = 0;
  while (scanf("%" SCNu64, &value_ns) == 1) histogram.Add(value_ns);
  Json json;
  json.Text("mode", "histogram").Count("total", histogram.total());
  for (const double percent : {1.0, 25.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
    char name[32];
    snprintf(name, sizeof name, "%g", percent);
    json.Count(name, histogram.PercentileNs(percent));
  }
  return json.Count("max", histogram.max_ns()).Real("mean", histogram.mean_ns(), 3);
}

Json InspectSchedule(const Options& options) {
  Schedule schedule(options.arrivals, options.rate, options.connections, options.seed, 0);
  std::vector<uint64_t> due_ns;
  std::vector<uint64_t> connections;
  for (uint32_t i = 0; i < options.count; i++) {
    due_ns.push_back(schedule.due_ns());
    connections.push_back(schedule.connection());
    schedule.Advance();
  }
  Json json;
  return json.Text("mode", "schedule").List("dueNs", due_ns).List("connections", connections);
}

}  // namespace load

// What /proc tells about the server and its sockets.
#pragma once

#include <stdint.h>

#include "json.h"

namespace load {

struct Memory {
  uint64_t rss_bytes = 0;
  uint64_t pss_bytes = 0;
  uint64_t private_bytes = 0;  // what would be given back if the process ended
  uint64_t anonymous_bytes = 0;

  Json Written() const;
};

// Ends the program when it cannot be read.
Memory ReadMemory(uint32_t pid);
uint64_t CountDescriptors(uint32_t pid);

// Sockets of the local port `port` in TIME_WAIT.
uint64_t CountTimeWait(uint16_t port);

}  // namespace load

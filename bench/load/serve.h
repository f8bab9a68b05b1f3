// The smallest honest echo server: one thread, epoll, nothing else. What `serve` runs and `calibrate` measures against.
#pragma once

#include <stdint.h>

#include "options.h"
#include "sockets.h"

namespace load {

// Listens on a free port of 127.0.0.1.
Descriptor OpenServer(Protocol protocol, uint16_t* port);
// Echoes until `stop_fd` is readable or at its end.
void ServeEcho(Protocol protocol, const Descriptor& server, int stop_fd);

// The mode: prints the port, serves until standard input is closed.
void RunServe(const Options& options);

}  // namespace load

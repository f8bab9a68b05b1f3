// The smallest honest servers: one thread, epoll, nothing else. What `serve` runs and `calibrate` measures against. TCP and
// UDP echo; HTTP answers each empty line with the same reply, so it is for requests without a body.
#pragma once

#include <stdint.h>

#include "options.h"
#include "sockets.h"

namespace load {

// Listens on a free port of 127.0.0.1.
Descriptor OpenServer(Protocol protocol, uint16_t* port);
// Serves until `stop_fd` is readable or at its end.
void Serve(Protocol protocol, const Descriptor& server, int stop_fd);

// The mode: prints the port, serves until standard input is closed.
void RunServe(const Options& options);

}  // namespace load

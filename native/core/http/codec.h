// All that the codec of one environment has: servers, connections, and the table through which it is spoken to.
//
// - A connection is nothing but its place in a message. Bytes are held for it only between calls that begin and end in the
//   middle of a head or of trailers.
// - A server lives as long as it has connections; dropping it only takes its handle away.
// - Offsets in events are those of the caller's input; what came in pieces is put together in scratch, which is good until
//   the next call. A call puts at most one thing there: the one that the call before it left unfinished.
#ifndef MILLRACE_CORE_HTTP_CODEC_H_
#define MILLRACE_CORE_HTTP_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/http/chunks.h"
#include "core/http/date.h"
#include "core/http/events.h"
#include "core/http/head.h"
#include "core/http/recent_paths.h"
#include "core/http/scanner.h"
#include "core/http/static_table.h"
#include "core/slab.h"

namespace millrace {

struct HttpServer {
  HttpLimits limits;
  std::unique_ptr<StaticTable> statics;
  uint32_t connections = 0;
  bool dropped = false;
};

// The begin of a head or of trailers whose end has not come.
class HttpPending {
 public:
  size_t length() const { return length_; }
  const uint8_t* bytes() const { return bytes_.get(); }
  // False: no memory.
  bool append(const uint8_t* bytes, size_t length);
  void clear();

  // Of an unfinished head, as parse_head found it.
  size_t begin = 0;
  size_t last_line = 0;
  uint32_t fields = 0;

 private:
  std::unique_ptr<uint8_t[]> bytes_;
  size_t length_ = 0;
  size_t capacity_ = 0;
};

struct HttpConnection {
  enum class Phase : uint8_t {
    Head,
    Length,    // `remaining` bytes of a body
    Chunk,     // the framing of a chunk
    Data,      // `remaining` bytes of a chunk
    Trailers,  //
    Refused,   // after an error
  };

  uint32_t server = 0;  // handle, which lookup finds as long as the connection is there
  Phase phase = Phase::Head;
  bool skips_body = false;
  ChunkReader chunks;
  uint64_t remaining = 0;
  HttpPending pending;
};

struct HttpInput {
  const uint8_t* bytes;  // where offsets count from
  uint32_t offset;
  uint32_t length;
};

struct HttpOutput {
  uint8_t* bytes;
  uint32_t room;
};

class HttpCodec {
 public:
  using Clock = int64_t (*)();  // seconds since 1970

  // `table` has kHttpTableWords, `scratch` kHttpScratchBytes; both outlive the codec.
  HttpCodec(uint32_t* table, uint8_t* scratch, const Scanner& scanner = best_scanner(),
            Clock clock = wall_clock_seconds);

  // A handle; 0: there are too many, or no memory.
  uint32_t add_server(const HttpLimits& limits);
  // nullptr for a handle that is stale or dropped.
  HttpServer* server(uint32_t handle);
  void drop_server(uint32_t handle);

  // A handle; 0: there are too many, or no memory. `server` is one that server() finds.
  uint32_t attach(uint32_t server);
  HttpConnection* connection(uint32_t handle) { return connections_.lookup(handle); }
  void detach(uint32_t handle);
  uint32_t connections() const { return connections_.live(); }

  // Writes events and the words from Consumed on; the number of events. Bytes that belong to a head or to trailers that are
  // not complete are kept, all others that are not consumed have to be given again.
  uint32_t parse(HttpConnection* connection, HttpInput input, uint32_t requests_max, HttpOutput output);

  // What is left of the body is checked as before, but not told; End still is, without trailers.
  static void skip_body(HttpConnection* connection) { connection->skips_body = true; }

 private:
  class Call;

  uint32_t* table_;
  uint8_t* scratch_;
  const Scanner& scanner_;
  Clock clock_;
  HttpDate date_;
  RecentPaths paths_;
  Slab<HttpServer, kHttpServersMax> servers_;
  Slab<HttpConnection, kHttpConnectionsMax> connections_;
};

}  // namespace millrace

#endif  // MILLRACE_CORE_HTTP_CODEC_H_

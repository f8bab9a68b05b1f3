// Requests that are answered without JavaScript: whole prepared replies, by path, host and method. Built once and never
// changed; a server replaces its table as a whole.
#ifndef MILLRACE_CORE_HTTP_STATIC_TABLE_H_
#define MILLRACE_CORE_HTTP_STATIC_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/http/events.h"

namespace millrace {

struct StaticReply {
  const uint8_t* bytes;
  uint32_t length;
  uint32_t date;    // where kHttpDateBytes bytes of date stand; kStaticNone: nowhere
  uint32_t status;  // its first digit
};

class StaticTable {
 public:
  static constexpr uint32_t kNoRoute = kStaticNone;
  static constexpr uint32_t kRoutesMax = 0xfffe;

  // From the flat form (StaticRouteWord, StaticReplyWord); offsets are into `bytes`, which are copied. nullptr: an offset,
  // length, method or count that is wrong, or no memory. A host is given in lower case and without a port.
  static std::unique_ptr<StaticTable> create(const uint32_t* words, size_t word_count, const uint8_t* bytes,
                                             size_t byte_count);

  // The route of a path as it was sent, without the query; one of this host before one of any. `authority` may have a port.
  uint32_t find(std::string_view path, std::string_view authority) const;

  // HEAD is answered with the head of its reply, or else of GET's, or of that for any method. False: there is none.
  bool reply(uint32_t route, HttpMethod method, StaticReply* reply) const;

  uint32_t routes() const { return static_cast<uint32_t>(routes_.size()); }

 private:
  struct Text {
    uint32_t offset;
    uint32_t length;
  };
  struct Reply {
    uint32_t offset;
    uint32_t length;
    uint32_t date;
    bool present;
  };
  static constexpr size_t kMethods = static_cast<size_t>(HttpMethod::Patch) + 1;
  struct Route {
    uint64_t hash;
    Text path;
    Text host;
    bool any_host;
    Reply replies[kMethods + 1];  // the last one is for any other method
  };

  StaticTable() = default;
  bool read(const uint32_t* words, size_t word_count);
  bool read_reply(const uint32_t* words, Route* route) const;
  bool has(uint32_t offset, uint32_t length) const { return offset <= size_ && length <= size_ - offset; }
  void build_buckets();
  std::string_view text(Text text) const {
    return {reinterpret_cast<const char*>(bytes_.get()) + text.offset, text.length};
  }

  std::unique_ptr<uint8_t[]> bytes_;
  size_t size_ = 0;
  std::vector<Route> routes_;
  // Open addressing by the path's hash, at most half full: a route + 1, 0 for none.
  std::vector<uint32_t> buckets_;
};

}  // namespace millrace

#endif  // MILLRACE_CORE_HTTP_STATIC_TABLE_H_

#include "core/http/static_table.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

#include "core/http/authority.h"
#include "core/http/characters.h"

namespace millrace {

namespace {

constexpr size_t kRouteWords = static_cast<size_t>(StaticRouteWord::Words);
constexpr size_t kReplyWords = static_cast<size_t>(StaticReplyWord::Words);

uint64_t hash_of(std::string_view path) {
  constexpr uint64_t kFactor = 0x9e3779b97f4a7c15u;
  uint64_t hash = path.size() * kFactor;
  for (size_t at = 0; at < path.size(); at += sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, path.data() + at, std::min(sizeof word, path.size() - at));
    hash = (hash ^ word) * kFactor;
    hash ^= hash >> 29;
  }
  return hash;
}

std::string_view host_of(std::string_view authority) {
  return authority.substr(
      0, parse_authority(reinterpret_cast<const uint8_t*>(authority.data()), authority.size()).host_length);
}

// The first digit of the status, which stands behind "HTTP/1.1 "; 0 where there is none.
uint32_t status_digit(const uint8_t* reply, uint32_t length) {
  constexpr uint32_t kPlace = 9;
  return length > kPlace && is_digit(reply[kPlace]) ? reply[kPlace] - '0' : 0;
}

// Bytes up to and with the empty line.
uint32_t head_length(std::string_view reply) {
  size_t end = reply.find("\r\n\r\n");
  return static_cast<uint32_t>(end == std::string_view::npos ? reply.size() : end + 4);
}

}  // namespace

std::unique_ptr<StaticTable> StaticTable::create(const uint32_t* words, size_t word_count, const uint8_t* bytes,
                                                 size_t byte_count) {
  std::unique_ptr<StaticTable> table(new (std::nothrow) StaticTable);
  if (!table || byte_count > UINT32_MAX) return nullptr;
  table->bytes_.reset(new (std::nothrow) uint8_t[byte_count]);
  if (!table->bytes_) return nullptr;
  if (byte_count > 0) std::memcpy(table->bytes_.get(), bytes, byte_count);
  table->size_ = byte_count;
  if (!table->read(words, word_count)) return nullptr;
  table->build_buckets();
  return table;
}

bool StaticTable::read(const uint32_t* words, size_t word_count) {
  const uint32_t* end = words + word_count;
  while (words < end) {
    if (static_cast<size_t>(end - words) < kRouteWords || routes_.size() == kRoutesMax) return false;
    Route route = {};
    route.any_host = words[static_cast<size_t>(StaticRouteWord::HostOffset)] == kStaticNone;
    if (!route.any_host) {
      route.host = {words[static_cast<size_t>(StaticRouteWord::HostOffset)],
                    words[static_cast<size_t>(StaticRouteWord::HostLength)]};
    }
    route.path = {words[static_cast<size_t>(StaticRouteWord::PathOffset)],
                  words[static_cast<size_t>(StaticRouteWord::PathLength)]};
    uint32_t replies = words[static_cast<size_t>(StaticRouteWord::Replies)];
    words += kRouteWords;
    if (!has(route.host.offset, route.host.length) || !has(route.path.offset, route.path.length)) return false;
    if (replies > static_cast<size_t>(end - words) / kReplyWords) return false;
    for (; replies > 0; replies--, words += kReplyWords) {
      if (!read_reply(words, &route)) return false;
    }
    Reply& head = route.replies[static_cast<size_t>(HttpMethod::Head)];
    const Reply& get = route.replies[static_cast<size_t>(HttpMethod::Get)];
    // Whoever asks with HEAD takes what stands behind the head for the next reply.
    if (!head.present) head = get.present ? get : route.replies[kMethods];
    if (head.present) head.length = head_length(text({head.offset, head.length}));
    route.hash = hash_of(text(route.path));
    routes_.push_back(route);
  }
  return true;
}

bool StaticTable::read_reply(const uint32_t* words, Route* route) const {
  uint32_t method = words[static_cast<size_t>(StaticReplyWord::Method)];
  if (method == static_cast<uint32_t>(HttpMethod::Other) || (method >= kMethods && method != kStaticAnyMethod)) {
    return false;
  }
  Reply& reply = route->replies[method == kStaticAnyMethod ? kMethods : method];
  reply.offset = words[static_cast<size_t>(StaticReplyWord::Offset)];
  reply.length = words[static_cast<size_t>(StaticReplyWord::Length)];
  reply.date = words[static_cast<size_t>(StaticReplyWord::DateOffset)];
  if (reply.present || !has(reply.offset, reply.length)) return false;
  reply.present = true;
  if (reply.date == kStaticNone) return true;
  // In the head, which the reply to HEAD is as well.
  uint32_t head = head_length(text({reply.offset, reply.length}));
  return head >= kHttpDateBytes && reply.date <= head - kHttpDateBytes;
}

void StaticTable::build_buckets() {
  buckets_.assign(std::bit_ceil(routes_.size() * 2 + 1), 0);
  for (uint32_t i = 0; i < routes_.size(); i++) {
    size_t bucket = routes_[i].hash & (buckets_.size() - 1);
    while (buckets_[bucket] != 0) bucket = (bucket + 1) & (buckets_.size() - 1);
    buckets_[bucket] = i + 1;
  }
}

uint32_t StaticTable::find(std::string_view path, std::string_view authority) const {
  uint64_t hash = hash_of(path);
  uint32_t any_host = kNoRoute;
  for (size_t bucket = hash & (buckets_.size() - 1); buckets_[bucket] != 0;
       bucket = (bucket + 1) & (buckets_.size() - 1)) {
    uint32_t index = buckets_[bucket] - 1;
    const Route& route = routes_[index];
    if (route.hash != hash || text(route.path) != path) continue;
    if (route.any_host) {
      if (any_host == kNoRoute) any_host = index;
      continue;
    }
    std::string_view host = host_of(authority);
    if (equals_lower(reinterpret_cast<const uint8_t*>(host.data()), host.size(), text(route.host))) return index;
  }
  return any_host;
}

bool StaticTable::reply(uint32_t route, HttpMethod method, StaticReply* reply) const {
  const Route& found = routes_[route];
  const Reply* chosen = method == HttpMethod::Other ? nullptr : &found.replies[static_cast<size_t>(method)];
  if (chosen == nullptr || !chosen->present) chosen = &found.replies[kMethods];
  if (!chosen->present) return false;
  const uint8_t* bytes = bytes_.get() + chosen->offset;
  *reply = {bytes, chosen->length, chosen->date, status_digit(bytes, chosen->length)};
  return true;
}

}  // namespace millrace

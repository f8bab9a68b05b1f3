#include "core/http/request_line.h"

#include <cstring>

#include "core/http/authority.h"
#include "core/http/characters.h"

namespace millrace {

namespace {

constexpr size_t kVersionBytes = 8;

HttpStep refuse(RequestLine* line, HttpReason reason) {
  line->reason = reason;
  return HttpStep::Error;
}

bool is_text(const uint8_t* bytes, std::string_view text) { return std::memcmp(bytes, text.data(), text.size()) == 0; }

// Methods are case-sensitive, RFC 9110 9.1.
HttpMethod method_of(const uint8_t* bytes, size_t length) {
  switch (length) {
    case 3:
      if (is_text(bytes, "GET")) return HttpMethod::Get;
      if (is_text(bytes, "PUT")) return HttpMethod::Put;
      break;
    case 4:
      if (is_text(bytes, "POST")) return HttpMethod::Post;
      if (is_text(bytes, "HEAD")) return HttpMethod::Head;
      break;
    case 5:
      if (is_text(bytes, "PATCH")) return HttpMethod::Patch;
      if (is_text(bytes, "TRACE")) return HttpMethod::Trace;
      break;
    case 6:
      if (is_text(bytes, "DELETE")) return HttpMethod::Delete;
      break;
    case 7:
      if (is_text(bytes, "OPTIONS")) return HttpMethod::Options;
      if (is_text(bytes, "CONNECT")) return HttpMethod::Connect;
      break;
    default:
      break;
  }
  return HttpMethod::Other;
}

// The version at `at`. It is told apart byte by byte, so that a wrong one is refused at its first wrong byte, unless it is
// the usual one.
HttpStep read_version(const Scan& scan, size_t at, size_t limit, RequestLine* line) {
  constexpr std::string_view kUsual = "HTTP/1.1\r\n";
  constexpr std::string_view kPattern = "HTTP/0.0\r\n";
  const uint8_t* bytes = scan.bytes();
  if (at + kVersionBytes <= limit && at + kUsual.size() <= scan.end() && is_text(bytes + at, kUsual)) {
    return HttpStep::Complete;
  }
  for (size_t i = 0; i < kPattern.size(); i++) {
    if (i < kVersionBytes && at + i >= limit) return refuse(line, HttpReason::RequestLineTooLong);
    if (at + i >= scan.end()) return HttpStep::Incomplete;
    uint8_t c = bytes[at + i], expected = static_cast<uint8_t>(kPattern[i]);
    if (expected == '0' ? is_digit(c) : c == expected) continue;
    if (i > kVersionBytes) return refuse(line, HttpReason::BareCr);
    return refuse(line, c == '\n' ? HttpReason::BareLf : HttpReason::BadVersion);
  }
  return HttpStep::Complete;
}

// A later minor version is read as 1.1, the highest that we have, RFC 9110 2.5.
HttpReason take_version(const uint8_t* version, RequestLine* line) {
  if (version[5] != '1') return HttpReason::VersionNotSupported;
  if (version[7] == '0') line->flags |= kHttpHttp10;
  return HttpReason::None;
}

// absolute-path [ "?" query ], and nothing where an absolute-form has no path; `at` to `end`, relative to the head.
void take_path(const uint8_t* head, uint32_t at, uint32_t end, bool plain, RequestLine* line) {
  const uint8_t* path = head + at;
  size_t length = end - at;
  line->path = {at, static_cast<uint32_t>(length)};
  if (plain) return;
  if (const void* query = length > 0 ? std::memchr(path, '?', length) : nullptr; query != nullptr) {
    line->flags |= kHttpHasQuery;
    length = static_cast<size_t>(static_cast<const uint8_t*>(query) - path);
  }
  line->path = {at, static_cast<uint32_t>(length)};
  if (length == 0) return;
  if (std::memchr(path, '%', length) != nullptr) line->flags |= kHttpPercentInPath;
  for (size_t from = 1; from < length;) {
    const void* dot = std::memchr(path + from, '.', length - from);
    if (dot == nullptr) break;
    from = static_cast<size_t>(static_cast<const uint8_t*>(dot) - path);
    if (path[from - 1] == '/') {
      line->flags |= kHttpDotInPath;
      break;
    }
    from++;
  }
}

// scheme "://" authority path-abempty [ "?" query ]. The schemes that are ours need a host, RFC 9110 4.2.1 and 4.2.2.
HttpReason take_absolute_form(const uint8_t* head, bool plain, RequestLine* line) {
  const uint8_t* target = head + line->target.offset;
  size_t length = line->target.length;
  size_t scheme = 0;
  if (length >= 7 && equals_lower(target, 7, "http://")) scheme = 7;
  if (length >= 8 && equals_lower(target, 8, "https://")) scheme = 8;
  if (scheme == 0) return HttpReason::BadTarget;
  size_t end = scheme;
  while (end < length && target[end] != '/' && target[end] != '?') end++;
  Authority authority = parse_authority(target + scheme, end - scheme);
  if (!authority.valid || authority.host_length == 0) return HttpReason::BadAuthority;
  line->flags |= kHttpAbsoluteForm;
  line->authority = {line->target.offset + static_cast<uint32_t>(scheme), static_cast<uint32_t>(end - scheme)};
  take_path(head, line->target.offset + static_cast<uint32_t>(end), line->target.offset + line->target.length, plain,
            line);
  return HttpReason::None;
}

// RFC 9112 3.2: which form which method may have. `plain`: nothing of the target has a meaning in a path.
HttpReason take_target(const uint8_t* head, bool plain, RequestLine* line) {
  const uint8_t* target = head + line->target.offset;
  uint32_t length = line->target.length;
  if (line->method == HttpMethod::Connect) {
    Authority authority = parse_authority(target, length);
    if (!authority.valid || !authority.has_port || authority.host_length == 0) return HttpReason::BadAuthority;
    line->flags |= kHttpAuthorityForm;
    line->authority = line->target;
    return HttpReason::None;
  }
  if (target[0] == '/') {
    take_path(head, line->target.offset, line->target.offset + length, plain, line);
    return HttpReason::None;
  }
  if (target[0] == '*') {
    if (length != 1 || line->method != HttpMethod::Options) return HttpReason::BadTarget;
    line->flags |= kHttpAsteriskForm;
    line->path = line->target;
    return HttpReason::None;
  }
  return take_absolute_form(head, plain, line);
}

}  // namespace

HttpStep read_request_line(Scan& scan, size_t begin, uint32_t bytes_max, RequestLine* line) {
  const uint8_t* bytes = scan.bytes();
  size_t limit = begin + bytes_max;  // where CR stands at the latest

  size_t method_end = scan.not_token(begin);
  if (method_end > limit) return refuse(line, HttpReason::MethodTooLong);
  if (method_end >= scan.end()) return HttpStep::Incomplete;
  if (bytes[method_end] != ' ' || method_end == begin) return refuse(line, HttpReason::BadMethod);

  size_t target = method_end + 1;
  bool plain = false;
  size_t target_end = scan.target_end(target, &plain);
  if (target_end > limit) return refuse(line, HttpReason::RequestLineTooLong);
  if (target_end >= scan.end()) return HttpStep::Incomplete;
  if (bytes[target_end] != ' ' || target_end == target) {
    return refuse(line, bytes[target_end] == '\n' ? HttpReason::BareLf : HttpReason::BadTarget);
  }

  size_t version = target_end + 1;
  HttpStep step = read_version(scan, version, limit, line);
  if (step != HttpStep::Complete) return step;

  const uint8_t* head = bytes + begin;
  line->method_length = static_cast<uint32_t>(method_end - begin);
  line->method = method_of(head, line->method_length);
  line->target = {static_cast<uint32_t>(target - begin), static_cast<uint32_t>(target_end - target)};
  line->end = version + kVersionBytes + 2;
  HttpReason reason = take_version(bytes + version, line);
  if (reason == HttpReason::None) reason = take_target(head, plain, line);
  return reason == HttpReason::None ? HttpStep::Complete : refuse(line, reason);
}

}  // namespace millrace

#include "core/http/authority.h"

#include "core/http/characters.h"

namespace millrace {

namespace {

// dec-octet "." dec-octet "." dec-octet "." dec-octet
bool is_ipv4(const uint8_t* bytes, size_t length) {
  size_t at = 0;
  for (int octet = 0; octet < 4; octet++) {
    if (octet > 0 && (at == length || bytes[at++] != '.')) return false;
    size_t begin = at;
    uint32_t value = 0;
    while (at < length && at - begin < 3 && is_digit(bytes[at])) value = value * 10 + (bytes[at++] - '0');
    if (at == begin || value > 255 || (at - begin > 1 && bytes[begin] == '0')) return false;
  }
  return at == length;
}

// Eight groups, or fewer around one "::"; the last two may be an IPv4 address.
bool is_ipv6(const uint8_t* bytes, size_t length) {
  constexpr int kGroups = 8;
  int groups = 0;
  bool compressed = false;
  size_t at = 0;
  if (length >= 2 && bytes[0] == ':' && bytes[1] == ':') {
    compressed = true;
    at = 2;
  }
  while (at < length) {
    size_t begin = at;
    while (at < length && at - begin < 4 && is(bytes[at], kHexDigit)) at++;
    if (at == begin) return false;
    if (at < length && bytes[at] == '.') {
      return is_ipv4(bytes + begin, length - begin) && (groups + 2 == kGroups || (compressed && groups + 2 < kGroups));
    }
    if (++groups > kGroups) return false;
    if (at == length) break;
    if (bytes[at++] != ':') return false;
    if (at < length && bytes[at] == ':') {
      if (compressed) return false;
      compressed = true;
      at++;
    } else if (at == length) {
      return false;
    }
  }
  return compressed ? groups < kGroups : groups == kGroups;
}

// "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" )
bool is_ip_future(const uint8_t* bytes, size_t length) {
  size_t at = 1;
  while (at < length && is(bytes[at], kHexDigit)) at++;
  if (at == 1 || at + 1 >= length || bytes[at] != '.') return false;
  for (at++; at < length; at++) {
    if (!is(bytes[at], kRegName) && bytes[at] != ':') return false;
  }
  return true;
}

bool is_ip_literal(const uint8_t* bytes, size_t length) {
  if (length > 0 && lower(bytes[0]) == 'v') return is_ip_future(bytes, length);
  return is_ipv6(bytes, length);
}

// The end of a reg-name; `length` + 1 for a wrong escape.
size_t reg_name_end(const uint8_t* bytes, size_t length) {
  size_t at = 0;
  while (at < length) {
    if (is(bytes[at], kRegName)) {
      at++;
    } else if (bytes[at] == '%') {
      if (length - at < 3 || !is(bytes[at + 1], kHexDigit) || !is(bytes[at + 2], kHexDigit)) return length + 1;
      at += 3;
    } else {
      break;
    }
  }
  return at;
}

}  // namespace

Authority parse_authority(const uint8_t* bytes, size_t length) {
  constexpr uint32_t kPortMax = 65535;
  Authority result;
  size_t at = 0;
  if (length > 0 && bytes[0] == '[') {
    while (at < length && bytes[at] != ']') at++;
    if (at == length || !is_ip_literal(bytes + 1, at - 1)) return result;
    at++;
  } else {
    at = reg_name_end(bytes, length);
    if (at > length) return result;
  }
  result.host_length = at;
  if (at < length) {
    if (bytes[at++] != ':') return result;
    uint32_t port = 0;
    for (; at < length; at++) {
      if (!is_digit(bytes[at])) return result;
      port = port * 10 + (bytes[at] - '0');
      if (port > kPortMax) return result;
      result.has_port = true;
    }
  }
  result.valid = true;
  return result;
}

}  // namespace millrace

// The classes of bytes that RFC 9110 and RFC 3986 speak of.
#ifndef MILLRACE_CORE_HTTP_CHARACTERS_H_
#define MILLRACE_CORE_HTTP_CHARACTERS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace millrace {

inline constexpr uint8_t kToken = 1;    // tchar, RFC 9110 5.6.2
inline constexpr uint8_t kControl = 2;  // what no field value has: all below SP but HTAB, and DEL; RFC 9110 5.5
inline constexpr uint8_t kTarget = 4;   // visible ASCII but "#": a target has no fragment, RFC 9112 3.2
inline constexpr uint8_t kRegName = 8;  // unreserved and sub-delims, RFC 3986 3.2.2; "%" is looked at by itself
inline constexpr uint8_t kHexDigit = 16;
inline constexpr uint8_t kPathMark = 32;  // "?", "%" and ".", which a path may have to be looked at for

consteval std::array<uint8_t, 256> character_classes() {
  std::array<uint8_t, 256> classes{};
  for (int c = 0; c < 256; c++) {
    bool digit = c >= '0' && c <= '9';
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    bool visible = c > 0x20 && c < 0x7f;
    auto in = [c](std::string_view set) { return c < 0x80 && c > 0 && set.find(static_cast<char>(c)) != set.npos; };
    uint8_t bits = 0;
    if (digit || letter || in("!#$%&'*+-.^_`|~")) bits |= kToken;
    if ((c < 0x20 && c != '\t') || c == 0x7f) bits |= kControl;
    if (visible && c != '#') bits |= kTarget;
    if (digit || letter || in("-._~!$&'()*+,;=")) bits |= kRegName;
    if (digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) bits |= kHexDigit;
    if (in("?%.")) bits |= kPathMark;
    classes[static_cast<size_t>(c)] = bits;
  }
  return classes;
}

inline constexpr std::array<uint8_t, 256> kCharacterClasses = character_classes();

constexpr bool is(uint8_t c, uint8_t classes) { return (kCharacterClasses[c] & classes) != 0; }
constexpr bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }
constexpr bool is_space(uint8_t c) { return c == ' ' || c == '\t'; }
constexpr uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? c | 0x20 : c; }

// Of a hexadecimal digit.
constexpr uint32_t hex_value(uint8_t c) { return is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10; }

// `expected` is in lower case.
constexpr bool equals_lower(const uint8_t* bytes, size_t length, std::string_view expected) {
  if (length != expected.size()) return false;
  for (size_t i = 0; i < length; i++) {
    if (lower(bytes[i]) != static_cast<uint8_t>(expected[i])) return false;
  }
  return true;
}

}  // namespace millrace

#endif  // MILLRACE_CORE_HTTP_CHARACTERS_H_

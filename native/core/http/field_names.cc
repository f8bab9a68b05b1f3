#include "core/http/field_names.h"

#include <cstring>

namespace millrace {

namespace {

constexpr size_t kBuckets = 128;

// No two names share a bucket: the factors were found by trying, and are checked below.
constexpr size_t bucket_of(size_t length, uint8_t first, uint8_t last) {
  return (2 * length + 14u * first + 29u * last) % kBuckets;
}

consteval std::array<uint8_t, kBuckets> buckets() {
  std::array<uint8_t, kBuckets> table{};
  for (size_t i = 1; i < kFieldNames.size(); i++) {
    std::string_view name = kFieldNames[i];
    table[bucket_of(name.size(), static_cast<uint8_t>(name.front()), static_cast<uint8_t>(name.back()))] =
        static_cast<uint8_t>(i);
  }
  return table;
}

constexpr std::array<uint8_t, kBuckets> kBucketNames = buckets();

consteval bool every_name_has_a_bucket() {
  size_t used = 0;
  for (uint8_t name : kBucketNames) used += name != 0 ? 1 : 0;
  return used == kFieldNames.size() - 1;
}
static_assert(every_name_has_a_bucket());
static_assert(kFieldNames[static_cast<size_t>(HttpFieldName::SetCookie)] == "set-cookie");

template <typename Word>
bool differs(const uint8_t* name, const char* known, size_t at) {
  constexpr Word kCase = static_cast<Word>(0x2020202020202020u);
  Word given, expected;
  std::memcpy(&given, name + at, sizeof given);
  std::memcpy(&expected, known + at, sizeof expected);
  return (given | kCase) != expected;
}

// 0x20 makes a letter of a capital letter, and of no other tchar a letter or a dash: the comparison is exact. Words
// overlap where the length is no multiple of theirs.
bool equals_known(const uint8_t* name, const char* known, size_t length) {
  if (length >= 8) {
    for (size_t at = 0; at + 8 < length; at += 8) {
      if (differs<uint64_t>(name, known, at)) return false;
    }
    return !differs<uint64_t>(name, known, length - 8);
  }
  if (length >= 4) return !differs<uint32_t>(name, known, 0) && !differs<uint32_t>(name, known, length - 4);
  for (size_t at = 0; at < length; at++) {
    if (differs<uint8_t>(name, known, at)) return false;
  }
  return true;
}

}  // namespace

HttpFieldName field_name_of(const uint8_t* name, size_t length) {
  uint8_t number = kBucketNames[bucket_of(length, name[0] | 0x20, name[length - 1] | 0x20)];
  const std::string_view known = kFieldNames[number];
  if (known.size() != length || !equals_known(name, known.data(), length)) return HttpFieldName::Other;
  return static_cast<HttpFieldName>(number);
}

}  // namespace millrace

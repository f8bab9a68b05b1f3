#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "core/http/characters.h"
#include "core/http/scanner.h"

#ifdef __linux__
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace millrace {
namespace {

size_t first(const uint8_t* bytes, size_t from, size_t end, bool (*stops)(uint8_t)) {
  while (from < end && !stops(bytes[from])) from++;
  return from;
}

bool no_token(uint8_t c) { return !is(c, kToken); }
bool control(uint8_t c) { return is(c, kControl); }
bool no_target(uint8_t c) { return !is(c, kTarget); }
bool path_mark(uint8_t c) { return c == '?' || c == '%' || c == '.'; }

// Every place from which one may search.
void agrees_with_scalar(const Scanner& scanner, const uint8_t* bytes, size_t length) {
  Scan tokens(scanner, bytes, length), controls(scanner, bytes, length);
  for (size_t from = 0; from <= length; from++) {
    ASSERT_EQ(tokens.not_token(from), first(bytes, from, length, no_token)) << scanner.name << " from " << from;
    ASSERT_EQ(controls.control(from), first(bytes, from, length, control)) << scanner.name << " from " << from;
    size_t target_end = first(bytes, from, length, no_target);
    bool plain;
    ASSERT_EQ(tokens.target_end(from, &plain), target_end) << scanner.name << " from " << from;
    ASSERT_EQ(plain, first(bytes, from, target_end, path_mark) == target_end) << scanner.name << " from " << from;
  }
}

TEST(HttpScanner, IsChosenByWhatTheProcessorCan) {
  EXPECT_STREQ(usable_scanners().front()->name, "scalar");
  EXPECT_EQ(&best_scanner(), usable_scanners().back());
}

TEST(HttpScanner, KnowsEveryByteAtEveryPlaceOfABlock) {
  for (const Scanner* scanner : usable_scanners()) {
    for (size_t length : {1u, 15u, 16u, 31u, 32u, 33u, 63u, 64u, 65u, 128u}) {
      std::vector<uint8_t> bytes(length, 'a');
      for (size_t at = 0; at < length; at++) {
        for (int c = 0; c < 256; c++) {
          bytes[at] = static_cast<uint8_t>(c);
          Scan scan(*scanner, bytes.data(), length);
          ASSERT_EQ(scan.not_token(0), is(bytes[at], kToken) ? length : at) << scanner->name << " " << c;
          ASSERT_EQ(scan.control(0), is(bytes[at], kControl) ? at : length) << scanner->name << " " << c;
          bool plain;
          ASSERT_EQ(scan.target_end(0, &plain), is(bytes[at], kTarget) ? length : at) << scanner->name << " " << c;
        }
        bytes[at] = 'a';
      }
    }
  }
}

TEST(HttpScanner, AllAgreeOnRandomBytesAtEveryAlignment) {
  uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  constexpr size_t kAlignments = 64;
  for (int round = 0; round < 200; round++) {
    size_t length = random() % 700;
    size_t alignment = random() % kAlignments;
    // Of exactly this size: a sanitizer sees what is read behind it.
    std::unique_ptr<uint8_t[]> memory(new uint8_t[alignment + length]);
    uint8_t* bytes = memory.get() + alignment;
    uint64_t rare = 1 + random() % 100;
    for (size_t i = 0; i < length; i++) {
      bytes[i] = static_cast<uint8_t>(random() % rare == 0 ? random() : 'a' + random() % 26);
    }
    for (const Scanner* scanner : usable_scanners()) agrees_with_scalar(*scanner, bytes, length);
  }
}

#ifdef __linux__
TEST(HttpScanner, ReadsNothingBehindTheLastPage) {
  auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* pages = mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  auto* end = static_cast<uint8_t*>(pages) + page;
  ASSERT_EQ(mprotect(end, page, PROT_NONE), 0);
  std::memset(pages, 'a', page);
  for (const Scanner* scanner : usable_scanners()) {
    for (size_t length = 0; length <= 300; length++) agrees_with_scalar(*scanner, end - length, length);
  }
  munmap(pages, 2 * page);
}
#endif

}  // namespace
}  // namespace millrace

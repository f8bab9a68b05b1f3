#include "core/http/scanner.h"

#include <array>
#include <cstring>

#include "core/http/characters.h"

#if defined(__x86_64__) || defined(_M_X64)
#define MILLRACE_SCAN_X64 1
#include <immintrin.h>
#ifdef _MSC_VER
#include <intrin.h>
#define MILLRACE_TARGET(isa)
#else
#include <cpuid.h>
// A function for one instruction set, so that the build as a whole needs no flag for it.
#define MILLRACE_TARGET(isa) __attribute__((target(isa)))
#endif
#elif defined(__aarch64__) || defined(_M_ARM64)
#define MILLRACE_SCAN_NEON 1
#include <arm_neon.h>
#endif

namespace millrace {

namespace {

// A block that is not whole is copied before it is looked at. NUL is a stop in every sense, which sets the bits behind it.
struct Padded {
  Padded(const uint8_t* from, size_t length) { std::memcpy(bytes, from, length); }
  alignas(64) uint8_t bytes[kScanBlockBytes] = {};
};

#if defined(MILLRACE_SCAN_X64) || defined(MILLRACE_SCAN_NEON)
// tchar by two look-ups: for each low nibble the set of high nibbles with which it is one, and the bit of each high
// nibble. Bytes from 0x80 on have no bit.
consteval std::array<uint8_t, 16> token_sets() {
  std::array<uint8_t, 16> sets{};
  for (uint32_t c = 0; c < 0x80; c++) {
    if (is(static_cast<uint8_t>(c), kToken)) sets[c & 15] |= static_cast<uint8_t>(1u << (c >> 4));
  }
  return sets;
}

alignas(16) constexpr std::array<uint8_t, 16> kTokenSets = token_sets();
alignas(16) constexpr std::array<uint8_t, 16> kNibbleBits = {1, 2, 4, 8, 16, 32, 64, 128};

// The bits below the lowest one that is set.
template <typename Bits>
constexpr Bits below_first(Bits bits) {
  return (bits & (~bits + 1)) - 1;
}
#endif

void classify_block_scalar(const uint8_t* bytes, uint64_t* not_token, uint64_t* control) {
  uint64_t tokens = 0, controls = 0;
  for (size_t i = 0; i < kScanBlockBytes; i++) {
    uint64_t classes = kCharacterClasses[bytes[i]];
    tokens |= (classes & kToken) << i;
    controls |= (classes >> 1 & 1) << i;
  }
  *not_token = ~tokens;
  *control = controls;
}
static_assert(kToken == 1 && kControl == 2);

void classify_scalar(const uint8_t* bytes, size_t length, ScanMasks* masks) {
  size_t block = 0;
  for (; length >= kScanBlockBytes; block++, bytes += kScanBlockBytes, length -= kScanBlockBytes) {
    classify_block_scalar(bytes, &masks->not_token[block], &masks->control[block]);
  }
  if (length == 0) return;
  Padded tail(bytes, length);
  classify_block_scalar(tail.bytes, &masks->not_token[block], &masks->control[block]);
}

size_t target_end_scalar(const uint8_t* bytes, size_t length, bool* plain) {
  size_t i = 0;
  *plain = true;
  for (; i < length && is(bytes[i], kTarget); i++) {
    if (is(bytes[i], kPathMark)) *plain = false;
  }
  return i;
}

// What is behind the last whole vector.
size_t target_end_of_rest(const uint8_t* bytes, size_t at, size_t length, bool marked, bool* plain) {
  size_t end = at + target_end_scalar(bytes + at, length - at, plain);
  if (marked) *plain = false;
  return end;
}

constexpr Scanner kScalar = {"scalar", classify_scalar, target_end_scalar};

#ifdef MILLRACE_SCAN_X64

struct Halves {
  uint32_t not_token;
  uint32_t control;
};

MILLRACE_TARGET("sse4.2") inline Halves classify_sse42(const uint8_t* bytes) {
  const __m128i sets = _mm_load_si128(reinterpret_cast<const __m128i*>(kTokenSets.data()));
  const __m128i nibbles = _mm_load_si128(reinterpret_cast<const __m128i*>(kNibbleBits.data()));
  const __m128i c = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
  // A byte with its high bit set selects 0.
  const __m128i low = _mm_shuffle_epi8(sets, c);
  const __m128i high = _mm_shuffle_epi8(nibbles, _mm_and_si128(_mm_srli_epi16(c, 4), _mm_set1_epi8(15)));
  const __m128i not_token = _mm_cmpeq_epi8(_mm_and_si128(low, high), _mm_setzero_si128());
  const __m128i below = _mm_cmpeq_epi8(_mm_min_epu8(c, _mm_set1_epi8(0x1f)), c);
  const __m128i control = _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(c, _mm_set1_epi8('\t')), below),
                                       _mm_cmpeq_epi8(c, _mm_set1_epi8(0x7f)));
  return {static_cast<uint32_t>(_mm_movemask_epi8(not_token)), static_cast<uint32_t>(_mm_movemask_epi8(control))};
}

MILLRACE_TARGET("sse4.2")
inline void classify_block_sse42(const uint8_t* bytes, uint64_t* not_token, uint64_t* control) {
  *not_token = 0;
  *control = 0;
  for (size_t at = 0; at < kScanBlockBytes; at += 16) {
    Halves part = classify_sse42(bytes + at);
    *not_token |= static_cast<uint64_t>(part.not_token) << at;
    *control |= static_cast<uint64_t>(part.control) << at;
  }
}

MILLRACE_TARGET("sse4.2") void classify_window_sse42(const uint8_t* bytes, size_t length, ScanMasks* masks) {
  size_t block = 0;
  for (; length >= kScanBlockBytes; block++, bytes += kScanBlockBytes, length -= kScanBlockBytes) {
    classify_block_sse42(bytes, &masks->not_token[block], &masks->control[block]);
  }
  if (length == 0) return;
  Padded tail(bytes, length);
  classify_block_sse42(tail.bytes, &masks->not_token[block], &masks->control[block]);
}

MILLRACE_TARGET("sse4.2") size_t target_end_sse42(const uint8_t* bytes, size_t length, bool* plain) {
  bool marked = false;
  size_t i = 0;
  for (; length - i >= 16; i += 16) {
    const __m128i c = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + i));
    // Signed: from 0x80 on it is not greater.
    const __m128i good =
        _mm_andnot_si128(_mm_or_si128(_mm_cmpeq_epi8(c, _mm_set1_epi8('#')), _mm_cmpeq_epi8(c, _mm_set1_epi8(0x7f))),
                         _mm_cmpgt_epi8(c, _mm_set1_epi8(0x20)));
    const __m128i mark =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(c, _mm_set1_epi8('?')), _mm_cmpeq_epi8(c, _mm_set1_epi8('%'))),
                     _mm_cmpeq_epi8(c, _mm_set1_epi8('.')));
    uint32_t stops = ~static_cast<uint32_t>(_mm_movemask_epi8(good)) & 0xffff;
    auto marks = static_cast<uint32_t>(_mm_movemask_epi8(mark));
    if (stops != 0) {
      *plain = !marked && (marks & below_first(stops)) == 0;
      return i + static_cast<size_t>(std::countr_zero(stops));
    }
    marked |= marks != 0;
  }
  return target_end_of_rest(bytes, i, length, marked, plain);
}

constexpr Scanner kSse42 = {"sse4.2", classify_window_sse42, target_end_sse42};

MILLRACE_TARGET("avx2") inline Halves classify_avx2(const uint8_t* bytes) {
  const __m256i sets = _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(kTokenSets.data())));
  const __m256i nibbles =
      _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(kNibbleBits.data())));
  const __m256i c = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes));
  const __m256i low = _mm256_shuffle_epi8(sets, c);
  const __m256i high = _mm256_shuffle_epi8(nibbles, _mm256_and_si256(_mm256_srli_epi16(c, 4), _mm256_set1_epi8(15)));
  const __m256i not_token = _mm256_cmpeq_epi8(_mm256_and_si256(low, high), _mm256_setzero_si256());
  const __m256i below = _mm256_cmpeq_epi8(_mm256_min_epu8(c, _mm256_set1_epi8(0x1f)), c);
  const __m256i control = _mm256_or_si256(_mm256_andnot_si256(_mm256_cmpeq_epi8(c, _mm256_set1_epi8('\t')), below),
                                          _mm256_cmpeq_epi8(c, _mm256_set1_epi8(0x7f)));
  return {static_cast<uint32_t>(_mm256_movemask_epi8(not_token)), static_cast<uint32_t>(_mm256_movemask_epi8(control))};
}

MILLRACE_TARGET("avx2")
inline void classify_block_avx2(const uint8_t* bytes, uint64_t* not_token, uint64_t* control) {
  Halves low = classify_avx2(bytes), high = classify_avx2(bytes + 32);
  *not_token = low.not_token | static_cast<uint64_t>(high.not_token) << 32;
  *control = low.control | static_cast<uint64_t>(high.control) << 32;
}

// The `count` bytes before `end`, at most 32; 32 bytes before it have to be readable. The other bits are set.
MILLRACE_TARGET("avx2") inline Halves classify_before_avx2(const uint8_t* end, size_t count) {
  if (count == 0) return {~0u, ~0u};
  Halves part = classify_avx2(end - 32);
  auto others = static_cast<uint32_t>(~uint64_t{0} << count);
  return {part.not_token >> (32 - count) | others, part.control >> (32 - count) | others};
}

MILLRACE_TARGET("avx2") void classify_window_avx2(const uint8_t* bytes, size_t length, ScanMasks* masks) {
  if (length < 32) {
    Padded all(bytes, length);
    classify_block_avx2(all.bytes, &masks->not_token[0], &masks->control[0]);
    return;
  }
  size_t block = 0;
  for (; length >= kScanBlockBytes; block++, bytes += kScanBlockBytes, length -= kScanBlockBytes) {
    classify_block_avx2(bytes, &masks->not_token[block], &masks->control[block]);
  }
  if (length == 0) return;
  // Vectors that end with the last byte, and overlap with what was looked at before.
  size_t first = std::min<size_t>(length, 32);
  Halves low = classify_before_avx2(bytes + first, first), high = classify_before_avx2(bytes + length, length - first);
  masks->not_token[block] = low.not_token | static_cast<uint64_t>(high.not_token) << 32;
  masks->control[block] = low.control | static_cast<uint64_t>(high.control) << 32;
}

MILLRACE_TARGET("avx2") size_t target_end_avx2(const uint8_t* bytes, size_t length, bool* plain) {
  bool marked = false;
  size_t i = 0;
  for (; length - i >= 32; i += 32) {
    const __m256i c = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + i));
    const __m256i good = _mm256_andnot_si256(
        _mm256_or_si256(_mm256_cmpeq_epi8(c, _mm256_set1_epi8('#')), _mm256_cmpeq_epi8(c, _mm256_set1_epi8(0x7f))),
        _mm256_cmpgt_epi8(c, _mm256_set1_epi8(0x20)));
    const __m256i mark = _mm256_or_si256(
        _mm256_or_si256(_mm256_cmpeq_epi8(c, _mm256_set1_epi8('?')), _mm256_cmpeq_epi8(c, _mm256_set1_epi8('%'))),
        _mm256_cmpeq_epi8(c, _mm256_set1_epi8('.')));
    uint32_t stops = ~static_cast<uint32_t>(_mm256_movemask_epi8(good));
    auto marks = static_cast<uint32_t>(_mm256_movemask_epi8(mark));
    if (stops != 0) {
      *plain = !marked && (marks & below_first(stops)) == 0;
      return i + static_cast<size_t>(std::countr_zero(stops));
    }
    marked |= marks != 0;
  }
  return target_end_of_rest(bytes, i, length, marked, plain);
}

constexpr Scanner kAvx2 = {"avx2", classify_window_avx2, target_end_avx2};

// Which of the two the processor, and for AVX2 also the system, can do.
struct Features {
  bool sse42 = false;
  bool avx2 = false;
};

void cpuid(uint32_t leaf, uint32_t words[4]) {
#ifdef _MSC_VER
  int values[4];
  __cpuidex(values, static_cast<int>(leaf), 0);
  for (int i = 0; i < 4; i++) words[i] = static_cast<uint32_t>(values[i]);
#else
  __cpuid_count(leaf, 0, words[0], words[1], words[2], words[3]);
#endif
}

uint64_t enabled_state() {
#ifdef _MSC_VER
  return _xgetbv(0);
#else
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return static_cast<uint64_t>(high) << 32 | low;
#endif
}

Features features() {
  Features found;
  uint32_t words[4];
  cpuid(0, words);
  uint32_t leaves = words[0];
  cpuid(1, words);
  found.sse42 = (words[2] & 1u << 20) != 0;
  bool saves_ymm = (words[2] & 1u << 27) != 0 && (words[2] & 1u << 28) != 0 && (enabled_state() & 6) == 6;
  if (leaves < 7 || !saves_ymm) return found;
  cpuid(7, words);
  found.avx2 = found.sse42 && (words[1] & 1u << 5) != 0;
  return found;
}

constexpr const Scanner* kAll[] = {&kScalar, &kSse42, &kAvx2};

size_t usable() {
  Features found = features();
  return found.avx2 ? 3 : found.sse42 ? 2 : 1;
}

#elif defined(MILLRACE_SCAN_NEON)

// 64 bytes that are 0 or 0xff as 64 bits.
inline uint64_t bits_of(uint8x16_t a, uint8x16_t b, uint8x16_t c, uint8x16_t d) {
  alignas(16) static constexpr uint8_t kBits[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  const uint8x16_t bits = vld1q_u8(kBits);
  uint8x16_t low = vpaddq_u8(vandq_u8(a, bits), vandq_u8(b, bits));
  uint8x16_t high = vpaddq_u8(vandq_u8(c, bits), vandq_u8(d, bits));
  uint8x16_t sum = vpaddq_u8(low, high);
  sum = vpaddq_u8(sum, sum);
  return vgetq_lane_u64(vreinterpretq_u64_u8(sum), 0);
}

inline uint8x16_t not_token_neon(uint8x16_t c) {
  const uint8x16_t low = vqtbl1q_u8(vld1q_u8(kTokenSets.data()), vandq_u8(c, vdupq_n_u8(15)));
  const uint8x16_t high = vqtbl1q_u8(vld1q_u8(kNibbleBits.data()), vshrq_n_u8(c, 4));
  return vceqq_u8(vandq_u8(low, high), vdupq_n_u8(0));
}

inline uint8x16_t control_neon(uint8x16_t c) {
  const uint8x16_t below = vbicq_u8(vcltq_u8(c, vdupq_n_u8(0x20)), vceqq_u8(c, vdupq_n_u8('\t')));
  return vorrq_u8(below, vceqq_u8(c, vdupq_n_u8(0x7f)));
}

inline void classify_block_neon(const uint8_t* bytes, uint64_t* not_token, uint64_t* control) {
  const uint8x16_t a = vld1q_u8(bytes), b = vld1q_u8(bytes + 16), c = vld1q_u8(bytes + 32), d = vld1q_u8(bytes + 48);
  *not_token = bits_of(not_token_neon(a), not_token_neon(b), not_token_neon(c), not_token_neon(d));
  *control = bits_of(control_neon(a), control_neon(b), control_neon(c), control_neon(d));
}

void classify_window_neon(const uint8_t* bytes, size_t length, ScanMasks* masks) {
  size_t block = 0;
  for (; length >= kScanBlockBytes; block++, bytes += kScanBlockBytes, length -= kScanBlockBytes) {
    classify_block_neon(bytes, &masks->not_token[block], &masks->control[block]);
  }
  if (length == 0) return;
  Padded tail(bytes, length);
  classify_block_neon(tail.bytes, &masks->not_token[block], &masks->control[block]);
}

// Four bits for each byte.
inline uint64_t nibbles_of(uint8x16_t bytes) {
  return vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(bytes), 4)), 0);
}

size_t target_end_neon(const uint8_t* bytes, size_t length, bool* plain) {
  bool marked = false;
  size_t i = 0;
  for (; length - i >= 16; i += 16) {
    const uint8x16_t c = vld1q_u8(bytes + i);
    const uint8x16_t bad =
        vorrq_u8(vorrq_u8(vcltq_u8(c, vdupq_n_u8(0x21)), vcgtq_u8(c, vdupq_n_u8(0x7e))), vceqq_u8(c, vdupq_n_u8('#')));
    const uint8x16_t mark =
        vorrq_u8(vorrq_u8(vceqq_u8(c, vdupq_n_u8('?')), vceqq_u8(c, vdupq_n_u8('%'))), vceqq_u8(c, vdupq_n_u8('.')));
    uint64_t stops = nibbles_of(bad), marks = nibbles_of(mark);
    if (stops != 0) {
      *plain = !marked && (marks & below_first(stops)) == 0;
      return i + static_cast<size_t>(std::countr_zero(stops)) / 4;
    }
    marked |= marks != 0;
  }
  return target_end_of_rest(bytes, i, length, marked, plain);
}

constexpr Scanner kNeon = {"neon", classify_window_neon, target_end_neon};
constexpr const Scanner* kAll[] = {&kScalar, &kNeon};

// Every 64-bit ARM has it.
size_t usable() { return 2; }

#else

constexpr const Scanner* kAll[] = {&kScalar};
size_t usable() { return 1; }

#endif

}  // namespace

std::span<const Scanner* const> usable_scanners() { return {kAll, usable()}; }

const Scanner& best_scanner() { return *usable_scanners().back(); }

}  // namespace millrace

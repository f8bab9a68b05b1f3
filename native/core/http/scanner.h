// Finds delimiters and illegal bytes, many at once. It only finds; what stands there is judged by scalar code.
//
// A block is 64 bytes, one bit for each. Nothing behind the given bytes is read: the bits of what would stand there are
// set, so that a search ends there by itself.
#ifndef MILLRACE_CORE_HTTP_SCANNER_H_
#define MILLRACE_CORE_HTTP_SCANNER_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace millrace {

inline constexpr size_t kScanBlockBytes = 64;
inline constexpr size_t kScanBlocks = 4;
inline constexpr size_t kScanWindowBytes = kScanBlockBytes * kScanBlocks;

struct ScanMasks {
  uint64_t not_token[kScanBlocks];
  uint64_t control[kScanBlocks];
};

struct Scanner {
  const char* name;
  // `length` is 1 to kScanWindowBytes. Only the blocks that begin within it are written.
  void (*classify)(const uint8_t* bytes, size_t length, ScanMasks* masks);
  // The place of the first byte that no target has, or `length`. *plain: before it is no "?", "%" or "."; false tells nothing.
  size_t (*target_end)(const uint8_t* bytes, size_t length, bool* plain);
};

// The fastest that this processor has, and all that it has (the scalar one is always the first).
const Scanner& best_scanner();
std::span<const Scanner* const> usable_scanners();

// A search that goes forward through some bytes.
class Scan {
 public:
  Scan(const Scanner& scanner, const uint8_t* bytes, size_t end) : scanner_(scanner), bytes_(bytes), end_(end) {}

  const uint8_t* bytes() const { return bytes_; }
  size_t end() const { return end_; }

  // The first place from `from` on that holds no tchar, or a control character; end() where there is none.
  size_t not_token(size_t from) { return next(masks_.not_token, from); }
  size_t control(size_t from) { return next(masks_.control, from); }
  size_t target_end(size_t from, bool* plain) { return from + scanner_.target_end(bytes_ + from, end_ - from, plain); }

 private:
  size_t next(const uint64_t* masks, size_t from) {
    while (from < end_) {
      if (from - window_ >= window_bytes_) {
        window_ = from;
        window_bytes_ = std::min(end_ - from, kScanWindowBytes);
        scanner_.classify(bytes_ + from, window_bytes_, &masks_);
      }
      size_t at = from - window_;
      uint64_t bits = masks[at / kScanBlockBytes] >> (at % kScanBlockBytes);
      if (bits != 0) return from + static_cast<size_t>(std::countr_zero(bits));
      from += kScanBlockBytes - at % kScanBlockBytes;
    }
    return end_;
  }

  const Scanner& scanner_;
  const uint8_t* bytes_;
  size_t end_;
  size_t window_ = 0;        // where the masks begin
  size_t window_bytes_ = 0;  // how far they reach
  ScanMasks masks_;
};

}  // namespace millrace

#endif  // MILLRACE_CORE_HTTP_SCANNER_H_

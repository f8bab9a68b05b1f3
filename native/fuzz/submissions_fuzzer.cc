// Any bytes in the submission ring and the control words, applied to clock and wheel as the addon's tick applies them.
#include <cstdlib>
#include <cstring>
#include <vector>

#include "core/clock.h"
#include "core/rings.h"
#include "core/wheel.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace millrace;
  static std::vector<Record> records(kSubmissionCapacity);
  std::vector<uint32_t> control(static_cast<size_t>(Control::Words));
  SubmissionRing ring;
  ring.attach(control.data(), records.data());
  CompletionRing completions;
  std::vector<Record> completed(kCompletionCapacity);
  completions.attach(control.data(), completed.data());
  Wheel wheel(0);
  uint64_t now = 0;

  while (size >= 8) {
    uint32_t word, value;
    std::memcpy(&word, data, sizeof word);
    std::memcpy(&value, data + 4, sizeof value);
    data += 8;
    size -= 8;
    control[word % static_cast<uint32_t>(Control::Words)] = value;
    size_t bytes = size < (word >> 16) % 256 ? size : (word >> 16) % 256;
    std::memcpy(static_cast<void*>(records.data()), data, bytes);
    data += bytes;
    size -= bytes;
    ring.drain([&](const Record& record) {
      uint64_t deadline;
      switch (record.head & 0xff) {
        case 1:
          return deadline_of(record.value, &deadline) &&
                 wheel.arm(record.handle, deadline, (record.head & kUnref) == 0, kSubmissionCapacity);
        case 2:
          wheel.cancel(record.handle);
          return true;
        case 3:
          wheel.set_referenced(record.handle, record.a != 0);
          return true;
        default:
          return false;
      }
    });
    if (control[static_cast<uint32_t>(Control::SubmissionHead)] !=
        control[static_cast<uint32_t>(Control::SubmissionTail)])
      std::abort();
    now += value;
    uint32_t expired[64];
    uint32_t count = wheel.advance(now, expired, completions.room() < 64 ? completions.room() : 64);
    for (uint32_t i = 0; i < count; i++) {
      if (!completions.push(Completion::Timer, expired[i])) std::abort();
    }
  }
  return 0;
}

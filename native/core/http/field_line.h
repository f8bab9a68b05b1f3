// The lines of a head and of trailers: field-name ":" OWS field-value OWS CRLF, RFC 9112 5, and the empty line that ends
// them. Nothing else is a line: no folded value, no white space before the colon, no bare CR or LF.
//
// What is read here and in request_line.h is a pure function of the bytes that have come, and an error of a prefix is the
// error of everything that begins with it. So a limit is looked at before the byte that passes it: what stands behind a
// limit must not matter, since it may not have come yet.
#ifndef MILLRACE_CORE_HTTP_FIELD_LINE_H_
#define MILLRACE_CORE_HTTP_FIELD_LINE_H_

#include <cstddef>
#include <cstdint>

#include "core/http/events.h"
#include "core/http/scanner.h"

namespace millrace {

enum class HttpStep { Complete, Incomplete, Error };

// The lines of a head, or of trailers.
struct FieldSection {
  size_t limit;  // all of it has to end before
  uint32_t fields_max;
  HttpReason too_large;
  HttpReason too_many;
};

struct FieldLine {
  bool last = false;  // the empty line
  size_t name_end = 0;
  size_t value = 0;
  size_t value_end = 0;
  size_t end = 0;                        // behind LF
  HttpReason reason = HttpReason::None;  // of an error
};

// The line at `at`, before which stood `fields` fields.
HttpStep read_field_line(Scan& scan, size_t at, uint32_t fields, const FieldSection& section, FieldLine* line);

// Writes a line that was read at `at` as the field number `index` of `words`, relative to `base`.
void write_field(uint32_t* words, uint32_t index, size_t base, size_t at, const FieldLine& line, HttpFieldName name);

}  // namespace millrace

#endif  // MILLRACE_CORE_HTTP_FIELD_LINE_H_

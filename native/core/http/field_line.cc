#include "core/http/field_line.h"

#include "core/http/characters.h"

namespace millrace {

namespace {

HttpStep refuse(FieldLine* line, HttpReason reason) {
  line->reason = reason;
  return HttpStep::Error;
}

// At `cr` stands CR.
HttpStep read_end(const Scan& scan, size_t cr, const FieldSection& section, FieldLine* line) {
  size_t lf = cr + 1;
  if (lf >= section.limit) return refuse(line, section.too_large);
  if (lf >= scan.end()) return HttpStep::Incomplete;
  if (scan.bytes()[lf] != '\n') return refuse(line, HttpReason::BareCr);
  line->end = lf + 1;
  return HttpStep::Complete;
}

HttpReason reason_of_bad_name(uint8_t stop, bool first) {
  if (!is_space(stop)) return HttpReason::BadFieldName;
  return first ? HttpReason::FoldedLine : HttpReason::SpaceBeforeColon;
}

}  // namespace

HttpStep read_field_line(Scan& scan, size_t at, uint32_t fields, const FieldSection& section, FieldLine* line) {
  const uint8_t* bytes = scan.bytes();
  if (at >= section.limit) return refuse(line, section.too_large);
  if (at >= scan.end()) return HttpStep::Incomplete;
  if (bytes[at] == '\r') {
    line->last = true;
    return read_end(scan, at, section, line);
  }
  if (fields == section.fields_max) return refuse(line, section.too_many);

  size_t colon = scan.not_token(at);
  if (colon >= section.limit) return refuse(line, section.too_large);
  if (colon >= scan.end()) return HttpStep::Incomplete;
  if (bytes[colon] != ':' || colon == at) return refuse(line, reason_of_bad_name(bytes[colon], colon == at));

  size_t cr = scan.control(colon + 1);
  if (cr >= section.limit) return refuse(line, section.too_large);
  if (cr >= scan.end()) return HttpStep::Incomplete;
  if (bytes[cr] != '\r') return refuse(line, bytes[cr] == '\n' ? HttpReason::BareLf : HttpReason::BadFieldValue);

  size_t value = colon + 1, value_end = cr;
  while (value < value_end && is_space(bytes[value])) value++;
  while (value_end > value && is_space(bytes[value_end - 1])) value_end--;
  line->name_end = colon;
  line->value = value;
  line->value_end = value_end;
  return read_end(scan, cr, section, line);
}

void write_field(uint32_t* words, uint32_t index, size_t base, size_t at, const FieldLine& line, HttpFieldName name) {
  auto span = [base](size_t from, size_t to) {
    return static_cast<uint32_t>(from - base) | static_cast<uint32_t>(to - from) << 16;
  };
  uint32_t* field = words + index * static_cast<size_t>(HttpField::Words);
  field[static_cast<size_t>(HttpField::Name)] = span(at, line.name_end);
  field[static_cast<size_t>(HttpField::Value)] = span(line.value, line.value_end);
  field[static_cast<size_t>(HttpField::Known)] = static_cast<uint32_t>(name);
}

}  // namespace millrace

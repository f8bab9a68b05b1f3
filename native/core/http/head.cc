#include "core/http/head.h"

#include <algorithm>

#include "core/http/authority.h"
#include "core/http/characters.h"
#include "core/http/field_names.h"

namespace millrace {

namespace {

constexpr uint64_t kContentLengthMax = (uint64_t{1} << 53) - 1;  // what a double counts exactly

struct Text {
  const uint8_t* bytes;
  size_t length;
};

// The elements of a comma-separated list without white space around them; empty ones are shown as well.
template <typename Visit>
void for_each_element(Text list, Visit visit) {
  size_t at = 0;
  for (;;) {
    size_t end = at;
    while (end < list.length && list.bytes[end] != ',') end++;
    size_t first = at, last = end;
    while (first < last && is_space(list.bytes[first])) first++;
    while (last > first && is_space(list.bytes[last - 1])) last--;
    visit(Text{list.bytes + first, last - first});
    if (end == list.length) return;
    at = end + 1;
  }
}

// What the fields say of the message as a whole, line by line.
class Framing {
 public:
  HttpReason take(HttpFieldName name, Text value, HttpHeadFound* found) {
    switch (name) {
      case HttpFieldName::Host:
        return take_host(value, found);
      case HttpFieldName::ContentLength:
        return take_content_length(value, found);
      case HttpFieldName::TransferEncoding:
        return take_transfer_encoding(value);
      case HttpFieldName::Connection:
        take_connection(value);
        break;
      case HttpFieldName::Expect:
        take_expect(value);
        break;
      case HttpFieldName::Upgrade:
        upgrade_field_ = true;
        break;
      default:
        break;
    }
    return HttpReason::None;
  }

  // When all fields are there.
  HttpReason finish(HttpHeadFound* found) const {
    bool http10 = (found->flags & kHttpHttp10) != 0;
    if (found->host_field == 0 && !http10) return HttpReason::MissingHost;
    if (transfer_encoding_) {
      HttpReason reason = check_transfer_encoding(found->flags);
      if (reason != HttpReason::None) return reason;
      found->flags |= kHttpChunked;
    }
    bool has_body = transfer_encoding_ || found->content_length > 0;
    if (has_body) found->flags |= kHttpHasBody;
    // RFC 9110 9.3.6 gives content of CONNECT no meaning, and what follows would be the tunnel's for one reader and a body
    // for another.
    if (has_body && found->line.method == HttpMethod::Connect) return HttpReason::ConnectWithBody;
    if (http10 ? keep_alive_ && !close_ : !close_) found->flags |= kHttpKeepAlive;
    // Both are to be ignored in HTTP/1.0: RFC 9110 7.8 and 10.1.1.
    if (!http10 && upgrade_field_ && upgrade_) found->flags |= kHttpUpgrade;
    if (!http10 && expect_continue_) found->flags |= kHttpExpectContinue;
    if (!http10 && expect_other_) found->flags |= kHttpExpectOther;
    return HttpReason::None;
  }

 private:
  static HttpReason take_host(Text value, HttpHeadFound* found) {
    if (found->host_field != 0) return HttpReason::SeveralHosts;
    found->host_field = found->fields + 1;
    // Empty says that the target has none, RFC 9110 7.2; a port of nothing says nothing, 4.2.1.
    Authority authority = parse_authority(value.bytes, value.length);
    bool good = authority.valid && (authority.host_length > 0 || value.length == 0);
    return good ? HttpReason::None : HttpReason::BadHost;
  }

  // A second line is refused even if it says the same, and so is a list: RFC 9110 8.6 lets a recipient take "42, 42" as
  // 42 or refuse it, and who refuses cannot be made to read another length than a proxy before it did.
  static HttpReason take_content_length(Text value, HttpHeadFound* found) {
    if ((found->flags & kHttpHasLength) != 0) return HttpReason::SeveralContentLengths;
    if (value.length == 0) return HttpReason::BadContentLength;
    uint64_t length = 0;
    for (size_t i = 0; i < value.length; i++) {
      if (!is_digit(value.bytes[i])) return HttpReason::BadContentLength;
      length = length * 10 + (value.bytes[i] - '0');
      if (length > kContentLengthMax) return HttpReason::BadContentLength;
    }
    found->flags |= kHttpHasLength;
    found->content_length = length;
    return HttpReason::None;
  }

  // An empty element is refused here, though a list may have them: no honest sender writes one, and readers differ.
  HttpReason take_transfer_encoding(Text value) {
    bool good = true;
    for_each_element(value, [&](Text coding) {
      size_t name = 0;
      while (name < coding.length && is(coding.bytes[name], kToken)) name++;
      bool parameters = name < coding.length;
      bool is_chunked = equals_lower(coding.bytes, name, "chunked");
      // "chunked" has none, RFC 9112 7.1.
      if (name == 0 || (parameters && (is_chunked || !(coding.bytes[name] == ';' || is_space(coding.bytes[name]))))) {
        good = false;
      }
      if (chunked_last_) chunked_before_ = true;
      if (!is_chunked) other_coding_ = true;
      chunked_last_ = is_chunked;
    });
    transfer_encoding_ = true;
    return good ? HttpReason::None : HttpReason::BadTransferEncoding;
  }

  HttpReason check_transfer_encoding(uint32_t flags) const {
    // RFC 9112 6.1 and 6.3: both fields, or a transfer coding in HTTP/1.0, is how requests are smuggled.
    if ((flags & kHttpHasLength) != 0) return HttpReason::LengthWithTransferEncoding;
    if ((flags & kHttpHttp10) != 0) return HttpReason::TransferEncodingInHttp10;
    // RFC 9112 6.3: where chunked is not the last one, the end of the message cannot be known, which is 400. Where it is,
    // a coding before it that we do not have is 501 (6.1).
    if (!chunked_last_ || chunked_before_) return HttpReason::BadTransferEncoding;
    return other_coding_ ? HttpReason::UnknownTransferCoding : HttpReason::None;
  }

  void take_connection(Text value) {
    for_each_element(value, [&](Text option) {
      if (equals_lower(option.bytes, option.length, "close")) close_ = true;
      if (equals_lower(option.bytes, option.length, "keep-alive")) keep_alive_ = true;
      if (equals_lower(option.bytes, option.length, "upgrade")) upgrade_ = true;
    });
  }

  void take_expect(Text value) {
    for_each_element(value, [&](Text expectation) {
      if (equals_lower(expectation.bytes, expectation.length, "100-continue")) {
        expect_continue_ = true;
      } else if (expectation.length > 0) {
        expect_other_ = true;
      }
    });
  }

  bool transfer_encoding_ = false;
  bool chunked_last_ = false;    // the last coding so far is chunked
  bool chunked_before_ = false;  // and one before it was
  bool other_coding_ = false;
  bool close_ = false;
  bool keep_alive_ = false;
  bool upgrade_ = false;
  bool upgrade_field_ = false;
  bool expect_continue_ = false;
  bool expect_other_ = false;
};

FieldSection section_of(size_t begin, const HttpLimits& limits) {
  return {begin + limits.head_bytes, limits.fields, HttpReason::HeadTooLarge, HttpReason::TooManyFields};
}

HttpStep refuse(HttpHeadFound* found, HttpReason reason) {
  found->reason = reason;
  return HttpStep::Error;
}

// One empty line before a request is skipped, RFC 9112 2.2.
HttpStep skip_empty_line(const Scan& scan, size_t at, HttpHeadFound* found) {
  found->begin = at;
  if (at >= scan.end()) return HttpStep::Incomplete;
  if (scan.bytes()[at] != '\r') return HttpStep::Complete;
  if (at + 1 >= scan.end()) return HttpStep::Incomplete;
  if (scan.bytes()[at + 1] != '\n') return refuse(found, HttpReason::BareCr);
  found->begin = at + 2;
  return found->begin < scan.end() ? HttpStep::Complete : HttpStep::Incomplete;
}

}  // namespace

HttpStep parse_head(Scan& scan, size_t at, const HttpLimits& limits, uint32_t* words, uint32_t room,
                    HttpHeadFound* found) {
  HttpStep step = skip_empty_line(scan, at, found);
  if (step != HttpStep::Complete) return step;
  const size_t begin = found->begin;
  step = read_request_line(scan, begin, std::min(limits.request_line_bytes, limits.head_bytes), &found->line);
  if (step == HttpStep::Error) return refuse(found, found->line.reason);
  if (step == HttpStep::Incomplete) return step;
  found->flags = found->line.flags;
  found->authority = found->line.authority;

  const FieldSection section = section_of(begin, limits);
  const uint8_t* bytes = scan.bytes();
  Framing framing;
  for (size_t line_begin = found->line.end;;) {
    FieldLine line;
    step = read_field_line(scan, line_begin, found->fields, section, &line);
    if (step == HttpStep::Error) return refuse(found, line.reason);
    if (step == HttpStep::Incomplete) {
      found->last_line = line_begin;
      return step;
    }
    if (line.last) {
      found->end = line.end;
      break;
    }
    HttpFieldName name = field_name_of(bytes + line_begin, line.name_end - line_begin);
    HttpReason reason = framing.take(name, {bytes + line.value, line.value_end - line.value}, found);
    if (reason != HttpReason::None) return refuse(found, reason);
    if (name == HttpFieldName::Host && found->authority.length == 0) {
      found->authority = {static_cast<uint32_t>(line.value - begin),
                          static_cast<uint32_t>(line.value_end - line.value)};
    }
    if (found->fields < room) write_field(words, found->fields, begin, line_begin, line, name);
    found->fields++;
    line_begin = line.end;
  }
  HttpReason reason = framing.finish(found);
  return reason == HttpReason::None ? HttpStep::Complete : refuse(found, reason);
}

HttpStep continue_head(Scan& scan, size_t begin, size_t last_line, uint32_t fields, const HttpLimits& limits,
                       HttpReason* reason) {
  FieldLine line;
  HttpStep step = read_field_line(scan, last_line, fields, section_of(begin, limits), &line);
  *reason = line.reason;
  return step;
}

}  // namespace millrace

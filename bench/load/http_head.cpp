#include <string_view>

#include "http_reply.h"

namespace load {
namespace {

constexpr size_t kMaxLengthDigits = 15;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool IsSame(std::string_view a, std::string_view lower) {
  if (a.size() != lower.size()) return false;
  for (size_t i = 0; i < a.size(); i++) {
    if (Lower(a[i]) != lower[i]) return false;
  }
  return true;
}

bool IsTokenCharacter(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  const char lower = Lower(c);
  return IsDigit(c) || (lower >= 'a' && lower <= 'z') || kMarks.find(c) != std::string_view::npos;
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool HasToken(std::string_view list, std::string_view lower) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    if (IsSame(Trimmed(list.substr(0, comma)), lower)) return true;
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
  return false;
}

const char* ReadStatusLine(std::string_view line, ReplyHead* head) {
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  if (line.substr(0, kVersion.size()) != kVersion) return "a reply that does not begin with HTTP/1.1";
  line.remove_prefix(kVersion.size());
  const bool is_status = line.size() >= 3 && IsDigit(line[0]) && IsDigit(line[1]) && IsDigit(line[2]) &&
                         line[0] >= '1' && line[0] <= '5' && (line.size() == 3 || line[3] == ' ');
  if (!is_status) return "a reply whose status is no number of three digits";
  for (const char c : line.substr(0, 3)) head->status = head->status * 10 + static_cast<uint32_t>(c - '0');
  return nullptr;
}

const char* ReadLength(std::string_view value, ReplyHead* head) {
  if (head->has_length) return "a reply with two Content-Length";
  if (value.empty() || value.size() > kMaxLengthDigits) return "a reply whose Content-Length is no number";
  for (const char c : value) {
    if (!IsDigit(c)) return "a reply whose Content-Length is no number";
    head->body_bytes = head->body_bytes * 10 + static_cast<uint64_t>(c - '0');
  }
  head->has_length = true;
  return nullptr;
}

const char* ReadField(std::string_view line, ReplyHead* head) {
  size_t colon = 0;
  while (colon < line.size() && IsTokenCharacter(line[colon])) colon++;
  if (colon == 0 || colon == line.size() || line[colon] != ':') return "a reply with a header line that is none";
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = Trimmed(line.substr(colon + 1));
  for (const char c : value) {
    if ((static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7f) return "a reply with a control character";
  }
  if (IsSame(name, "content-length")) return ReadLength(value, head);
  if (IsSame(name, "transfer-encoding")) {
    if (head->is_chunked || !IsSame(value, "chunked")) return "a reply whose Transfer-Encoding is not just chunked";
    head->is_chunked = true;
  }
  if (IsSame(name, "connection") && HasToken(value, "close")) head->closes = true;
  return nullptr;
}

}  // namespace

const char* ReadHead(std::string_view bytes, ReplyHead* head) {
  *head = {};
  for (bool is_first = true;; is_first = false) {
    const size_t end = bytes.find('\n');
    if (end == std::string_view::npos || end == 0 || bytes[end - 1] != '\r') return "a reply with a bare line feed";
    const std::string_view line = bytes.substr(0, end - 1);
    bytes.remove_prefix(end + 1);
    if (line.empty() && !is_first) break;
    const char* fault = is_first ? ReadStatusLine(line, head) : ReadField(line, head);
    if (fault != nullptr) return fault;
  }
  if (head->is_chunked && head->has_length) return "a reply with both Content-Length and Transfer-Encoding";
  return nullptr;
}

}  // namespace load

#include "http_request.h"

#include <string.h>

#include <string_view>

#include "fail.h"
#include "numbers.h"
#include "pattern.h"

namespace load {
namespace {

constexpr size_t kMaxRequests = 16;
constexpr double kMaxBodyBytes = 1 << 24;
constexpr double kMaxWeight = 100;

bool IsToken(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  for (const char c : text) {
    const bool is_alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!is_alphanumeric && kMarks.find(c) == std::string_view::npos) return false;
  }
  return !text.empty();
}

HttpRequest Named(std::string_view text) {
  const size_t space = text.find(' ');
  HttpRequest request;
  request.method = text.substr(0, space);
  request.path = space == std::string_view::npos ? "" : text.substr(space + 1);
  if (!IsToken(request.method) || request.path.empty() || request.path.find_first_of(" \r\n") != std::string::npos) {
    Fail(kUsage, "--request must be a method and a path such as 'GET /', got %s", std::string(text).c_str());
  }
  return request;
}

std::string Field(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || !IsToken(text.substr(0, colon)) ||
      text.find_first_of("\r\n") != std::string_view::npos) {
    Fail(kUsage, "--header must be 'Name: value', got %s", std::string(text).c_str());
  }
  return std::string(text) + "\r\n";
}

void Expect(std::string body, HttpRequest* request) {
  request->known = HttpRequest::Known::kBytes;
  request->expected_length = body.size();
  request->expected_body = std::move(body);
}

}  // namespace

std::string PatternBody(uint64_t length) {
  std::string body(length, '\0');
  for (size_t i = 0; i < body.size(); i++) body[i] = static_cast<char>(i % kPatternPeriod);
  return body;
}

bool ParseRequestOption(const char* name, const char* text, std::vector<HttpRequest>* requests) {
  const auto is = [name](const char* option) { return strcmp(name, option) == 0; };
  if (is("--request")) {
    if (requests->size() == kMaxRequests) Fail(kUsage, "more than %zu times --request", kMaxRequests);
    requests->push_back(Named(text));
    return true;
  }
  const bool is_known = is("--header") || is("--body") || is("--body-bytes") || is("--weight") || is("--status") ||
                        is("--expect") || is("--expect-bytes") || is("--expect-length");
  if (!is_known) return false;
  if (requests->empty()) Fail(kUsage, "%s belongs to a --request before it", name);
  HttpRequest& request = requests->back();
  if (is("--header")) request.fields += Field(text);
  if (is("--body")) request.body = text;
  if (is("--body-bytes")) request.body = PatternBody(WholeNumber(name, text, 0, kMaxBodyBytes));
  if (is("--weight")) request.weight = static_cast<uint32_t>(WholeNumber(name, text, 1, kMaxWeight));
  if (is("--status")) request.status = static_cast<uint32_t>(WholeNumber(name, text, 200, 599));
  if (is("--expect")) Expect(text, &request);
  if (is("--expect-bytes")) Expect(PatternBody(WholeNumber(name, text, 0, kMaxBodyBytes)), &request);
  if (is("--expect-length")) {
    request.known = HttpRequest::Known::kLength;
    request.expected_length = WholeNumber(name, text, 0, 1e15);
  }
  return true;
}

}  // namespace load

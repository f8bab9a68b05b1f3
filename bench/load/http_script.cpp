#include "http_script.h"

#include <numeric>

namespace load {
namespace {

constexpr size_t kRowBytes = 1u << 16;  // at least: so much may leave in one write

std::string Written(const HttpRequest& request, const Target& target) {
  std::string text =
      request.Name() + " HTTP/1.1\r\nHost: " + target.host() + ":" + std::to_string(target.port()) + "\r\n";
  text += request.fields;
  const bool has_body = !request.body.empty() || (request.method != "GET" && request.method != "HEAD");
  if (has_body) text += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  return text + "\r\n" + request.body;
}

// Weighted round robin without clusters: each time the one that is furthest behind its share.
std::vector<uint32_t> OrderOf(const std::vector<HttpRequest>& requests) {
  const auto add = [](int64_t sum, const HttpRequest& request) { return sum + request.weight; };
  const int64_t total = std::accumulate(requests.begin(), requests.end(), int64_t{0}, add);
  std::vector<int64_t> behind(requests.size());
  std::vector<uint32_t> order;
  for (int64_t turn = 0; turn < total; turn++) {
    size_t next = 0;
    for (size_t i = 0; i < requests.size(); i++) {
      behind[i] += requests[i].weight;
      if (behind[i] > behind[next]) next = i;
    }
    behind[next] -= total;
    order.push_back(static_cast<uint32_t>(next));
  }
  return order;
}

}  // namespace

HttpScript::HttpScript(const std::vector<HttpRequest>& requests, const Target& target)
    : requests_(requests), memos_(requests.size()), order_(OrderOf(requests)) {
  std::vector<std::string> texts;
  texts.reserve(requests.size());
  for (const HttpRequest& request : requests) texts.push_back(Written(request, target));
  for (const std::string& text : texts) lengths_.push_back(text.size());
  std::string turn;
  for (const uint32_t index : order_) {
    begins_.push_back(turn.size());
    turn += texts[index];
  }
  turn_bytes_ = turn.size();
  // Without requests there is no row, and nobody to follow it.
  while (!turn.empty() && row_.size() < turn_bytes_ + kRowBytes) row_ += turn;
}

}  // namespace load

// Any bytes as the requests of a connection: no read outside of them, the same outcome however they are split and whichever
// scanner looks at them, and an error of a prefix is the error of all. Corpus and dictionary: corpus/http, http.dict.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "core/http/codec.h"
#include "tests/http_transcript.h"

namespace millrace {
namespace {

// Limits that a few bytes reach.
constexpr HttpLimits kTiny = {24, 80, 3, 8, 24};

uint64_t hash_of(std::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (char c : bytes) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3u;
  return hash;
}

void check_splits(std::string_view bytes, const HttpLimits& limits) {
  const std::string whole = transcript(bytes, {}, limits);
  std::vector<size_t> all(bytes.size());
  for (size_t i = 0; i < all.size(); i++) all[i] = i;
  require(transcript(bytes, all, limits) == whole, "byte by byte is the same");

  size_t first = bytes.empty() ? 0 : hash_of(bytes) % bytes.size();
  size_t second = first + (bytes.empty() ? 0 : (hash_of(bytes) >> 32) % (bytes.size() - first));
  require(transcript(bytes, {first, second}, limits) == whole, "three pieces are the same");

  const std::string prefix = transcript(bytes.substr(0, second), {}, limits);
  if (prefix.find("error ") != std::string::npos && prefix != whole) {
    // "error " may stand in what was sent; an Error event ends the transcript.
    HttpTranscript again(limits);
    again.feed(bytes.substr(0, second));
    require(!again.refused(), "the error of a prefix is the error of all");
  }
  for (const Scanner* scanner : usable_scanners()) {
    require(transcript(bytes, {second}, limits, *scanner) == whole, "every scanner gives the same");
  }
}

// A static route answers in C++ exactly what a Head would tell JavaScript of.
void check_static(std::string_view bytes) {
  constexpr std::string_view kText = "/HTTP/1.1 200 OK\r\n\r\n";
  const uint32_t words[] = {kStaticNone, 0, 0, 1, 1, static_cast<uint32_t>(HttpMethod::Get), 1, 19, kStaticNone};
  HttpTranscript with, without;
  with.codec().server(with.server())->statics =
      StaticTable::create(words, std::size(words), reinterpret_cast<const uint8_t*>(kText.data()), kText.size());
  uint8_t out[64];
  std::string_view left = bytes;
  size_t answered = 0;
  while (!left.empty() && !with.refused()) {
    uint32_t events = with.call(left, UINT32_MAX, {out, sizeof out});
    answered += with.word(HttpWord::StaticReplies);
    require(events > 0 || with.word(HttpWord::Consumed) > 0, "every call goes on");
    require(with.word(HttpWord::Written) == 19 * with.word(HttpWord::StaticReplies), "replies are whole");
    left.remove_prefix(with.word(HttpWord::Consumed));
  }
  without.feed(bytes);
  require(with.heads() + answered == without.heads(), "each request is told or answered");
  require(with.refused() == without.refused(), "static routes change no judgement");
}

// The flat form of a static table out of any words.
void check_table(std::string_view bytes) {
  std::vector<uint32_t> words;
  for (size_t i = 0; i + 1 < bytes.size(); i += 2) {
    uint32_t word = static_cast<uint8_t>(bytes[i]);
    words.push_back(bytes[i + 1] == '\xff' ? kStaticNone : word);
  }
  auto table =
      StaticTable::create(words.data(), words.size(), reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  if (!table) return;
  for (uint32_t route = 0; route < table->routes(); route++) {
    for (uint32_t method = 0; method < 10; method++) {
      StaticReply reply;
      if (!table->reply(route, static_cast<HttpMethod>(method), &reply)) continue;
      require(reply.date == kStaticNone || reply.date + kHttpDateBytes <= reply.length, "a date lies in its reply");
      for (uint32_t i = 0; i < reply.length; i++)
        static_cast<void>(*static_cast<const volatile uint8_t*>(reply.bytes + i));
    }
  }
  table->find(bytes.substr(0, bytes.size() / 2), bytes.substr(bytes.size() / 2));
}

}  // namespace
}  // namespace millrace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  millrace::check_splits(bytes, {});
  millrace::check_splits(bytes, millrace::kTiny);
  millrace::check_static(bytes);
  millrace::check_table(bytes);
  return 0;
}

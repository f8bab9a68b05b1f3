// What the codec tells of some bytes as text, for the tests and the fuzzer. Where a body was cut and where a head lies is
// left out: that depends on how the bytes came, and nothing else may.
#ifndef MILLRACE_TESTS_HTTP_TRANSCRIPT_H_
#define MILLRACE_TESTS_HTTP_TRANSCRIPT_H_

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/http/codec.h"

namespace millrace {

// Ends the process with a message: what must hold on any input.
inline void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

class HttpTranscript {
 public:
  explicit HttpTranscript(const HttpLimits& limits = {}, const Scanner& scanner = best_scanner())
      : table_(new uint32_t[kHttpTableWords]),
        scratch_(new uint8_t[kHttpScratchBytes]),
        codec_(new HttpCodec(table_.get(), scratch_.get(), scanner, [] { return int64_t{784111777}; })),
        server_(codec_->add_server(limits)),
        connection_(codec_->attach(server_)) {}

  HttpCodec& codec() { return *codec_; }
  uint32_t server() const { return server_; }
  HttpConnection* connection() { return codec_->connection(connection_); }
  uint32_t word(HttpWord which) const { return table_[static_cast<size_t>(which)]; }
  const uint32_t* events() const { return table_.get() + static_cast<size_t>(HttpWord::Events); }
  const std::string& text() const { return text_; }
  size_t heads() const { return heads_; }
  size_t bodies() const { return bodies_; }
  bool refused() const { return refused_; }

  // One call. The bytes lie in memory of exactly their size, so that a sanitizer sees every byte that is read behind them.
  uint32_t call(std::string_view bytes, uint32_t requests_max = UINT32_MAX, HttpOutput output = {}) {
    std::unique_ptr<uint8_t[]> exact(new uint8_t[bytes.size()]);
    if (!bytes.empty()) std::memcpy(exact.get(), bytes.data(), bytes.size());
    return call_at(exact.get(), static_cast<uint32_t>(bytes.size()), requests_max, output);
  }

  uint32_t call_at(const uint8_t* bytes, uint32_t length, uint32_t requests_max = UINT32_MAX, HttpOutput output = {}) {
    uint32_t events = codec_->parse(connection(), {bytes, 0, length}, requests_max, output);
    uint32_t consumed = word(HttpWord::Consumed);
    require(consumed <= length, "no more is consumed than was given");
    auto stop = static_cast<HttpStop>(word(HttpWord::Stop));
    require(stop != HttpStop::End || consumed == length, "all is consumed unless something stopped the codec");
    require(word(HttpWord::Written) <= output.room, "static replies stay within their room");
    read(bytes, length, events);
    require(refused_ == (stop == HttpStop::Error), "an error stops the codec for good");
    return events;
  }

  // All of the bytes, given again where they were not taken.
  void feed(std::string_view bytes) {
    while (!bytes.empty() && !refused_) {
      uint32_t events = call(bytes);
      require(events > 0 || word(HttpWord::Consumed) > 0, "every call goes on");
      bytes.remove_prefix(word(HttpWord::Consumed));
    }
  }

 private:
  static std::string_view part(const uint8_t* memory, size_t size, size_t begin, uint32_t span) {
    size_t offset = begin + (span & 0xffff), length = span >> 16;
    require(offset <= size && length <= size - offset, "what an event names lies in its memory");
    return {reinterpret_cast<const char*>(memory) + offset, length};
  }

  void read_fields(const uint8_t* memory, size_t size, size_t begin, const uint32_t* words, uint32_t fields) {
    for (uint32_t i = 0; i < fields; i++, words += static_cast<size_t>(HttpField::Words)) {
      text_ += "  ";
      text_ += part(memory, size, begin, words[0]);
      text_ += " = ";
      text_ += part(memory, size, begin, words[1]);
      text_ += " #" + std::to_string(words[2]) + "\n";
    }
  }

  static constexpr uint32_t kHeadWords = static_cast<uint32_t>(HttpHead::Words);

  void read(const uint8_t* input, size_t length, uint32_t events) {
    const uint32_t* at = this->events();
    const uint32_t* end = table_.get() + kHttpTableWords;
    for (; events > 0; events--) {
      require(at + 2 <= end, "events lie in the table");
      bool scratch = (at[0] & kHttpInScratch) != 0;
      const uint8_t* memory = scratch ? scratch_.get() : input;
      size_t size = scratch ? kHttpScratchBytes : length;
      switch (static_cast<HttpEvent>(at[0] & 0xff)) {
        case HttpEvent::Head: {
          uint32_t fields = at[6] & 0xffff;
          require(!open_, "a request ends before the next begins");
          require(at + kHeadWords + 3 * fields <= end, "a head lies in the table");
          require(at[1] + at[2] <= size, "a head lies in its memory");
          std::string_view head(reinterpret_cast<const char*>(memory) + at[1], at[2]);
          require(head.size() >= 4 && head.substr(head.size() - 4) == "\r\n\r\n", "a head ends with an empty line");
          text_ += "head " + std::to_string(at[0] >> 8 & 0xff) + " " + std::to_string((at[0] & ~kHttpInScratch) >> 16) +
                   " " + std::to_string(at[2]) + "\n";
          for (uint32_t span : {at[7] << 16, at[3], at[4], at[5]}) {
            text_ += " <";
            text_ += part(memory, size, at[1], span);
            text_ += ">";
          }
          text_ += " " + std::to_string(at[6] >> 16) + " " + std::to_string(at[7] >> 16) + " " +
                   std::to_string(static_cast<uint64_t>(at[9]) << 32 | at[8]) + "\n";
          read_fields(memory, size, at[1], at + kHeadWords, fields);
          open_ = true;
          in_body_ = false;
          heads_++;
          at += kHeadWords + 3 * fields;
          break;
        }
        case HttpEvent::Body:
          require(open_, "a body belongs to a request");
          require(at[2] > 0, "a piece of a body has bytes");
          if (!in_body_) text_ += "body ";
          in_body_ = true;
          require(at[1] <= length && at[2] <= length - at[1], "a body lies in the input");
          text_.append(reinterpret_cast<const char*>(input) + at[1], at[2]);
          bodies_++;
          at += 3;
          break;
        case HttpEvent::End:
          require(open_, "an end belongs to a request");
          require(at[1] + at[2] <= size, "trailers lie in their memory");
          text_ += in_body_ ? "\nend\n" : "end\n";
          read_fields(memory, size, at[1], at + 4, at[3]);
          open_ = false;
          at += 4 + 3 * at[3];
          break;
        case HttpEvent::Error:
          require(events == 1, "an error is the last event");
          text_ += std::string(in_body_ && open_ ? "\n" : "") + "error " + std::to_string(at[0] >> 16) + " " +
                   std::to_string(at[1]) + "\n";
          refused_ = true;
          at += 2;
          break;
        default:
          require(false, "an event has a kind");
      }
    }
    require(at <= end, "events lie in the table");
  }

  std::unique_ptr<uint32_t[]> table_;
  std::unique_ptr<uint8_t[]> scratch_;
  std::unique_ptr<HttpCodec> codec_;
  uint32_t server_;
  uint32_t connection_;
  std::string text_;
  size_t heads_ = 0;
  size_t bodies_ = 0;
  bool open_ = false;
  bool in_body_ = false;
  bool refused_ = false;
};

// The transcript of bytes that come in pieces; `cuts` are where, in order.
inline std::string transcript(std::string_view bytes, const std::vector<size_t>& cuts = {},
                              const HttpLimits& limits = {}, const Scanner& scanner = best_scanner()) {
  HttpTranscript all(limits, scanner);
  size_t from = 0;
  for (size_t cut : cuts) {
    all.feed(bytes.substr(from, cut - from));
    from = cut;
  }
  all.feed(bytes.substr(from));
  return all.text();
}

}  // namespace millrace

#endif  // MILLRACE_TESTS_HTTP_TRANSCRIPT_H_

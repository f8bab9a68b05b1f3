#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/http/static_table.h"
#include "tests/http_transcript.h"

namespace millrace {
namespace {

constexpr std::string_view kOk =
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\nok";
constexpr std::string_view kOkNow =
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\nok";
constexpr uint32_t kDate = 42;

// The flat form.
class Flat {
 public:
  Flat& route(std::optional<std::string_view> host, std::string_view path) {
    if (host) {
      add(*host);
    } else {
      words.insert(words.end(), {kStaticNone, 0});
    }
    add(path);
    replies_ = words.size();
    words.push_back(0);
    return *this;
  }
  Flat& reply(uint32_t method, std::string_view text, uint32_t date = kStaticNone) {
    words[replies_]++;
    words.push_back(method);
    add(text);
    words.push_back(date);
    return *this;
  }
  Flat& reply(HttpMethod method, std::string_view text, uint32_t date = kStaticNone) {
    return reply(static_cast<uint32_t>(method), text, date);
  }
  std::unique_ptr<StaticTable> table() const {
    return StaticTable::create(words.data(), words.size(), reinterpret_cast<const uint8_t*>(bytes.data()),
                               bytes.size());
  }

  std::vector<uint32_t> words;
  std::string bytes;

 private:
  void add(std::string_view text) {
    words.push_back(static_cast<uint32_t>(bytes.size()));
    words.push_back(static_cast<uint32_t>(text.size()));
    bytes += text;
  }
  size_t replies_ = 0;
};

std::string reply_of(const StaticTable& table, uint32_t route, HttpMethod method) {
  StaticReply reply;
  if (route == StaticTable::kNoRoute || !table.reply(route, method, &reply)) return "none";
  return {reinterpret_cast<const char*>(reply.bytes), reply.length};
}

TEST(HttpStaticTable, FindsAPathOfThisHostBeforeOneOfAny) {
  auto table = Flat()
                   .route(std::nullopt, "/")
                   .reply(HttpMethod::Get, "any")
                   .route("example.com", "/")
                   .reply(HttpMethod::Get, "own")
                   .route("[::1]", "/six")
                   .reply(HttpMethod::Get, "six")
                   .table();
  ASSERT_NE(table, nullptr);
  EXPECT_EQ(table->find("/", ""), 0u);
  EXPECT_EQ(table->find("/", "other.com"), 0u);
  EXPECT_EQ(table->find("/", "EXAMPLE.com:8080"), 1u);
  EXPECT_EQ(table->find("/six", "[::1]:80"), 2u);
  EXPECT_EQ(table->find("/six", "a"), StaticTable::kNoRoute);
  EXPECT_EQ(table->find("/seven", "a"), StaticTable::kNoRoute);
  EXPECT_EQ(table->find("", "a"), StaticTable::kNoRoute);
}

TEST(HttpStaticTable, AnswersByMethod) {
  auto table = Flat()
                   .route(std::nullopt, "/")
                   .reply(HttpMethod::Get, kOk)
                   .reply(HttpMethod::Post, "posted")
                   .reply(kStaticAnyMethod, "no")
                   .route(std::nullopt, "/get")
                   .reply(HttpMethod::Get, "no head")
                   .route(std::nullopt, "/any")
                   .reply(kStaticAnyMethod, kOk)
                   .route(std::nullopt, "/head")
                   .reply(HttpMethod::Head, kOk)
                   .table();
  ASSERT_NE(table, nullptr);
  EXPECT_EQ(reply_of(*table, 0, HttpMethod::Get), kOk);
  EXPECT_EQ(reply_of(*table, 0, HttpMethod::Head), kOk.substr(0, kOk.size() - 2));
  EXPECT_EQ(reply_of(*table, 0, HttpMethod::Post), "posted");
  EXPECT_EQ(reply_of(*table, 0, HttpMethod::Delete), "no");
  EXPECT_EQ(reply_of(*table, 0, HttpMethod::Other), "no");
  EXPECT_EQ(reply_of(*table, 1, HttpMethod::Delete), "none");
  EXPECT_EQ(reply_of(*table, 1, HttpMethod::Other), "none");
  for (uint32_t route : {2u, 3u}) {
    EXPECT_EQ(reply_of(*table, route, HttpMethod::Head), kOk.substr(0, kOk.size() - 2));
  }
  EXPECT_EQ(reply_of(*table, 2, HttpMethod::Get), kOk);
  EXPECT_EQ(reply_of(*table, 3, HttpMethod::Get), "none");
}

TEST(HttpStaticTable, FindsEachOfMany) {
  Flat flat;
  for (int i = 0; i < 5000; i++) flat.route(std::nullopt, "/route/" + std::to_string(i)).reply(HttpMethod::Get, "x");
  auto table = flat.table();
  ASSERT_NE(table, nullptr);
  for (uint32_t i = 0; i < 5000; i++) ASSERT_EQ(table->find("/route/" + std::to_string(i), "a"), i);
  EXPECT_EQ(table->find("/route/5000", "a"), StaticTable::kNoRoute);
}

TEST(HttpStaticTable, RefusesWordsThatDoNotDescribeOne) {
  Flat good;
  good.route("a", "/").reply(HttpMethod::Get, kOk, kDate).reply(kStaticAnyMethod, "no");
  ASSERT_NE(good.table(), nullptr);
  EXPECT_EQ(Flat().route(std::nullopt, "/").reply(HttpMethod::Other, "x").table(), nullptr);
  EXPECT_EQ(Flat().route(std::nullopt, "/").reply(10, "x").table(), nullptr);
  EXPECT_EQ(Flat().route(std::nullopt, "/").reply(HttpMethod::Get, "x").reply(HttpMethod::Get, "x").table(), nullptr);
  EXPECT_EQ(Flat().route(std::nullopt, "/").reply(HttpMethod::Get, kOk, kDate + 100).table(), nullptr);
  // The date stands behind the head.
  EXPECT_EQ(Flat().route(std::nullopt, "/").reply(HttpMethod::Get, "\r\n\r\n" + std::string(60, 'x'), 10).table(),
            nullptr);
  for (size_t length = 1; length < good.words.size(); length++) {
    Flat cut = good;
    cut.words.resize(length);
    EXPECT_EQ(cut.table(), nullptr) << length;
  }
  std::mt19937_64 random(2);
  for (int round = 0; round < 100'000; round++) {
    Flat changed = good;
    for (uint64_t changes = 1 + random() % 3; changes > 0; changes--) {
      uint32_t value = random() % 2 == 0 ? static_cast<uint32_t>(random()) : static_cast<uint32_t>(random() % 100);
      changed.words[random() % changed.words.size()] = value;
    }
    auto table = changed.table();
    if (!table) continue;
    for (uint32_t route = 0; route < table->routes(); route++) {
      for (uint32_t method = 0; method < 10; method++) {
        std::string reply = reply_of(*table, route, static_cast<HttpMethod>(method));
        ASSERT_LE(reply.size(), changed.bytes.size());
      }
    }
  }
}

class HttpStatic : public ::testing::Test {
 protected:
  void use(const Flat& flat) {
    codec_.codec().server(codec_.server())->statics = flat.table();
    ASSERT_NE(codec_.codec().server(codec_.server())->statics, nullptr);
  }
  uint32_t call(std::string_view bytes, uint32_t room) {
    out_.assign(room, 0);
    return codec_.call(bytes, UINT32_MAX, {reinterpret_cast<uint8_t*>(out_.data()), room});
  }
  std::string written() const { return out_.substr(0, codec_.word(HttpWord::Written)); }
  HttpStop stop() const { return static_cast<HttpStop>(codec_.word(HttpWord::Stop)); }

  HttpTranscript codec_;
  std::string out_;
};

constexpr std::string_view kGet = "GET /ok HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_F(HttpStatic, AnswersPipelinedRequestsOneAfterTheOther) {
  use(Flat().route(std::nullopt, "/ok").reply(HttpMethod::Get, kOk, kDate));
  std::string three = std::string(kGet) + "GET /ok?query HTTP/1.1\r\nHost: b\r\n\r\n" + std::string(kGet);
  EXPECT_EQ(call(three, 1000), 0u);
  EXPECT_EQ(codec_.word(HttpWord::Consumed), three.size());
  EXPECT_EQ(codec_.word(HttpWord::StaticReplies), 3u);
  EXPECT_EQ(codec_.word(HttpWord::StaticBytesIn), three.size());
  EXPECT_EQ(written(), std::string(kOkNow) + std::string(kOkNow) + std::string(kOkNow));
}

// So that they can be counted by what they are.
TEST_F(HttpStatic, AnswersInACallWhatIsOfOneKind) {
  auto kind = [](HttpMethod method, uint32_t digit) { return static_cast<uint32_t>(method) | digit << 8; };
  use(Flat().route(std::nullopt, "/ok").reply(HttpMethod::Get, kOk, kDate).reply(kStaticAnyMethod, "HTTP/1.1 405 "));
  const std::string get(kGet), head = "HEAD" + get.substr(3), other = "NONE" + get.substr(3);
  const std::string all = get + get + head + other;
  size_t at = 0;
  for (auto [replies, expected] : {std::pair(2u, kind(HttpMethod::Get, 2)), std::pair(1u, kind(HttpMethod::Head, 2)),
                                   std::pair(1u, kind(HttpMethod::Other, 4))}) {
    EXPECT_EQ(call(std::string_view(all).substr(at), 1000), 0u);
    EXPECT_EQ(codec_.word(HttpWord::StaticReplies), replies);
    EXPECT_EQ(codec_.word(HttpWord::StaticKind), expected);
    at += codec_.word(HttpWord::Consumed);
    EXPECT_EQ(stop(), at == all.size() ? HttpStop::End : HttpStop::Room);
  }
  EXPECT_EQ(at, all.size());
}

TEST_F(HttpStatic, AnswersARequestThatCameInPieces) {
  use(Flat().route(std::nullopt, "/ok").reply(HttpMethod::Get, kOk, kDate));
  EXPECT_EQ(call(kGet.substr(0, 10), 1000), 0u);
  EXPECT_EQ(codec_.word(HttpWord::StaticReplies), 0u);
  EXPECT_EQ(call(kGet.substr(10), 1000), 0u);
  EXPECT_EQ(written(), kOkNow);
  EXPECT_EQ(codec_.word(HttpWord::StaticBytesIn), kGet.size());
}

TEST_F(HttpStatic, LeavesToJavaScriptWhatIsNotSimple) {
  use(Flat().route(std::nullopt, "/ok").reply(HttpMethod::Get, kOk).reply(kStaticAnyMethod, "no"));
  for (std::string_view request : {"GET /ok HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
                                   "GET /ok HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                                   "GET /ok HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
                                   "GET /ok HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
                                   "GET /ok HTTP/1.1\r\nHost: a\r\nExpect: more\r\n\r\n"}) {
    EXPECT_GT(call(request, 1000), 1u) << request;
    EXPECT_EQ(codec_.word(HttpWord::Written), 0u) << request;
    // Route 0 is named.
    EXPECT_EQ(codec_.events()[static_cast<size_t>(HttpHead::Fields)] >> 16, 1u) << request;
  }
  EXPECT_EQ(call("GET /other HTTP/1.1\r\nHost: a\r\n\r\n", 1000), 2u);
  EXPECT_EQ(codec_.events()[static_cast<size_t>(HttpHead::Fields)] >> 16, 0u);
}

TEST_F(HttpStatic, NeverOvertakesARequestBeforeIt) {
  use(Flat().route(std::nullopt, "/ok").reply(HttpMethod::Get, kOk));
  std::string mixed = std::string(kGet) + "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n" + std::string(kGet);
  EXPECT_EQ(call(mixed, 1000), 4u);
  EXPECT_EQ(codec_.word(HttpWord::StaticReplies), 1u);
  EXPECT_EQ(codec_.heads(), 2u);
  EXPECT_EQ(call(kGet, 0), 2u);
  EXPECT_EQ(codec_.word(HttpWord::StaticReplies), 0u);
}

TEST_F(HttpStatic, StopsWhereTheRoomEnds) {
  use(Flat().route(std::nullopt, "/ok").reply(HttpMethod::Get, kOk, kDate));
  std::string three = std::string(kGet) + std::string(kGet) + std::string(kGet);
  EXPECT_EQ(call(three, static_cast<uint32_t>(kOk.size() * 2 + 1)), 0u);
  EXPECT_EQ(stop(), HttpStop::Room);
  EXPECT_EQ(codec_.word(HttpWord::StaticReplies), 2u);
  EXPECT_EQ(codec_.word(HttpWord::Consumed), kGet.size() * 2);
  // A room that has never enough gives a Head.
  EXPECT_EQ(call(kGet, static_cast<uint32_t>(kOk.size() - 1)), 2u);
  EXPECT_EQ(stop(), HttpStop::End);
}

TEST_F(HttpStatic, TakesTheHostOfTheTarget) {
  use(Flat().route("b", "/").reply(HttpMethod::Get, "b").route(std::nullopt, "/").reply(HttpMethod::Get, "any"));
  EXPECT_EQ(call("GET http://B:80 HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 100), 0u);
  EXPECT_EQ(written(), "bany");
}

}  // namespace
}  // namespace millrace

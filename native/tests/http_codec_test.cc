#include <gtest/gtest.h>

#include <random>

#include "core/http/codec.h"
#include "tests/http_transcript.h"

namespace millrace {
namespace {

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

// Requests that are whole, and some that are not right, one after the other.
const std::string_view kStreams[] = {
    "GET / HTTP/1.1\r\nHost: localhost:8080\r\n\r\n",
    "\r\nGET /a/b?c=d HTTP/1.1\r\nHost: a\r\nUser-Agent: x\r\nAccept: */*\r\n\r\nGET / HTTP/1.0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello worldGET /x HTTP/1.1\r\nHost: b\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    "5;a=\"b c\"\r\nhello\r\n6 ;x\r\n world\r\n0\r\nX-Sum: 1\r\nContent-Length: 3\r\nOther:  two \r\n\r\n"
    "GET / HTTP/1.1\r\nHost: c\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: h2c\r\n\r\n"
    "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "PUT /f HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX: \x80\xff\t \r\n\r\n\x16\x03\x01",
    "GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n folded\r\n\r\n",
    "GET / HTTP/1.1\nHost: a\r\n\r\n",
    "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.7\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nBad name: x\r\n\r\n",
};

TEST(HttpCodec, EverySplitGivesTheSame) {
  for (std::string_view stream : kStreams) {
    std::string whole = transcript(stream);
    for (size_t first = 0; first <= stream.size(); first++) {
      for (size_t second = first; second <= stream.size(); second++) {
        ASSERT_EQ(transcript(stream, {first, second}), whole) << stream << "\ncut at " << first << ", " << second;
      }
    }
    std::vector<size_t> all(stream.size());
    for (size_t i = 0; i < all.size(); i++) all[i] = i;
    ASSERT_EQ(transcript(stream, all), whole) << stream;
  }
}

TEST(HttpCodec, EveryScannerGivesTheSame) {
  for (std::string_view stream : kStreams) {
    for (const Scanner* scanner : usable_scanners()) {
      ASSERT_EQ(transcript(stream, {}, {}, *scanner), transcript(stream)) << scanner->name << "\n" << stream;
    }
  }
}

TEST(HttpCodec, TheErrorOfAPrefixIsTheErrorOfAll) {
  for (std::string_view stream : kStreams) {
    std::string whole = transcript(stream);
    size_t refused_at = 0;
    for (size_t length = 0; length <= stream.size(); length++) {
      std::string part = transcript(stream.substr(0, length));
      if (part.find("error ") == std::string::npos) {
        ASSERT_EQ(refused_at, 0u) << stream;
        continue;
      }
      if (refused_at == 0) refused_at = length;
      ASSERT_EQ(part, whole) << stream << "\nfirst " << length;
    }
  }
}

TEST(HttpCodec, SmallLimitsGiveTheSameAtEverySplit) {
  uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 3000; round++) {
    HttpLimits limits;
    limits.request_line_bytes = 1 + random() % 40;
    limits.head_bytes = 1 + random() % 120;
    limits.fields = 1 + random() % 4;
    limits.chunk_extension_bytes = random() % 16;
    limits.trailer_bytes = 2 + random() % 50;
    std::string stream(kStreams[random() % std::size(kStreams)]);
    for (uint64_t changes = random() % 3; changes > 0; changes--) {
      constexpr std::string_view kBytes = "\r\n :;,\t\0aZ09/*#%\x7f\x80";
      stream[random() % stream.size()] = kBytes[random() % kBytes.size()];
    }
    std::string whole = transcript(stream, {}, limits);
    std::vector<size_t> all(stream.size());
    for (size_t i = 0; i < all.size(); i++) all[i] = i;
    ASSERT_EQ(transcript(stream, all, limits), whole) << stream;
    size_t first = random() % stream.size(), second = first + random() % (stream.size() - first);
    ASSERT_EQ(transcript(stream, {first, second}, limits), whole) << stream << "\ncut at " << first << ", " << second;
  }
}

TEST(HttpCodec, RefusesBytesAsSoonAsTheyCannotBeARequest) {
  auto refused_after = [](std::string_view bytes, const HttpLimits& limits = {}) {
    HttpTranscript codec(limits);
    for (size_t i = 0; i < bytes.size(); i++) {
      codec.feed(bytes.substr(i, 1));
      if (codec.refused()) return i + 1;
    }
    return size_t{0};
  };
  EXPECT_EQ(refused_after("\x16\x03\x01\x02"), 1u);  // TLS
  EXPECT_EQ(refused_after("\x04\x01"), 1u);          // SOCKS
  EXPECT_EQ(refused_after("GET / HTTP/1.1\n"), 15u);
  EXPECT_EQ(refused_after("GET  /"), 5u);
  EXPECT_EQ(refused_after("GET / FTP"), 7u);
  EXPECT_EQ(refused_after("\n"), 1u);
  EXPECT_EQ(refused_after("\r\n\r\n"), 3u);
  HttpLimits limits;
  limits.request_line_bytes = 10;
  EXPECT_EQ(refused_after("GET /aaaaaaaaaaaaaaaaaaaaa", limits), 11u);
  EXPECT_EQ(refused_after("AAAAAAAAAAAAAAAAAAAAAAAAAA", limits), 11u);
  limits.request_line_bytes = 14;
  EXPECT_EQ(refused_after("GET / HTTP/1.1\r\nHost: a\r\n\r\n", limits), 0u);
  // The version will not fit.
  limits.request_line_bytes = 13;
  EXPECT_EQ(refused_after("GET / HTTP/1.1\r\nHost: a\r\n\r\n", limits), 13u);
}

TEST(HttpCodec, TakesAHeadOfExactlyTheLimit) {
  HttpLimits limits;
  limits.head_bytes = static_cast<uint32_t>(kGet.size());
  EXPECT_EQ(transcript(kGet, {}, limits), transcript(kGet));
  EXPECT_EQ(transcript("\r\n" + std::string(kGet), {5}, limits), transcript(kGet));
  limits.head_bytes--;
  EXPECT_EQ(transcript(kGet, {}, limits), "error 431 12\n");
  limits = {};
  limits.fields = 1;
  EXPECT_EQ(transcript(kGet, {}, limits), transcript(kGet));
  EXPECT_EQ(transcript("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n", {}, limits), "error 431 13\n");
}

TEST(HttpCodec, KeepsNothingBetweenMessages) {
  HttpTranscript codec;
  codec.feed(kGet.substr(0, 9));
  EXPECT_EQ(codec.connection()->pending.length(), 9u);
  codec.feed(kGet.substr(9));
  EXPECT_EQ(codec.connection()->pending.length(), 0u);
  EXPECT_EQ(codec.connection()->pending.bytes(), nullptr);
}

TEST(HttpCodec, GoesOnWhereTheTableWasFull) {
  std::string stream;
  for (int i = 0; i < 3000; i++) stream += kGet;
  HttpTranscript codec;
  codec.call(stream);
  EXPECT_EQ(codec.word(HttpWord::Stop), static_cast<uint32_t>(HttpStop::Table));
  EXPECT_LT(codec.word(HttpWord::Consumed), stream.size());
  codec.feed(std::string_view(stream).substr(codec.word(HttpWord::Consumed)));
  EXPECT_EQ(codec.heads(), 3000u);

  std::string body = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 20000; i++) body += "1\r\nx\r\n";
  body += "0\r\n\r\n";
  HttpTranscript chunked;
  chunked.call(body);
  EXPECT_EQ(chunked.word(HttpWord::Stop), static_cast<uint32_t>(HttpStop::Table));
  chunked.feed(std::string_view(body).substr(chunked.word(HttpWord::Consumed)));
  EXPECT_EQ(chunked.bodies(), 20000u);
  EXPECT_EQ(chunked.text().substr(chunked.text().size() - 5), "\nend\n");
}

TEST(HttpCodec, TakesAsManyFieldsAsAServerMayAllow) {
  HttpLimits limits;
  limits.head_bytes = kHttpHeadBytesMax;
  limits.fields = kHttpFieldsMax;
  std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (uint32_t i = 1; i < kHttpFieldsMax; i++) head += "a:b\r\n";
  head += "\r\n";
  HttpTranscript codec(limits);
  codec.feed(std::string(kGet) + head + std::string(kGet));
  EXPECT_EQ(codec.heads(), 3u);
  EXPECT_FALSE(codec.refused());
  EXPECT_EQ(transcript(head, {1, 1000, 20000}, limits), transcript(head, {}, limits));
}

TEST(HttpCodec, StopsBehindARequestForAnotherProtocol) {
  constexpr std::string_view kUpgrade =
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
  HttpTranscript codec;
  codec.call(std::string(kUpgrade) + "\x81\x05hello");
  EXPECT_EQ(codec.word(HttpWord::Consumed), kUpgrade.size());
  EXPECT_EQ(codec.word(HttpWord::Stop), static_cast<uint32_t>(HttpStop::Upgrade));
  EXPECT_EQ(codec.heads(), 1u);
  codec.feed(kGet);
  EXPECT_EQ(codec.heads(), 2u);

  constexpr std::string_view kConnect = "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n";
  HttpTranscript tunnel;
  tunnel.call(std::string(kConnect) + "\x16\x03");
  EXPECT_EQ(tunnel.word(HttpWord::Consumed), kConnect.size());
  EXPECT_EQ(tunnel.word(HttpWord::Stop), static_cast<uint32_t>(HttpStop::Upgrade));
}

TEST(HttpCodec, SkipsABodyAndStillChecksIt) {
  constexpr std::string_view kHead = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  HttpTranscript codec;
  codec.feed(kHead);
  codec.feed("3\r\nabc\r\n");
  HttpCodec::skip_body(codec.connection());
  codec.feed("3\r\ndef\r\n0\r\nX: y\r\n\r\n");
  EXPECT_EQ(codec.bodies(), 1u);
  EXPECT_EQ(codec.text().substr(codec.text().size() - 13), "body abc\nend\n");
  codec.feed(kHead);
  codec.feed("1\r\na\r\n");
  EXPECT_EQ(codec.bodies(), 2u);
  HttpCodec::skip_body(codec.connection());
  codec.feed("x");
  EXPECT_TRUE(codec.refused());
}

TEST(HttpCodec, LeavesOutTrailersThatMayNotBeOnes) {
  std::string text = transcript(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nHost: evil\r\nAuthorization: x\r\n"
      "X-Forwarded-For: 1\r\nContent-Type: x\r\nExpires: x\r\nDigest: ok\r\nTransfer-Encoding: chunked\r\n"
      "WWW-Authenticate: x\r\n\r\n");
  EXPECT_EQ(text.substr(text.find("end\n")), "end\n  Digest = ok #0\n");
}

TEST(HttpCodec, BoundsTrailers) {
  HttpLimits limits;
  limits.trailer_bytes = 8;
  constexpr std::string_view kHead = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
  auto last_line = [&](std::string_view trailers) {
    std::string text = transcript(std::string(kHead) + std::string(trailers), {}, limits);
    return text.substr(text.rfind('\n', text.size() - 2) + 1);
  };
  EXPECT_EQ(last_line("A: b\r\n\r\n"), "  A = b #0\n");
  EXPECT_EQ(last_line("A: bc\r\n\r\n"), "error 431 29\n");
  limits = {};
  limits.fields = 2;
  EXPECT_EQ(last_line("A: b\r\nC: d\r\n\r\n"), "  C = d #0\n");
  EXPECT_EQ(last_line("A: b\r\nC: d\r\nE: f\r\n\r\n"), "error 431 30\n");
}

TEST(HttpCodec, AServerLivesAsLongAsItsConnections) {
  HttpTranscript codec;
  codec.codec().drop_server(codec.server());
  EXPECT_EQ(codec.codec().server(codec.server()), nullptr);
  codec.feed(kGet);
  EXPECT_EQ(codec.heads(), 1u);
}

TEST(HttpCodec, FreesWhatConnectionsHeld) {
  HttpTranscript codec;
  for (int round = 0; round < 1000; round++) {
    uint32_t server = codec.codec().add_server({});
    uint32_t handle = codec.codec().attach(server);
    ASSERT_NE(handle, 0u);
    std::string_view part = kGet.substr(0, 1 + round % (kGet.size() - 1));
    codec.codec().parse(codec.codec().connection(handle),
                        {reinterpret_cast<const uint8_t*>(part.data()), 0, static_cast<uint32_t>(part.size())}, 1, {});
    if (round % 2 == 0) codec.codec().drop_server(server);
    codec.codec().detach(handle);
    EXPECT_EQ(codec.codec().connection(handle), nullptr);
    if (round % 2 == 1) codec.codec().drop_server(server);
  }
  EXPECT_EQ(codec.codec().connections(), 1u);
}

}  // namespace
}  // namespace millrace

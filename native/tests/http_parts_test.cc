// The small parts of the codec, each by itself: field names, authorities, dates, chunk framing.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <ctime>
#include <random>
#include <string>
#include <string_view>

#include "core/http/authority.h"
#include "core/http/chunks.h"
#include "core/http/date.h"
#include "core/http/field_names.h"

namespace millrace {
namespace {

const uint8_t* bytes_of(std::string_view text) { return reinterpret_cast<const uint8_t*>(text.data()); }

HttpFieldName number_of(std::string_view name) { return field_name_of(bytes_of(name), name.size()); }

TEST(HttpFieldNames, AreKnownInAnyCase) {
  for (size_t i = 1; i < kFieldNames.size(); i++) {
    std::string name(kFieldNames[i]);
    EXPECT_EQ(number_of(name), static_cast<HttpFieldName>(i)) << name;
    for (char& c : name) c = static_cast<char>(std::toupper(c));
    EXPECT_EQ(number_of(name), static_cast<HttpFieldName>(i)) << name;
  }
}

TEST(HttpFieldNames, AreKnownOnlyAsAWhole) {
  constexpr std::string_view kTokens = "!#$%&'*+-.^_`|~0123456789abcxyzABCXYZ";
  for (size_t i = 1; i < kFieldNames.size(); i++) {
    std::string name(kFieldNames[i]);
    for (size_t at = 0; at < name.size(); at++) {
      for (char c : kTokens) {
        std::string changed = name;
        changed[at] = c;
        bool same = std::tolower(c) == name[at];
        bool another = std::find(kFieldNames.begin(), kFieldNames.end(), changed) != kFieldNames.end();
        if (!another) {
          ASSERT_EQ(number_of(changed) == static_cast<HttpFieldName>(i), same) << changed;
        }
      }
      if (at > 0) {
        EXPECT_NE(number_of(name.substr(0, at)), static_cast<HttpFieldName>(i)) << name.substr(0, at);
      }
    }
    EXPECT_NE(number_of(name + "s"), static_cast<HttpFieldName>(i));
  }
}

bool valid(std::string_view text) { return parse_authority(bytes_of(text), text.size()).valid; }

TEST(HttpAuthority, TakesWhatTheGrammarHas) {
  for (std::string_view good : {"",
                                "a",
                                "example.com",
                                "a:80",
                                "a:",
                                ":80",
                                "a:65535",
                                "127.0.0.1:1",
                                "xn--e1afmkfd",
                                "under_score",
                                "a%41b",
                                "!$&'()*+,;=~",
                                "[::]",
                                "[::1]:80",
                                "[1:2:3:4:5:6:7:8]",
                                "[1::8]",
                                "[::ffff:1.2.3.4]",
                                "[1:2:3:4:5:6:1.2.3.4]",
                                "[1:2:3:4:5:6:7::]",
                                "[::2:3:4:5:6:7:8]",
                                "[v1.a:b]",
                                "[VF.x]"}) {
    EXPECT_TRUE(valid(good)) << good;
  }
}

TEST(HttpAuthority, RefusesAnythingElse) {
  for (std::string_view bad : {"a b",
                               "a/b",
                               "a?b",
                               "a#b",
                               "user@a",
                               "a:b",
                               "a:80:80",
                               "a:65536",
                               "a:99999999999",
                               "a:-1",
                               "a:+1",
                               "a: 80",
                               "a%",
                               "a%4",
                               "a%4g",
                               "a\\b",
                               "a\"",
                               "<a>",
                               "\xc3\xa4",
                               "a\t",
                               "[::1",
                               "::1",
                               "[]",
                               "[:]",
                               "[:::]",
                               "[1:2:3]",
                               "[1:2:3:4:5:6:7:8:9]",
                               "[1::2::3]",
                               "[12345::]",
                               "[::g]",
                               "[1:2:3:4:5:6:7:8::]",
                               "[::1:2:3:4:5:6:7:8]",
                               "[:1:2:3:4:5:6:7:8]",
                               "[1:2:3:4:5:6:7:]",
                               "[::1]a",
                               "[::1]80",
                               "[::256.1.1.1]",
                               "[::1.2.3]",
                               "[::1.2.3.4.5]",
                               "[::01.2.3.4]",
                               "[1:2:3:4:5:6:7:1.2.3.4]",
                               "[1:2:3:4:5:1.2.3.4]",
                               "[::1.2.3.4:1]",
                               "[fe80::1%25eth0]",
                               "[v.a]",
                               "[v1.]",
                               "[v1a]",
                               "[v1.a/]"}) {
    EXPECT_FALSE(valid(bad)) << bad;
  }
}

TEST(HttpAuthority, TellsTheHostFromThePort) {
  auto host_of = [](std::string_view text) {
    return text.substr(0, parse_authority(bytes_of(text), text.size()).host_length);
  };
  EXPECT_EQ(host_of("a:80"), "a");
  EXPECT_EQ(host_of("a"), "a");
  EXPECT_EQ(host_of("[::1]:80"), "[::1]");
  EXPECT_FALSE(parse_authority(bytes_of("a:"), 2).has_port);
  EXPECT_TRUE(parse_authority(bytes_of("a:1"), 3).has_port);
}

TEST(HttpDate, IsThatOfTheCLibrary) {
  std::mt19937_64 random(1);
  HttpDate date;
  auto check = [&](int64_t seconds) {
    auto time = static_cast<time_t>(seconds);
    tm parts = {};
    gmtime_r(&time, &parts);
    char expected[64];
    ASSERT_EQ(strftime(expected, sizeof expected, "%a, %d %b %Y %H:%M:%S GMT", &parts), kHttpDateBytes);
    ASSERT_STREQ(date.at(seconds), expected) << seconds;
  };
  EXPECT_STREQ(date.at(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  for (int64_t days = 0; days < 200 * 366; days++) check(days * 86400 + 86399);
  for (int i = 0; i < 20000; i++) check(static_cast<int64_t>(random() % 253402300800));
  EXPECT_STREQ(date.at(-1), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_STREQ(date.at(INT64_MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
}

TEST(HttpDate, ReadsAClockThatRuns) { EXPECT_GT(wall_clock_seconds(), 1'700'000'000); }

struct Chunk {
  ChunkStep step;
  uint64_t size;
  size_t taken;
  HttpReason reason;
};

Chunk read_chunk(std::string_view text, uint32_t extension_bytes_max = 100) {
  ChunkReader reader;
  Chunk chunk = {};
  chunk.step = reader.read(bytes_of(text), text.size(), extension_bytes_max, &chunk.taken);
  chunk.size = reader.size();
  chunk.reason = reader.reason();
  return chunk;
}

TEST(HttpChunks, TakeAnySizeThatIsANumber) {
  for (auto [text, size] : {std::pair<std::string_view, uint64_t>{"1\r\n", 1},
                            {"aF\r\n", 0xaf},
                            {"0000000000000010\r\n", 16},
                            {"1fffffffffffff\r\n", (uint64_t{1} << 53) - 1}}) {
    Chunk chunk = read_chunk(text);
    EXPECT_EQ(chunk.step, ChunkStep::Data) << text;
    EXPECT_EQ(chunk.size, size) << text;
    EXPECT_EQ(chunk.taken, text.size()) << text;
  }
  EXPECT_EQ(read_chunk("0\r\n").step, ChunkStep::Last);
  EXPECT_EQ(read_chunk("000\r\nx").taken, 5u);
}

TEST(HttpChunks, RefuseWhatIsNoSize) {
  for (std::string_view bad : {"\r\n", "x", " 1", "+1", "-1", "0x1", "1g", "1,", "00000000000000001", "20000000000000",
                               "ffffffffffffffff", "1\n", "\n", ";a"}) {
    EXPECT_EQ(read_chunk(bad).step, ChunkStep::Error) << bad;
  }
  EXPECT_EQ(read_chunk("1\n").reason, HttpReason::BareLf);
  EXPECT_EQ(read_chunk("1\rx").reason, HttpReason::BareCr);
  EXPECT_EQ(read_chunk("1\r\r\n").reason, HttpReason::BareCr);
}

TEST(HttpChunks, TakeExtensionsByTheirGrammar) {
  for (std::string_view good : {"1;a\r\n", "1 ; a\r\n", "1\t;\ta = b\r\n", "1;a=b;c\r\n", "1;a=\"x y\\\"\t\xff\"\r\n",
                                "1;a=\"\" ;b\r\n", "1;a;b=c\r\n", "1;a ;b\r\n"}) {
    EXPECT_EQ(read_chunk(good).step, ChunkStep::Data) << good;
  }
  for (std::string_view bad :
       {"1;\r", "1 \r", "1;a \r", "1;a=\r", "1;a=b \r", "1;;", "1;=", "1;a=\"\r", "1;a=\"\n", "1;a=\"\\\r", "1;a\n",
        "1;a\x01", "1;a b", "1;a=b c", "1;a=\"b\"c", "1;\x80", "1;a=\"\x7f", "1;a\"", "1 2"}) {
    Chunk chunk = read_chunk(bad);
    EXPECT_EQ(chunk.step, ChunkStep::Error) << bad;
    EXPECT_EQ(chunk.reason, HttpReason::BadChunkExtension) << bad;
    EXPECT_EQ(chunk.taken, bad.size() - 1) << bad;
  }
}

TEST(HttpChunks, BoundTheExtensionsOfAllOfABody) {
  std::string_view text = "1;a=b\r\n";
  ChunkReader reader;
  size_t taken;
  auto next = [&] {
    ChunkStep step = reader.read(bytes_of(text), text.size(), 12, &taken);
    if (step == ChunkStep::Data) reader.read(bytes_of("\r\n"), 2, 12, &taken);
    return step;
  };
  for (int i = 0; i < 3; i++) EXPECT_EQ(next(), ChunkStep::Data);
  EXPECT_EQ(next(), ChunkStep::Error);
  EXPECT_EQ(reader.reason(), HttpReason::ChunkExtensionsTooLarge);
}

TEST(HttpChunks, EndWhereTheirSizePutsTheEnd) {
  for (std::string_view bad : {"x", "\n", "\r\r", "\rx"}) {
    ChunkReader reader;
    size_t taken;
    ASSERT_EQ(reader.read(bytes_of("1\r\n"), 3, 0, &taken), ChunkStep::Data);
    EXPECT_EQ(reader.read(bytes_of(bad), bad.size(), 0, &taken), ChunkStep::Error) << bad;
    EXPECT_EQ(reader.reason(), HttpReason::BadChunkEnd) << bad;
  }
}

}  // namespace
}  // namespace millrace

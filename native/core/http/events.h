// What the HTTP codec and JavaScript say to each other, declared once. lib/internal/http-layout.ts is generated from this
// file (scripts/generate-layout), and a test fails when the two differ.
//
// A call goes through one table of 32-bit words that both sides see. JavaScript writes what it asks for into the first
// words, C++ answers in those after them, and then come the events, one after the other.
#ifndef MILLRACE_CORE_HTTP_EVENTS_H_
#define MILLRACE_CORE_HTTP_EVENTS_H_

#include <cstdint>

namespace millrace {

inline constexpr uint32_t kHttpTableWords = 16 * 1024;
inline constexpr uint32_t kHttpScratchBytes = 64 * 1024;
inline constexpr uint32_t kHttpConnectionsMax = 1u << 18;
inline constexpr uint32_t kHttpServersMax = 4096;

// The largest limits that a server may have. Offsets within a head are 16 bits; the table holds a head with all its fields.
inline constexpr uint32_t kHttpHeadBytesMax = 65000;
inline constexpr uint32_t kHttpFieldsMax = 4096;
// Beyond the limit of a head: the empty line before it, and the CRLF of a request line that is as long as the head may be.
inline constexpr uint32_t kHttpAroundHeadBytes = 4;
inline constexpr uint32_t kHttpChunkExtensionBytesMax = 1u << 30;

// Words of the table's header.
enum class HttpWord : uint32_t {
  // JavaScript writes
  Connection = 0,
  Offset = 1,       // of the bytes in the input
  Length = 2,       // bytes
  RequestsMax = 3,  // Head events at most; the codec stops before the next head
  OutOffset = 4,    // where static replies may be written in the output
  OutRoom = 5,      // bytes; 0: none, a Head event is given instead
  Arenas = 6,  // kHttpInputIsArena, kHttpOutputIsArena: the memory of this thread's sockets, known without being told
  // C++ writes
  Consumed = 8,        // bytes of the input that were taken
  Written = 9,         // bytes of static replies
  StaticReplies = 10,  // requests that were answered so
  StaticBytesIn = 11,  // bytes of their heads
  Stop = 12,           // HttpStop
  HeadBegun = 13,      // 1: part of a head has come, and is kept
  StaticKind = 14,  // of all static replies of a call: the method in bits 0..7, the first digit of the status in 8..15
  Events = 16,      // the first event begins here
};

inline constexpr uint32_t kHttpInputIsArena = 1;   // the receive arena
inline constexpr uint32_t kHttpOutputIsArena = 2;  // the send arena

// Why the codec stopped.
enum class HttpStop : uint32_t {
  End = 0,       // all was taken
  Requests = 1,  // RequestsMax
  Upgrade = 2,   // the last event is a Head that asks for another protocol; calling again goes on with HTTP
  Error = 3,     // the last event is an Error
  Table = 4,     // the table is full: call again
  // The next static reply does not fit into what is left of the output, or is of another kind: call again.
  Room = 5,
};

enum class HttpEvent : uint32_t { Head = 1, Body = 2, End = 3, Error = 4 };

// A head. Offsets of 16 bits are relative to the head, whose first byte is the method's first.
enum class HttpHead : uint32_t {
  Kind = 0,              // HttpEvent in bits 0..7, HttpMethod in bits 8..15, flags in bits 16..31
  Offset = 1,            // of the head: in the input, or in scratch with kHttpInScratch
  Length = 2,            // bytes, with the empty line that ends it
  Target = 3,            // offset in bits 0..15, length in bits 16..31
  Path = 4,              // the same; length 0 means "/" in absolute-form, and none in authority-form
  Authority = 5,         // the same; of the target or else of Host. Length 0: none
  Fields = 6,            // how many in bits 0..15, static route + 1 in bits 16..31 (0: none)
  Method = 7,            // its length in bits 0..15, index of the Host field + 1 in bits 16..31 (0: none)
  ContentLengthLow = 8,  // with kHttpHasLength
  ContentLengthHigh = 9,
  // What a path was found as among those that came lately, which tells it for ever: its slot in bits 0..9, and the number of
  // times that a path was remembered, whose lower 32 bits are in the next word. Both 0: it was not looked for.
  PathSlot = 10,
  PathCount = 11,
  Words = 12,  // the fields follow, HttpField::Words words each
};

inline constexpr uint32_t kHttpPathSlots = 1024;

enum class HttpField : uint32_t {
  Name = 0,   // offset in bits 0..15, length in bits 16..31
  Value = 1,  // the same, without the white space around it
  Known = 2,  // HttpFieldName
  Words = 3,
};

enum class HttpBody : uint32_t { Kind = 0, Offset = 1, Length = 2, Words = 3 };  // offset in the input

// The end of a request; follows every Head, at once where there is no body. The trailer fields are relative to Offset.
enum class HttpEnd : uint32_t {
  Kind = 0,    // HttpEvent, and kHttpInScratch
  Offset = 1,  // of the trailers: in the input, or in scratch
  Length = 2,
  Fields = 3,
  Words = 4,
};

// The last event of a connection. The codec refuses whatever follows.
enum class HttpError : uint32_t {
  Kind = 0,  // HttpEvent in bits 0..7, status in bits 16..31
  Reason = 1,
  Words = 2,
};

// Flags of a head.
inline constexpr uint32_t kHttpInScratch = 1u << 16;
inline constexpr uint32_t kHttpHttp10 = 1u << 17;
inline constexpr uint32_t kHttpKeepAlive = 1u << 18;       // the request does not forbid that the connection is kept
inline constexpr uint32_t kHttpHasLength = 1u << 19;       // Content-Length
inline constexpr uint32_t kHttpChunked = 1u << 20;         // Transfer-Encoding: chunked
inline constexpr uint32_t kHttpExpectContinue = 1u << 21;  // Expect: 100-continue
inline constexpr uint32_t kHttpExpectOther = 1u << 22;     // another expectation: 417
inline constexpr uint32_t kHttpUpgrade = 1u << 23;         // Upgrade, and Connection: upgrade
inline constexpr uint32_t kHttpAbsoluteForm = 1u << 24;
inline constexpr uint32_t kHttpAsteriskForm = 1u << 25;
inline constexpr uint32_t kHttpAuthorityForm = 1u << 26;
inline constexpr uint32_t kHttpPercentInPath = 1u << 27;
inline constexpr uint32_t kHttpHasQuery = 1u << 28;
inline constexpr uint32_t kHttpHasBody = 1u << 29;    // bytes follow: chunked, or a length that is not 0
inline constexpr uint32_t kHttpDotInPath = 1u << 30;  // a segment begins with a dot: the path may need to be normalised

// Methods that have a number; the text of every method stands at the begin of its head.
enum class HttpMethod : uint8_t {
  Other = 0,
  Get = 1,
  Head = 2,
  Post = 3,
  Put = 4,
  Delete = 5,
  Connect = 6,
  Options = 7,
  Trace = 8,
  Patch = 9,
};

// Fields that are recognised, in any case. The names are those of the members, a dash before each capital letter.
enum class HttpFieldName : uint8_t {
  Other = 0,
  Host = 1,
  ContentLength = 2,
  ContentType = 3,
  TransferEncoding = 4,
  Connection = 5,
  Accept = 6,
  AcceptEncoding = 7,
  AcceptLanguage = 8,
  UserAgent = 9,
  Cookie = 10,
  Authorization = 11,
  CacheControl = 12,
  IfNoneMatch = 13,
  IfModifiedSince = 14,
  IfMatch = 15,
  IfUnmodifiedSince = 16,
  IfRange = 17,
  Range = 18,
  Origin = 19,
  Referer = 20,
  Expect = 21,
  Upgrade = 22,
  Te = 23,
  Trailer = 24,
  XForwardedFor = 25,
  XForwardedProto = 26,
  XForwardedHost = 27,
  Forwarded = 28,
  SecWebsocketKey = 29,
  SecWebsocketVersion = 30,
  SecWebsocketProtocol = 31,
  SecWebsocketExtensions = 32,
  Date = 33,
  Via = 34,
  AcceptCharset = 35,
  ContentEncoding = 36,
  ContentLanguage = 37,
  Dnt = 38,
  Pragma = 39,
  UpgradeInsecureRequests = 40,
  KeepAlive = 41,
  ContentRange = 42,
  ContentDisposition = 43,
  ProxyAuthorization = 44,
  MaxForwards = 45,
  SetCookie = 46,
};

// Why a request was refused. A number keeps its meaning; status_of (reasons.h) tells the status.
enum class HttpReason : uint8_t {
  None = 0,
  BadMethod = 1,            // a byte that no method has
  BadTarget = 2,            // a byte that no target has, or not a form that its method may have
  BadVersion = 3,           // not "HTTP/" digit "." digit
  VersionNotSupported = 4,  // not HTTP/1
  RequestLineTooLong = 5,
  BareCr = 6,        // CR without LF
  BareLf = 7,        // LF without CR
  BadFieldName = 8,  // a byte that no field name has, or no name
  SpaceBeforeColon = 9,
  FoldedLine = 10,     // a line that begins with white space
  BadFieldValue = 11,  // a control character
  HeadTooLarge = 12,
  TooManyFields = 13,
  MissingHost = 14,
  SeveralHosts = 15,
  BadHost = 16,
  BadAuthority = 17,      // of an absolute-form or authority-form target
  BadContentLength = 18,  // not digits, or not below 2^53
  SeveralContentLengths = 19,
  BadTransferEncoding = 20,  // not a list of codings that ends with one "chunked"
  UnknownTransferCoding = 21,
  LengthWithTransferEncoding = 22,
  TransferEncodingInHttp10 = 23,
  ConnectWithBody = 24,
  BadChunkSize = 25,
  BadChunkExtension = 26,
  ChunkExtensionsTooLarge = 27,
  BadChunkEnd = 28,  // no CRLF where the size of the chunk puts it
  TrailersTooLarge = 29,
  TooManyTrailers = 30,
  OutOfMemory = 31,
  MethodTooLong = 32,
};

// The flat form of a static table (static_table.h): for each route a StaticRouteWord::Words header, then its replies.
inline constexpr uint32_t kStaticNone = 0xffffffffu;
inline constexpr uint32_t kStaticAnyMethod = 255;
inline constexpr uint32_t kHttpDateBytes = 29;

enum class StaticRouteWord : uint32_t {
  HostOffset = 0,  // kStaticNone: any host
  HostLength = 1,
  PathOffset = 2,
  PathLength = 3,
  Replies = 4,  // how many follow
  Words = 5,
};

enum class StaticReplyWord : uint32_t {
  Method = 0,  // HttpMethod, or kStaticAnyMethod
  Offset = 1,
  Length = 2,
  DateOffset = 3,  // in the reply, of kHttpDateBytes bytes; kStaticNone: it has no date
  Words = 4,
};

static_assert(kHttpHeadBytesMax + kHttpAroundHeadBytes <= kHttpScratchBytes && kHttpHeadBytesMax <= 0xffff);
static_assert(static_cast<uint32_t>(HttpWord::Events) + static_cast<uint32_t>(HttpHead::Words) +
                  kHttpFieldsMax * static_cast<uint32_t>(HttpField::Words) + static_cast<uint32_t>(HttpEnd::Words) <=
              kHttpTableWords);

}  // namespace millrace

#endif  // MILLRACE_CORE_HTTP_EVENTS_H_

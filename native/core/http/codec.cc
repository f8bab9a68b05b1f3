#include "core/http/codec.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

#include "core/http/reasons.h"
#include "core/http/trailers.h"

namespace millrace {

namespace {

constexpr uint32_t kHeadWords = static_cast<uint32_t>(HttpHead::Words);
constexpr uint32_t kFieldWords = static_cast<uint32_t>(HttpField::Words);
constexpr uint32_t kBodyWords = static_cast<uint32_t>(HttpBody::Words);
constexpr uint32_t kEndWords = static_cast<uint32_t>(HttpEnd::Words);
constexpr uint32_t kErrorWords = static_cast<uint32_t>(HttpError::Words);
// Kept free for what may follow an event in the same step.
constexpr uint32_t kReservedWords = kEndWords + kErrorWords;

uint32_t span_word(HttpSpan span) { return span.offset | span.length << 16; }

}  // namespace

bool HttpPending::append(const uint8_t* bytes, size_t length) {
  constexpr size_t kFirstBytes = 256;
  if (length > capacity_ - length_) {
    size_t capacity = std::max({kFirstBytes, capacity_ * 2, length_ + length});
    std::unique_ptr<uint8_t[]> larger(new (std::nothrow) uint8_t[capacity]);
    if (!larger) return false;
    if (length_ > 0) std::memcpy(larger.get(), bytes_.get(), length_);
    bytes_ = std::move(larger);
    capacity_ = capacity;
  }
  std::memcpy(bytes_.get() + length_, bytes, length);
  length_ += length;
  return true;
}

void HttpPending::clear() {
  bytes_.reset();
  length_ = capacity_ = 0;
  begin = last_line = 0;
  fields = 0;
}

HttpCodec::HttpCodec(uint32_t* table, uint8_t* scratch, const Scanner& scanner, Clock clock)
    : table_(table), scratch_(scratch), scanner_(scanner), clock_(clock) {}

uint32_t HttpCodec::add_server(const HttpLimits& limits) {
  uint32_t handle;
  HttpServer* server = servers_.allocate(&handle);
  if (server == nullptr) return 0;
  server->limits = limits;
  return handle;
}

HttpServer* HttpCodec::server(uint32_t handle) {
  HttpServer* server = servers_.lookup(handle);
  return server == nullptr || server->dropped ? nullptr : server;
}

void HttpCodec::drop_server(uint32_t handle) {
  HttpServer* server = servers_.lookup(handle);
  if (server == nullptr) return;
  server->dropped = true;
  server->statics.reset();
  if (server->connections == 0) servers_.release(handle);
}

uint32_t HttpCodec::attach(uint32_t server) {
  uint32_t handle;
  HttpConnection* connection = connections_.allocate(&handle);
  if (connection == nullptr) return 0;
  connection->server = server;
  servers_.lookup(server)->connections++;
  return handle;
}

void HttpCodec::detach(uint32_t handle) {
  HttpConnection* connection = connections_.lookup(handle);
  if (connection == nullptr) return;
  uint32_t server_handle = connection->server;
  connections_.release(handle);
  HttpServer* server = servers_.lookup(server_handle);
  server->connections--;
  if (server->dropped && server->connections == 0) servers_.release(server_handle);
}

// One call of parse. Each step returns false when the call is over.
class HttpCodec::Call {
 public:
  Call(HttpCodec* codec, HttpConnection* connection, const HttpServer* server, HttpInput input, uint32_t requests_max,
       HttpOutput output)
      : codec_(codec),
        connection_(connection),
        limits_(server->limits),
        statics_(server->statics.get()),
        input_(input.bytes + input.offset),
        base_(input.offset),
        length_(input.length),
        requests_left_(requests_max),
        output_(output),
        scan_(codec->scanner_, input_, input.length) {}

  uint32_t run() {
    while (step()) {
    }
    word(HttpWord::Consumed) = static_cast<uint32_t>(at_);
    word(HttpWord::Written) = written_;
    word(HttpWord::StaticReplies) = static_replies_;
    word(HttpWord::StaticBytesIn) = static_bytes_in_;
    word(HttpWord::StaticKind) = static_kind_;
    word(HttpWord::Stop) = static_cast<uint32_t>(stop_);
    word(HttpWord::HeadBegun) = connection_->phase == Phase::Head && connection_->pending.length() > 0 ? 1 : 0;
    return events_;
  }

 private:
  using Phase = HttpConnection::Phase;

  bool step() {
    switch (connection_->phase) {
      case Phase::Head:
        return read_head();
      case Phase::Length:
      case Phase::Data:
        return read_data();
      case Phase::Chunk:
        return read_chunk();
      case Phase::Trailers:
        return read_trailers();
      case Phase::Refused:
        return stop(HttpStop::Error);
    }
    return false;
  }

  uint32_t& word(HttpWord which) { return codec_->table_[static_cast<size_t>(which)]; }
  uint32_t words_left() const { return kHttpTableWords - cursor_; }
  uint32_t* event() { return codec_->table_ + cursor_; }
  void close_event(uint32_t words) {
    cursor_ += words;
    events_++;
  }

  bool stop(HttpStop reason) {
    stop_ = reason;
    return false;
  }

  bool refuse(HttpReason reason) {
    uint32_t* words = event();
    words[static_cast<size_t>(HttpError::Kind)] = static_cast<uint32_t>(HttpEvent::Error) | status_of(reason) << 16;
    words[static_cast<size_t>(HttpError::Reason)] = static_cast<uint32_t>(reason);
    close_event(kErrorWords);
    connection_->phase = Phase::Refused;
    connection_->pending.clear();
    return stop(HttpStop::Error);
  }

  // How much of the input is looked at together with what is pending, put together in scratch.
  size_t gather(size_t bytes_max) {
    const HttpPending& pending = connection_->pending;
    size_t more = std::min(length_ - at_, bytes_max - pending.length());
    std::memcpy(codec_->scratch_, pending.bytes(), pending.length());
    std::memcpy(codec_->scratch_ + pending.length(), input_ + at_, more);
    return more;
  }

  bool keep(size_t bytes) {
    if (!connection_->pending.append(input_ + at_, bytes)) return refuse(HttpReason::OutOfMemory);
    at_ += bytes;
    return stop(HttpStop::End);
  }

  bool read_head() {
    if (at_ == length_) return stop(HttpStop::End);
    if (requests_left_ == 0) return stop(HttpStop::Requests);
    if (words_left() < kHeadWords + kReservedWords) return stop(HttpStop::Table);
    uint32_t room = (words_left() - kHeadWords - kReservedWords) / kFieldWords;
    HttpPending& pending = connection_->pending;
    HttpHeadFound found;
    if (pending.length() == 0) {
      HttpStep step = parse_head(scan_, at_, limits_, event() + kHeadWords, room, &found);
      if (step == HttpStep::Error) return refuse(found.reason);
      if (step == HttpStep::Incomplete) {
        remember(found, at_);
        return keep(length_ - at_);
      }
      return take_head(input_, found, at_, 0, room);
    }

    size_t before = pending.length();
    size_t more = gather(limits_.head_bytes + kHttpAroundHeadBytes);
    Scan scan(codec_->scanner_, codec_->scratch_, before + more);
    bool line_ended = std::memchr(input_ + at_, '\n', more) != nullptr;
    HttpStep step;
    if (line_ended || pending.last_line == 0) {
      step = parse_head(scan, 0, limits_, event() + kHeadWords, room, &found);
      if (step == HttpStep::Incomplete) remember(found, 0);
    } else {
      step = continue_head(scan, pending.begin, pending.last_line, pending.fields, limits_, &found.reason);
    }
    if (step == HttpStep::Error) return refuse(found.reason);
    if (step == HttpStep::Incomplete) return keep(more);
    return take_head(codec_->scratch_, found, 0, before, room);
  }

  void remember(const HttpHeadFound& found, size_t from) {
    HttpPending& pending = connection_->pending;
    pending.begin = found.begin - from;
    pending.last_line = found.last_line == 0 ? 0 : found.last_line - from;
    pending.fields = found.fields;
  }

  // `bytes`: where the head lies; `before` bytes of it had come with earlier calls.
  bool take_head(const uint8_t* bytes, const HttpHeadFound& found, size_t from, size_t before, uint32_t room) {
    if (found.fields > room) return stop(HttpStop::Table);
    bool in_scratch = bytes == codec_->scratch_;
    size_t end = in_scratch ? at_ + found.end - before : found.end;
    uint32_t route = StaticTable::kNoRoute;
    if (statics_ != nullptr) {
      const char* head = reinterpret_cast<const char*>(bytes + found.begin);
      std::string_view path(head + found.line.path.offset, found.line.path.length);
      // Of an absolute-form: an empty path is "/", RFC 9110 4.2.3.
      route = statics_->find(path.empty() ? "/" : path, {head + found.authority.offset, found.authority.length});
      StaticReply reply;
      if (route != StaticTable::kNoRoute && answers_here(found) && statics_->reply(route, found.line.method, &reply)) {
        uint32_t kind = static_cast<uint32_t>(found.line.method) | reply.status << 8;
        if (static_replies_ == 0) static_kind_ = kind;
        if (reply.length <= output_.room - written_ && kind == static_kind_) {
          write_static(reply, static_cast<uint32_t>(found.end - from));
          at_ = end;
          connection_->pending.clear();
          return true;
        }
        if (static_replies_ > 0) return stop(HttpStop::Room);
      }
    }
    tell_head(bytes, found, in_scratch, route);
    at_ = end;
    connection_->pending.clear();
    requests_left_--;
    bool has_body = (found.flags & kHttpHasBody) != 0;
    if ((found.flags & kHttpChunked) != 0) {
      connection_->chunks = ChunkReader();
      connection_->phase = Phase::Chunk;
    } else if (has_body) {
      connection_->remaining = found.content_length;
      connection_->phase = Phase::Length;
    } else {
      tell_end(0, 0, 0, 0);
    }
    if ((found.flags & kHttpUpgrade) != 0 || found.line.method == HttpMethod::Connect) return stop(HttpStop::Upgrade);
    return true;
  }

  // The reply follows those of all requests before it, and says nothing of the connection.
  bool answers_here(const HttpHeadFound& found) const {
    constexpr uint32_t kExceptions = kHttpHttp10 | kHttpHasBody | kHttpUpgrade | kHttpExpectOther | kHttpAuthorityForm;
    return events_ == 0 && output_.room > 0 && (found.flags & (kHttpKeepAlive | kExceptions)) == kHttpKeepAlive;
  }

  void write_static(const StaticReply& reply, uint32_t bytes_in) {
    uint8_t* to = output_.bytes + written_;
    std::memcpy(to, reply.bytes, reply.length);
    if (reply.date != kStaticNone) {
      if (static_replies_ == 0) date_ = codec_->date_.at(codec_->clock_());
      std::memcpy(to + reply.date, date_, kHttpDateBytes);
    }
    written_ += reply.length;
    static_replies_++;
    static_bytes_in_ += bytes_in;
  }

  void tell_head(const uint8_t* bytes, const HttpHeadFound& found, bool in_scratch, uint32_t route) {
    const RequestLine& line = found.line;
    uint32_t* words = event();
    auto put = [&](HttpHead which, uint32_t value) { words[static_cast<size_t>(which)] = value; };
    put(HttpHead::Kind, static_cast<uint32_t>(HttpEvent::Head) | static_cast<uint32_t>(line.method) << 8 | found.flags |
                            (in_scratch ? kHttpInScratch : 0));
    put(HttpHead::Offset, static_cast<uint32_t>(found.begin) + (in_scratch ? 0 : base_));
    put(HttpHead::Length, static_cast<uint32_t>(found.end - found.begin));
    put(HttpHead::Target, span_word(line.target));
    put(HttpHead::Path, span_word(line.path));
    put(HttpHead::Authority, span_word(found.authority));
    put(HttpHead::Fields, found.fields | (route + 1) << 16);
    put(HttpHead::Method, line.method_length | found.host_field << 16);
    put(HttpHead::ContentLengthLow, static_cast<uint32_t>(found.content_length));
    put(HttpHead::ContentLengthHigh, static_cast<uint32_t>(found.content_length >> 32));
    RecentPaths::Place place = codec_->paths_.find(bytes + found.begin + line.path.offset, line.path.length);
    put(HttpHead::PathSlot, place.slot_word);
    put(HttpHead::PathCount, place.count_word);
    close_event(kHeadWords + found.fields * kFieldWords);
  }

  void tell_end(uint32_t flags, uint32_t offset, uint32_t length, uint32_t fields) {
    uint32_t* words = event();
    words[static_cast<size_t>(HttpEnd::Kind)] = static_cast<uint32_t>(HttpEvent::End) | flags;
    words[static_cast<size_t>(HttpEnd::Offset)] = offset;
    words[static_cast<size_t>(HttpEnd::Length)] = length;
    words[static_cast<size_t>(HttpEnd::Fields)] = fields;
    close_event(kEndWords + fields * kFieldWords);
    connection_->phase = Phase::Head;
    connection_->skips_body = false;
  }

  bool read_data() {
    if (at_ == length_) return stop(HttpStop::End);
    if (words_left() < kBodyWords + kReservedWords) return stop(HttpStop::Table);
    auto length = static_cast<size_t>(std::min<uint64_t>(connection_->remaining, length_ - at_));
    if (!connection_->skips_body) {
      uint32_t* words = event();
      words[static_cast<size_t>(HttpBody::Kind)] = static_cast<uint32_t>(HttpEvent::Body);
      words[static_cast<size_t>(HttpBody::Offset)] = base_ + static_cast<uint32_t>(at_);
      words[static_cast<size_t>(HttpBody::Length)] = static_cast<uint32_t>(length);
      close_event(kBodyWords);
    }
    at_ += length;
    connection_->remaining -= length;
    if (connection_->remaining > 0) return true;
    if (connection_->phase == Phase::Data) {
      connection_->phase = Phase::Chunk;
    } else {
      tell_end(0, 0, 0, 0);
    }
    return true;
  }

  bool read_chunk() {
    if (at_ == length_) return stop(HttpStop::End);
    if (words_left() < kErrorWords) return stop(HttpStop::Table);
    ChunkReader& chunks = connection_->chunks;
    size_t taken;
    ChunkStep step = chunks.read(input_ + at_, length_ - at_, limits_.chunk_extension_bytes, &taken);
    at_ += taken;
    switch (step) {
      case ChunkStep::Incomplete:
        return stop(HttpStop::End);
      case ChunkStep::Error:
        return refuse(chunks.reason());
      case ChunkStep::Data:
        connection_->remaining = chunks.size();
        connection_->phase = Phase::Data;
        return true;
      case ChunkStep::Last:
        connection_->phase = Phase::Trailers;
        return true;
    }
    return false;
  }

  bool read_trailers() {
    if (at_ == length_) return stop(HttpStop::End);
    if (words_left() < kReservedWords) return stop(HttpStop::Table);
    uint32_t room = (words_left() - kReservedWords) / kFieldWords;
    HttpPending& pending = connection_->pending;
    HttpTrailersFound found;
    bool in_scratch = pending.length() > 0;
    size_t before = pending.length();
    size_t more = length_ - at_;
    HttpStep step;
    if (in_scratch) {
      more = gather(limits_.trailer_bytes);
      Scan scan(codec_->scanner_, codec_->scratch_, before + more);
      step = parse_trailers(scan, 0, limits_, event() + kEndWords, room, &found);
    } else {
      step = parse_trailers(scan_, at_, limits_, event() + kEndWords, room, &found);
    }
    if (step == HttpStep::Error) return refuse(found.reason);
    if (step == HttpStep::Incomplete) return keep(more);
    if (found.fields > room) return stop(HttpStop::Table);

    size_t begin = in_scratch ? 0 : at_;
    uint32_t offset = in_scratch ? 0 : base_ + static_cast<uint32_t>(at_);
    at_ = in_scratch ? at_ + found.end - before : found.end;
    uint32_t length = static_cast<uint32_t>(found.end - begin);
    uint32_t fields = connection_->skips_body ? 0 : found.fields;
    pending.clear();
    tell_end(in_scratch ? kHttpInScratch : 0, offset, length, fields);
    return true;
  }

  HttpCodec* codec_;
  HttpConnection* connection_;
  const HttpLimits& limits_;
  const StaticTable* statics_;
  const uint8_t* input_;
  uint32_t base_;
  size_t length_;
  uint32_t requests_left_;
  HttpOutput output_;
  Scan scan_;
  size_t at_ = 0;
  uint32_t cursor_ = static_cast<uint32_t>(HttpWord::Events);
  uint32_t events_ = 0;
  uint32_t written_ = 0;
  uint32_t static_replies_ = 0;
  uint32_t static_bytes_in_ = 0;
  uint32_t static_kind_ = 0;
  const char* date_ = nullptr;
  HttpStop stop_ = HttpStop::End;
};

uint32_t HttpCodec::parse(HttpConnection* connection, HttpInput input, uint32_t requests_max, HttpOutput output) {
  return Call(this, connection, servers_.lookup(connection->server), input, requests_max, output).run();
}

}  // namespace millrace

// One end of a TLS connection, between memory and memory: what the peer sent goes in, what the peer must be sent and what
// it said come out. It knows no socket; who calls it moves the bytes.
//
// - Every call is given where its results go. What does not fit there is held here: ciphertext until `take_spill`,
//   plaintext inside OpenSSL (kTlsMore: call receive again).
// - Input is always taken completely; what OpenSSL does not want yet is held for the next call.
// - While only a part of a message after the handshake has come (a ticket in several records), OpenSSL does not encrypt:
//   what is written then, and close_notify, are held here until `receive` has the rest (kTlsWaits).
// - After kTlsFailed or kTlsEnded nothing is decrypted any more.
#ifndef MILLRACE_TLS_SESSION_H_
#define MILLRACE_TLS_SESSION_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tls/openssl.h"

namespace millrace {

using Bytes = std::vector<uint8_t>;

struct TlsSettings {
  bool server = false;
  // Ask the peer for its certificate; a client always gets one.
  bool request_certificate = false;
  // End the handshake with an alert where the peer's certificate cannot be verified.
  bool reject_unauthorized = true;
  // Server: stop at the client's hello (kTlsWantsContext) until `select`.
  bool select_context = false;
  std::string servername;
  Bytes alpn;  // in the wire's format; a server's order of preference
  Bytes session;
};

enum TlsFlag : uint32_t {
  kTlsSecured = 1,       // the handshake ended in this call
  kTlsEnded = 2,         // the peer has sent close_notify
  kTlsFailed = 4,        // see `failure`; an alert may be among the output
  kTlsWantsContext = 8,  // call select, then receive
  kTlsNewSession = 16,   // take_session has one
  kTlsMore = 32,         // there was no more room for plaintext
  kTlsWaits = 64,        // what was written, or close_notify, waits for more input
};

struct TlsResult {
  uint32_t flags = 0;
  size_t plain = 0;
  size_t cipher = 0;
};

struct TlsFailure {
  std::string library;
  std::string reason;
  std::string message;
};

struct Span {
  uint8_t* data;
  size_t size;
};

class TlsSession {
 public:
  // nullptr when OpenSSL has no memory, or does not take a setting.
  static std::unique_ptr<TlsSession> create(const bio_method_st* method, SslContext* context, TlsSettings settings);
  // For every context before its first session.
  static void prepare(SslContext* context);
  // How sessions read and write; nullptr without memory.
  static bio_method_st* create_method();

  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  TlsResult receive(const uint8_t* bytes, size_t length, Span plain, Span cipher);
  TlsResult write(const uint8_t* bytes, size_t length, Span cipher);
  // Sends close_notify; what the peer sends can still be received.
  TlsResult shutdown(Span cipher);
  // After kTlsWantsContext; nullptr: the one that it was created with.
  void select(SslContext* context);

  Bytes take_spill() { return std::exchange(spill_, {}); }
  size_t spilled() const { return spill_.size(); }
  size_t waiting() const { return waiting_.size(); }
  Bytes take_session() { return std::exchange(new_session_, {}); }
  const TlsFailure& failure() const { return failure_; }
  // The peer's certificates in DER, its own first.
  std::vector<Bytes> peer_certificates() const;
  std::string servername() const;
  std::string alpn() const;
  bool has_peer_certificate() const;
  Ssl* ssl() const { return ssl_; }

 private:
  explicit TlsSession(TlsSettings settings);
  bool start(const bio_method_st* method, SslContext* context);
  void begin(Span cipher);
  void fail(TlsResult* result);
  void handshake(TlsResult* result);
  void read_all(TlsResult* result, Span plain);
  void send(TlsResult* result, const uint8_t* bytes, size_t length);
  void send_waiting(TlsResult* result);
  TlsResult finish(TlsResult result);

  static int on_write(Bio* bio, const char* bytes, int length);
  static int on_read(Bio* bio, char* bytes, int length);
  static long on_control(Bio* bio, int command, long number, void* pointer);
  static int on_certificate(Ssl* ssl, void* session);
  static int on_new_session(Ssl* ssl, SslSession* session);
  static int on_alpn(Ssl* ssl, const unsigned char** out, unsigned char* out_length, const unsigned char* in,
                     unsigned int in_length, void* argument);

  TlsSettings settings_;
  Ssl* ssl_ = nullptr;
  bool secured_ = false;
  bool ended_ = false;
  bool failed_ = false;

  // Valid during a call only.
  const uint8_t* in_ = nullptr;
  size_t in_left_ = 0;
  Span out_ = {nullptr, 0};
  size_t out_used_ = 0;

  Bytes held_;
  Bytes waiting_;  // plaintext that was written
  bool shutdown_waits_ = false;
  Bytes spill_;
  Bytes new_session_;
  TlsFailure failure_;
};

}  // namespace millrace

#endif  // MILLRACE_TLS_SESSION_H_

#include "tls/session.h"

#include <algorithm>
#include <climits>
#include <cstring>
#include <utility>

namespace millrace {

namespace {

constexpr size_t kErrorTextBytes = 256;

int accept_any(int, x509_store_ctx_st*) { return 1; }

// Ends the handshake at the first error. Where that is a certificate of which nobody knows the issuer, OpenSSL would have
// gone on to this other one, which is the one that Node tells.
int refuse_first(int ok, x509_store_ctx_st* store) {
  const OpenSsl& lib = openssl();
  if (ok == 0 && lib.X509_STORE_CTX_get_error(store) == kX509NoLocalIssuer &&
      lib.X509_STORE_CTX_get_error_depth(store) == 0) {
    lib.X509_STORE_CTX_set_error(store, kX509LeafNotVerified);
  }
  return ok;
}

int on_servername(Ssl*, int*, void*) { return kAlertOk; }

// A place of our own in each SSL: at index 0 ("app data") Node's TLSWrap has itself, and a callback of ours that is called
// for one of those must find nothing.
int session_index() {
  static const int index = openssl().CRYPTO_get_ex_new_index(kExIndexSsl, 0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

TlsSession* session_of(const Ssl* ssl) {
  return static_cast<TlsSession*>(openssl().SSL_get_ex_data(ssl, session_index()));
}

std::string text_or_empty(const char* text) { return text == nullptr ? std::string() : std::string(text); }

template <typename Object>
Bytes encoded(int (*encode)(const Object*, unsigned char**), const Object* object) {
  int length = encode(object, nullptr);
  if (length <= 0) return Bytes();
  Bytes bytes(static_cast<size_t>(length));
  unsigned char* at = bytes.data();
  encode(object, &at);
  return bytes;
}

}  // namespace

TlsSession::TlsSession(TlsSettings settings) : settings_(std::move(settings)) {}

TlsSession::~TlsSession() {
  if (ssl_ != nullptr) openssl().SSL_free(ssl_);
}

bio_method_st* TlsSession::create_method() {
  const OpenSsl& lib = openssl();
  bio_method_st* method = lib.BIO_meth_new(lib.BIO_get_new_index() | kBioTypeSourceSink, "millrace");
  if (method == nullptr) return nullptr;
  lib.BIO_meth_set_write(method, on_write);
  lib.BIO_meth_set_read(method, on_read);
  lib.BIO_meth_set_ctrl(method, on_control);
  return method;
}

void TlsSession::prepare(SslContext* context) {
  const OpenSsl& lib = openssl();
  lib.SSL_CTX_set_alpn_select_cb(context, on_alpn, nullptr);
  lib.SSL_CTX_sess_set_new_cb(context, on_new_session);
  // With an answer to the server name OpenSSL remembers it, also for sessions that are resumed.
  lib.SSL_CTX_callback_ctrl(context, kSslCtrlSetServernameCallback, reinterpret_cast<void (*)()>(on_servername));
}

std::unique_ptr<TlsSession> TlsSession::create(const bio_method_st* method, SslContext* context, TlsSettings settings) {
  std::unique_ptr<TlsSession> session(new TlsSession(std::move(settings)));
  return session->start(method, context) ? std::move(session) : nullptr;
}

bool TlsSession::start(const bio_method_st* method, SslContext* context) {
  const OpenSsl& lib = openssl();
  lib.ERR_clear_error();
  ssl_ = lib.SSL_new(context);
  if (ssl_ == nullptr) return false;
  Bio* bio = lib.BIO_new(method);
  if (bio == nullptr) return false;
  lib.BIO_set_data(bio, this);
  lib.BIO_set_init(bio, 1);
  lib.SSL_set_bio(ssl_, bio, bio);  // takes the only reference, once for both
  if (lib.SSL_set_ex_data(ssl_, session_index(), this) != 1) return false;
  lib.SSL_set_options(ssl_, kSslOpNoRenegotiation);
  lib.SSL_ctrl(ssl_, kSslCtrlMode, kSslModeReleaseBuffers, nullptr);

  int mode = kSslVerifyNone;
  if (settings_.request_certificate || (!settings_.server && settings_.reject_unauthorized)) {
    mode = kSslVerifyPeer;
    if (settings_.server && settings_.reject_unauthorized) mode |= kSslVerifyFailIfNoPeerCertificate;
  }
  lib.SSL_set_verify(ssl_, mode, settings_.reject_unauthorized ? refuse_first : accept_any);
  if (settings_.server) {
    lib.SSL_set_accept_state(ssl_);
    if (settings_.select_context) lib.SSL_set_cert_cb(ssl_, on_certificate, this);
    return true;
  }
  lib.SSL_set_connect_state(ssl_);
  if (!settings_.servername.empty() &&
      lib.SSL_ctrl(ssl_, kSslCtrlSetHostname, kServernameHost, settings_.servername.data()) != 1) {
    return false;
  }
  // This one tells success by 0.
  if (!settings_.alpn.empty() &&
      lib.SSL_set_alpn_protos(ssl_, settings_.alpn.data(), static_cast<unsigned>(settings_.alpn.size())) != 0) {
    return false;
  }
  if (!settings_.session.empty()) {
    const unsigned char* at = settings_.session.data();
    SslSession* resumed = lib.d2i_SSL_SESSION(nullptr, &at, static_cast<long>(settings_.session.size()));
    // What is no session (any more) costs a full handshake, nothing else.
    if (resumed != nullptr) {
      lib.SSL_set_session(ssl_, resumed);
      lib.SSL_SESSION_free(resumed);
    }
    lib.ERR_clear_error();
  }
  return true;
}

TlsResult TlsSession::receive(const uint8_t* bytes, size_t length, Span plain, Span cipher) {
  TlsResult result;
  if (failed_ || ended_) return result;
  begin(cipher);
  Bytes joined;
  if (!held_.empty()) {
    joined.swap(held_);
    if (length > 0) joined.insert(joined.end(), bytes, bytes + length);
    bytes = joined.data();
    length = joined.size();
  }
  in_ = bytes;
  in_left_ = length;
  if (!secured_) handshake(&result);
  if (secured_ && !failed_) read_all(&result, plain);
  send_waiting(&result);
  if (in_left_ > 0 && !failed_ && !ended_) held_.assign(in_, in_ + in_left_);
  return finish(result);
}

TlsResult TlsSession::write(const uint8_t* bytes, size_t length, Span cipher) {
  TlsResult result;
  if (failed_ || !secured_ || length == 0) return result;
  begin(cipher);
  send(&result, bytes, length);
  return finish(result);
}

TlsResult TlsSession::shutdown(Span cipher) {
  TlsResult result;
  if (failed_ || !secured_) return result;
  begin(cipher);
  shutdown_waits_ = true;
  send_waiting(&result);
  return finish(result);
}

void TlsSession::send(TlsResult* result, const uint8_t* bytes, size_t length) {
  const OpenSsl& lib = openssl();
  if (waiting_.empty()) {
    int status = lib.SSL_write(ssl_, bytes, static_cast<int>(std::min<size_t>(length, INT_MAX)));
    if (status > 0) return;
    if (lib.SSL_get_error(ssl_, status) != kSslErrorWantRead) {
      fail(result);
      return;
    }
  }
  waiting_.insert(waiting_.end(), bytes, bytes + length);
}

void TlsSession::send_waiting(TlsResult* result) {
  const OpenSsl& lib = openssl();
  if (failed_ || (waiting_.empty() && !shutdown_waits_) || lib.SSL_in_init(ssl_) != 0) return;
  if (!waiting_.empty()) {
    Bytes bytes;
    bytes.swap(waiting_);
    send(result, bytes.data(), bytes.size());
  }
  if (failed_ || !shutdown_waits_ || !waiting_.empty()) return;
  shutdown_waits_ = false;
  // 0: the peer has not ended its side yet, which nobody waits for here.
  if (lib.SSL_shutdown(ssl_) < 0) lib.ERR_clear_error();
}

void TlsSession::select(SslContext* context) {
  const OpenSsl& lib = openssl();
  settings_.select_context = false;
  if (context == nullptr) return;
  lib.SSL_set_SSL_CTX(ssl_, context);
  // OpenSSL swaps the certificate only: what clients' certificates are checked with would stay that of the first context.
  lib.SSL_ctrl(ssl_, kSslCtrlSetVerifyCertStore, 1, lib.SSL_CTX_get_cert_store(context));
  lib.SSL_set_client_CA_list(ssl_, lib.SSL_dup_CA_list(lib.SSL_CTX_get_client_CA_list(context)));
}

void TlsSession::begin(Span cipher) {
  // Errors of others on this thread must not be taken for ours.
  openssl().ERR_clear_error();
  out_ = cipher;
  out_used_ = 0;
  in_ = nullptr;
  in_left_ = 0;
}

TlsResult TlsSession::finish(TlsResult result) {
  result.cipher = out_used_;
  if (!new_session_.empty()) result.flags |= kTlsNewSession;
  if (!waiting_.empty() || shutdown_waits_) result.flags |= kTlsWaits;
  in_ = nullptr;
  in_left_ = 0;
  out_ = {nullptr, 0};
  return result;
}

void TlsSession::handshake(TlsResult* result) {
  const OpenSsl& lib = openssl();
  int status = lib.SSL_do_handshake(ssl_);
  if (status == 1) {
    secured_ = true;
    result->flags |= kTlsSecured;
    return;
  }
  int error = lib.SSL_get_error(ssl_, status);
  if (error == kSslErrorWantX509Lookup) {
    result->flags |= kTlsWantsContext;
  } else if (error != kSslErrorWantRead) {
    fail(result);
  }
}

void TlsSession::read_all(TlsResult* result, Span plain) {
  const OpenSsl& lib = openssl();
  while (result->plain < plain.size) {
    size_t room = std::min<size_t>(plain.size - result->plain, INT_MAX);
    int status = lib.SSL_read(ssl_, plain.data + result->plain, static_cast<int>(room));
    if (status > 0) {
      result->plain += static_cast<size_t>(status);
      continue;
    }
    int error = lib.SSL_get_error(ssl_, status);
    if (error == kSslErrorZeroReturn) {
      ended_ = true;
      result->flags |= kTlsEnded;
    } else if (error != kSslErrorWantRead) {
      fail(result);
    }
    return;
  }
  result->flags |= kTlsMore;
}

void TlsSession::fail(TlsResult* result) {
  const OpenSsl& lib = openssl();
  failed_ = true;
  result->flags |= kTlsFailed;
  unsigned long code = lib.ERR_get_error();
  if (code != 0) {
    char text[kErrorTextBytes] = {};
    lib.ERR_error_string_n(code, text, sizeof text);
    failure_ = {text_or_empty(lib.ERR_lib_error_string(code)), text_or_empty(lib.ERR_reason_error_string(code)), text};
  }
  lib.ERR_clear_error();
}

std::vector<Bytes> TlsSession::peer_certificates() const {
  const OpenSsl& lib = openssl();
  std::vector<Bytes> certificates;
  if (x509_st* own = lib.SSL_get1_peer_certificate(ssl_); own != nullptr) {
    certificates.push_back(encoded(lib.i2d_X509, static_cast<const x509_st*>(own)));
    lib.X509_free(own);
  }
  const stack_st* chain = lib.SSL_get_peer_cert_chain(ssl_);
  int count = chain == nullptr ? 0 : lib.OPENSSL_sk_num(chain);
  // A client's chain begins with the server's own, a server's does not have the client's own.
  for (int i = settings_.server ? 0 : 1; i < count; i++) {
    certificates.push_back(encoded(lib.i2d_X509, static_cast<const x509_st*>(lib.OPENSSL_sk_value(chain, i))));
  }
  return certificates;
}

bool TlsSession::has_peer_certificate() const {
  x509_st* own = openssl().SSL_get1_peer_certificate(ssl_);
  if (own == nullptr) return false;
  openssl().X509_free(own);
  return true;
}

std::string TlsSession::servername() const {
  return text_or_empty(openssl().SSL_get_servername(ssl_, kServernameHost));
}

std::string TlsSession::alpn() const {
  const unsigned char* name = nullptr;
  unsigned length = 0;
  openssl().SSL_get0_alpn_selected(ssl_, &name, &length);
  return name == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(name), length);
}

int TlsSession::on_write(Bio* bio, const char* bytes, int length) {
  auto* session = static_cast<TlsSession*>(openssl().BIO_get_data(bio));
  if (length <= 0) return 0;
  auto size = static_cast<size_t>(length);
  // Once something had to be held, all that follows comes after it.
  size_t room = session->spill_.empty() ? session->out_.size - session->out_used_ : 0;
  size_t fitting = std::min(room, size);
  if (fitting > 0) {
    std::memcpy(session->out_.data + session->out_used_, bytes, fitting);
    session->out_used_ += fitting;
  }
  if (fitting < size) session->spill_.insert(session->spill_.end(), bytes + fitting, bytes + size);
  return length;
}

int TlsSession::on_read(Bio* bio, char* bytes, int length) {
  auto* session = static_cast<TlsSession*>(openssl().BIO_get_data(bio));
  openssl().BIO_clear_flags(bio, kBioFlagsRetry);
  if (length <= 0) return 0;
  if (session->in_left_ == 0) {
    openssl().BIO_set_flags(bio, kBioFlagRead | kBioFlagShouldRetry);
    return -1;
  }
  size_t taken = std::min(static_cast<size_t>(length), session->in_left_);
  std::memcpy(bytes, session->in_, taken);
  session->in_ += taken;
  session->in_left_ -= taken;
  return static_cast<int>(taken);
}

long TlsSession::on_control(Bio*, int command, long, void*) { return command == kBioCtrlFlush ? 1 : 0; }

// Called with the client's hello read: -1 makes OpenSSL wait with the handshake.
int TlsSession::on_certificate(Ssl*, void* session) {
  return static_cast<TlsSession*>(session)->settings_.select_context ? -1 : 1;
}

int TlsSession::on_new_session(Ssl* ssl, SslSession* session) {
  TlsSession* own = session_of(ssl);
  if (own != nullptr && !own->settings_.server) own->new_session_ = encoded(openssl().i2d_SSL_SESSION, session);
  return 0;  // no reference was kept
}

int TlsSession::on_alpn(Ssl* ssl, const unsigned char** out, unsigned char* out_length, const unsigned char* in,
                        unsigned int in_length, void*) {
  const TlsSession* own = session_of(ssl);
  if (own == nullptr || own->settings_.alpn.empty()) return kAlertNoAck;
  unsigned char* chosen = nullptr;
  const Bytes& alpn = own->settings_.alpn;
  int status = openssl().SSL_select_next_proto(&chosen, out_length, alpn.data(), static_cast<unsigned>(alpn.size()), in,
                                               in_length);
  *out = chosen;
  return status == kNextProtoNegotiated ? kAlertOk : kAlertFatal;
}

}  // namespace millrace

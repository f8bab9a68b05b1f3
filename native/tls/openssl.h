// The part of OpenSSL 3 that TLS takes, out of the OpenSSL that Node itself runs on.
//
// Node exports OpenSSL's symbols to addons, but need not: so nothing is linked. Every function is looked up by its name at
// run time, and where one is missing, or the library is another one (BoringSSL in Electron, another major version), TLS
// goes over node:tls instead. Only opaque pointers and integers cross: OpenSSL keeps that ABI within its major version 3,
// so no header of the one Node that built the addon is needed either.
#ifndef MILLRACE_TLS_OPENSSL_H_
#define MILLRACE_TLS_OPENSSL_H_

#include <cstddef>
#include <cstdint>

extern "C" {
struct ssl_st;
struct ssl_ctx_st;
struct ssl_session_st;
struct ssl_cipher_st;
struct bio_st;
struct bio_method_st;
struct x509_st;
struct x509_store_ctx_st;
struct stack_st;
}

namespace millrace {

using Ssl = ssl_st;
using SslContext = ssl_ctx_st;
using SslSession = ssl_session_st;
using Bio = bio_st;

using VerifyCallback = int (*)(int ok, x509_store_ctx_st* store);
using CertificateCallback = int (*)(Ssl* ssl, void* argument);
using NewSessionCallback = int (*)(Ssl* ssl, SslSession* session);
using AlpnCallback = int (*)(Ssl* ssl, const unsigned char** out, unsigned char* out_length, const unsigned char* in,
                             unsigned int in_length, void* argument);

// name, result, arguments
#define MILLRACE_OPENSSL_FUNCTIONS(F)                                                                          \
  F(OpenSSL_version_num, unsigned long, ())                                                                    \
  F(OpenSSL_version, const char*, (int))                                                                       \
  F(ERR_clear_error, void, ())                                                                                 \
  F(ERR_get_error, unsigned long, ())                                                                          \
  F(ERR_error_string_n, void, (unsigned long, char*, size_t))                                                  \
  F(ERR_lib_error_string, const char*, (unsigned long))                                                        \
  F(ERR_reason_error_string, const char*, (unsigned long))                                                     \
  F(CRYPTO_free, void, (void*, const char*, int))                                                              \
  F(CRYPTO_get_ex_new_index, int, (int, long, void*, void (*)(), void (*)(), void (*)()))                      \
  F(OPENSSL_sk_num, int, (const stack_st*))                                                                    \
  F(OPENSSL_sk_value, void*, (const stack_st*, int))                                                           \
  F(BIO_get_new_index, int, ())                                                                                \
  F(BIO_meth_new, bio_method_st*, (int, const char*))                                                          \
  F(BIO_meth_free, void, (bio_method_st*))                                                                     \
  F(BIO_meth_set_write, int, (bio_method_st*, int (*)(Bio*, const char*, int)))                                \
  F(BIO_meth_set_read, int, (bio_method_st*, int (*)(Bio*, char*, int)))                                       \
  F(BIO_meth_set_ctrl, int, (bio_method_st*, long (*)(Bio*, int, long, void*)))                                \
  F(BIO_new, Bio*, (const bio_method_st*))                                                                     \
  F(BIO_set_init, void, (Bio*, int))                                                                           \
  F(BIO_set_data, void, (Bio*, void*))                                                                         \
  F(BIO_get_data, void*, (Bio*))                                                                               \
  F(BIO_set_flags, void, (Bio*, int))                                                                          \
  F(BIO_clear_flags, void, (Bio*, int))                                                                        \
  F(SSL_new, Ssl*, (SslContext*))                                                                              \
  F(SSL_free, void, (Ssl*))                                                                                    \
  F(SSL_set_bio, void, (Ssl*, Bio*, Bio*))                                                                     \
  F(SSL_set_accept_state, void, (Ssl*))                                                                        \
  F(SSL_set_connect_state, void, (Ssl*))                                                                       \
  F(SSL_set_verify, void, (Ssl*, int, VerifyCallback))                                                         \
  F(SSL_set_options, uint64_t, (Ssl*, uint64_t))                                                               \
  F(SSL_ctrl, long, (Ssl*, int, long, void*))                                                                  \
  F(SSL_set_ex_data, int, (Ssl*, int, void*))                                                                  \
  F(SSL_get_ex_data, void*, (const Ssl*, int))                                                                 \
  F(SSL_set_cert_cb, void, (Ssl*, CertificateCallback, void*))                                                 \
  F(SSL_set_alpn_protos, int, (Ssl*, const unsigned char*, unsigned int))                                      \
  F(SSL_get0_alpn_selected, void, (const Ssl*, const unsigned char**, unsigned int*))                          \
  F(SSL_select_next_proto, int,                                                                                \
    (unsigned char**, unsigned char*, const unsigned char*, unsigned int, const unsigned char*, unsigned int)) \
  F(SSL_CTX_set_alpn_select_cb, void, (SslContext*, AlpnCallback, void*))                                      \
  F(SSL_CTX_callback_ctrl, long, (SslContext*, int, void (*)()))                                               \
  F(SSL_CTX_sess_set_new_cb, void, (SslContext*, NewSessionCallback))                                          \
  F(SSL_set_SSL_CTX, SslContext*, (Ssl*, SslContext*))                                                         \
  F(SSL_CTX_get_cert_store, void*, (const SslContext*))                                                        \
  F(SSL_CTX_get_client_CA_list, stack_st*, (const SslContext*))                                                \
  F(SSL_dup_CA_list, stack_st*, (const stack_st*))                                                             \
  F(SSL_set_client_CA_list, void, (Ssl*, stack_st*))                                                           \
  F(SSL_do_handshake, int, (Ssl*))                                                                             \
  F(SSL_in_init, int, (const Ssl*))                                                                            \
  F(SSL_read, int, (Ssl*, void*, int))                                                                         \
  F(SSL_write, int, (Ssl*, const void*, int))                                                                  \
  F(SSL_shutdown, int, (Ssl*))                                                                                 \
  F(SSL_get_error, int, (const Ssl*, int))                                                                     \
  F(SSL_get_version, const char*, (const Ssl*))                                                                \
  F(SSL_get_current_cipher, const ssl_cipher_st*, (const Ssl*))                                                \
  F(SSL_CIPHER_get_name, const char*, (const ssl_cipher_st*))                                                  \
  F(SSL_CIPHER_standard_name, const char*, (const ssl_cipher_st*))                                             \
  F(SSL_CIPHER_get_version, const char*, (const ssl_cipher_st*))                                               \
  F(SSL_get_servername, const char*, (const Ssl*, int))                                                        \
  F(SSL_session_reused, int, (const Ssl*))                                                                     \
  F(SSL_set_session, int, (Ssl*, SslSession*))                                                                 \
  F(SSL_SESSION_free, void, (SslSession*))                                                                     \
  F(SSL_get_verify_result, long, (const Ssl*))                                                                 \
  F(SSL_get1_peer_certificate, x509_st*, (const Ssl*))                                                         \
  F(SSL_get_peer_cert_chain, stack_st*, (const Ssl*))                                                          \
  F(X509_STORE_CTX_get_error, int, (const x509_store_ctx_st*))                                                 \
  F(X509_STORE_CTX_get_error_depth, int, (const x509_store_ctx_st*))                                           \
  F(X509_STORE_CTX_set_error, void, (x509_store_ctx_st*, int))                                                 \
  F(X509_free, void, (x509_st*))                                                                               \
  F(i2d_X509, int, (const x509_st*, unsigned char**))                                                          \
  F(X509_verify_cert_error_string, const char*, (long))                                                        \
  F(i2d_SSL_SESSION, int, (const SslSession*, unsigned char**))                                                \
  F(d2i_SSL_SESSION, SslSession*, (SslSession**, const unsigned char**, long))

struct OpenSsl {
// NOLINTNEXTLINE(bugprone-macro-parentheses): they are types and a declarator
#define MILLRACE_DECLARE(name, result, arguments) result(*name) arguments = nullptr;
  MILLRACE_OPENSSL_FUNCTIONS(MILLRACE_DECLARE)
#undef MILLRACE_DECLARE
};

// The same for all threads, looked up once, never changed. Nothing of it may be called unless openssl_usable().
const OpenSsl& openssl();

// False where not all of it can be had, or where it is not OpenSSL 3 of this version ("3.0.17"): another library could
// have been loaded before Node's, whose structures would not be those of Node's contexts.
bool openssl_usable(const char* version);

// Constants of the ABI that are macros in OpenSSL's headers.
inline constexpr int kSslErrorSsl = 1;
inline constexpr int kSslErrorWantRead = 2;
inline constexpr int kSslErrorWantX509Lookup = 4;
inline constexpr int kSslErrorZeroReturn = 6;
inline constexpr int kX509NoLocalIssuer = 20;
inline constexpr int kX509LeafNotVerified = 21;
inline constexpr int kSslVerifyNone = 0;
inline constexpr int kSslVerifyPeer = 1;
inline constexpr int kSslVerifyFailIfNoPeerCertificate = 2;
inline constexpr int kSslCtrlMode = 33;
inline constexpr int kSslCtrlSetServernameCallback = 53;
inline constexpr int kSslCtrlSetHostname = 55;
inline constexpr int kSslCtrlSetVerifyCertStore = 106;
inline constexpr long kSslModeReleaseBuffers = 0x10;
inline constexpr uint64_t kSslOpNoRenegotiation = uint64_t{1} << 30;
inline constexpr int kServernameHost = 0;
inline constexpr int kAlertOk = 0;
inline constexpr int kAlertFatal = 2;
inline constexpr int kAlertNoAck = 3;
inline constexpr int kNextProtoNegotiated = 1;
inline constexpr int kBioTypeSourceSink = 0x0400;
inline constexpr int kBioCtrlFlush = 11;
inline constexpr int kBioFlagRead = 0x01;
inline constexpr int kBioFlagsRetry = 0x01 | 0x02 | 0x04 | 0x08;
inline constexpr int kBioFlagShouldRetry = 0x08;
inline constexpr int kVersionString = 6;
inline constexpr int kExIndexSsl = 0;

}  // namespace millrace

#endif  // MILLRACE_TLS_OPENSSL_H_

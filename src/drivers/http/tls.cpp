#include "drivers/http/tls.hpp"

#include <string_view>

#include <openssl/ssl.h>

namespace um::http {
namespace {

namespace ssl = boost::asio::ssl;

// RFC 7301 section 3.2: a server that supports no protocol of the client's offer sends an alert.
int select_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* in, unsigned in_size, void*) {
  constexpr std::string_view kHttp = "http/1.1";
  for (unsigned at = 0; at < in_size; at += in[at] + 1U) {
    const unsigned size = in[at];
    if (at + 1 + size > in_size) break;
    if (size == kHttp.size() && std::equal(kHttp.begin(), kHttp.end(), in + at + 1)) {
      *out = in + at + 1;
      *out_size = in[at];
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

std::unexpected<Error> cannot_use(const std::string& file, const boost::system::error_code& error) {
  return fail(ErrorCode::invalid, "cannot use " + file + ": " + error.message());
}

}  // namespace

Result<std::shared_ptr<ssl::context>> make_server_tls_context(const TlsFiles& files) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  boost::system::error_code error;
  context->set_options(ssl::context::default_workarounds | ssl::context::no_sslv2 |
                           ssl::context::no_sslv3 | ssl::context::no_tlsv1 |
                           ssl::context::no_tlsv1_1 | ssl::context::no_compression,
                       error);
  if (error) return fail(ErrorCode::invalid, "cannot set up TLS: " + error.message());
  // Without this callback OpenSSL would ask for the pass phrase of an encrypted key on the
  // terminal.
  const auto encrypted = std::make_shared<bool>(false);
  const auto no_pass_phrase = [encrypted](std::size_t, ssl::context::password_purpose) {
    *encrypted = true;
    return "";
  };
  context->set_password_callback(no_pass_phrase, error);
  if (error) return fail(ErrorCode::invalid, "cannot set up TLS: " + error.message());
  context->use_certificate_chain_file(files.certificate, error);
  if (error) return cannot_use(files.certificate, error);
  context->use_private_key_file(files.key, ssl::context::pem, error);
  if (error && *encrypted) {
    return fail(ErrorCode::invalid,
                "cannot use " + files.key + ": keys with a pass phrase are not supported");
  }
  if (error) return cannot_use(files.key, error);
  if (SSL_CTX_check_private_key(context->native_handle()) != 1) {
    return fail(ErrorCode::invalid, files.key + " is not the key of " + files.certificate);
  }
  SSL_CTX_set_alpn_select_cb(context->native_handle(), &select_protocol, nullptr);
  SSL_CTX_set_session_cache_mode(context->native_handle(), SSL_SESS_CACHE_OFF);
  return context;
}

}  // namespace um::http

// The TLS side of the server: certificates, versions, ALPN. Thread safety: any thread; reads files.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/ssl/context.hpp>

#include "base/error.hpp"

namespace um::http {

struct TlsFiles {
  std::string certificate;  // PEM, the server's first, then the chain
  std::string key;          // PEM, without a pass phrase
};

// TLS 1.2 and above, ALPN "http/1.1" (clients that offer only something else are refused).
// ErrorCode::invalid with the file and the reason if a file cannot be used or they do not fit.
Result<std::shared_ptr<boost::asio::ssl::context>> make_server_tls_context(const TlsFiles& files);

}  // namespace um::http

// Endpoint: the address of a server and the credentials for it, read from a URL
//
//   redis://[[user]:password@]host[:port][/db]        plain
//   rediss://…[?ca=/path/to/ca.pem]                   TLS; the certificate must be valid for `host`
//
// User and password may contain %XX escapes. Without `ca` the system's certificates are trusted.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace um::redis {

enum class Transport : std::uint8_t { plain, tls };

struct Endpoint {
  std::string host;
  std::uint16_t port = 6379;
  int database = 0;
  Secret user{};
  Secret password{};
  Transport transport = Transport::plain;
  std::string ca_file{};  // empty: the system's
};

// ErrorCode::invalid with a sentence that never contains the part between `//` and `@`.
Result<Endpoint> parse_url(std::string_view url);

// The URL without user and password, for people: "rediss://cache.example:6379/0".
std::string describe(const Endpoint& endpoint);

}  // namespace um::redis

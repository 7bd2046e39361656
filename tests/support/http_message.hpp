// HttpRequest and HttpResponse of the test client. Client and server share no code, so that one
// mistake cannot be on both sides.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/value.hpp>

namespace um::e2e {

using Header = std::pair<std::string, std::string>;

// The text several times, for what is too long.
std::string repeated(std::string_view text, std::size_t times);

struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";
  std::vector<Header> headers{};
  std::string body{};

  // The bytes of the request. Host and Content-Length are added unless `headers` has them; a body
  // that begins like JSON gets its Content-Type.
  std::string text() const;
};

struct HttpResponse {
  unsigned status = 0;
  std::string reason{};
  std::vector<Header> headers{};
  std::string body{};

  // The value of the first field of that name (compared without case).
  std::optional<std::string> header(std::string_view name) const;
  std::size_t header_count(std::string_view name) const;
  // Null if the body is not JSON.
  boost::json::value json() const;
  // Everything, for messages.
  std::string text() const;
  bool closes() const;
};

bool same_name(std::string_view a, std::string_view b);

// Parses the head of a response (without the empty line); throws std::runtime_error if it is
// malformed.
HttpResponse parse_response_head(std::string_view head);

// Percent-encodes everything but unreserved characters.
std::string url_encode(std::string_view text);

}  // namespace um::e2e

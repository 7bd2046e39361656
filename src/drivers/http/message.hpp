// Request and Response: what passes between the HTTP server and the application.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.hpp"

namespace um::http {

// `other`: one that is registered with IANA, but that this server's applications never offer.
enum class Method { get, head, post, put, patch, del, options, other };
std::string_view to_string(Method method);

// A request that passed the strict check. All views stay valid until the answer has been handed
// back.
class Request {
 public:
  virtual ~Request() = default;

  Method method = Method::get;
  // Begins with '/', without the query; "*" for OPTIONS of the whole server. Percent escapes are
  // valid, those of unreserved characters decoded (see decode_unreserved), all others as sent.
  std::string_view path;
  std::string_view query;  // raw, without '?'; empty if there is none
  std::string_view body;
  std::string_view peer_address;  // of the TCP connection, textual, without the port
  BootTime read_at;               // after the last byte of the request was read
  bool secure = false;            // came over TLS

  // The value of a header field without surrounding white space; empty if absent, and then its
  // data() is null, which tells it from a field that is there and empty. The name is compared
  // without case. A field sent several times gives the values joined with ", " where HTTP
  // allows lists (those that do not were refused).
  virtual std::string_view header(std::string_view name) const = 0;
  bool has_header(std::string_view name) const { return header(name).data() != nullptr; }
};

// An answer. The server adds Date, Content-Length and Connection; everything else is the
// application's.
struct Response {
  unsigned status = 200;
  std::string headers{};  // complete lines: "Name: value\r\n"…; values hold no CR or LF
  // Either own text or a share of a prepared one (a cached user), which is written without a copy.
  std::string body{};
  std::shared_ptr<const std::string> shared_body{};
  bool close = false;  // close the connection after this answer

  void add(std::string_view name, std::string_view value) {
    headers.append(name).append(": ").append(value).append("\r\n");
  }
  std::string_view content() const { return shared_body ? std::string_view{*shared_body} : body; }
  void clear() {
    status = 200;
    headers.clear();
    body.clear();
    shared_body.reset();
    close = false;
  }
};

}  // namespace um::http

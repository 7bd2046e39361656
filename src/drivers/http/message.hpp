// Request, Response and Refusal: the values that the HTTP server and the application exchange.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace um::http {

// `other`: a method that is registered with IANA but that no application of this server offers.
enum class Method { get, head, post, put, patch, del, options, other };
std::string_view to_string(Method method);

// A request that passed the strict check. All views stay valid until the handler has answered.
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

  // The value of a header field without surrounding white space. Empty if absent; then data() is
  // null, which distinguishes it from a field that is there and empty. The name is compared without
  // case. The values of a field that was sent several times are joined with ", "; the strict check
  // has refused a second field where HTTP allows no list.
  virtual std::string_view header(std::string_view name) const = 0;
  bool has_header(std::string_view name) const { return header(name).data() != nullptr; }
};

// An answer. The server adds Date, Content-Length and Connection, the application everything else.
struct Response {
  unsigned status = 200;
  std::string headers{};  // complete lines: "Name: value\r\n"…; values hold no CR or LF
  // Either an own text or a share of a prepared one (a cached user), which is written uncopied.
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

// Why the server answers a request itself: the strict check refused its bytes, they came too late,
// or the server cannot serve now. The application only writes the text of that answer.
struct Refusal {
  enum class Reason {
    bad_request,            // 400: malformed, or breaks a rule of RFC 9112
    method_not_allowed,     // 405: TRACE and CONNECT; the application adds Allow
    request_timeout,        // 408
    content_too_large,      // 413
    uri_too_long,           // 414
    expectation_failed,     // 417
    header_too_large,       // 431
    internal,               // 500: the handler threw
    not_implemented,        // 501: unknown method or transfer coding
    overloaded,             // 503: too many connections; with Retry-After
    version_not_supported,  // 505
  };
  Reason reason = Reason::bad_request;
  std::string_view detail{};  // a sentence for people; a literal
};
unsigned status_of(Refusal::Reason reason);

inline Refusal bad_request(std::string_view detail) {
  return {.reason = Refusal::Reason::bad_request, .detail = detail};
}

// "HTTP/1.1 200 OK\r\n"; empty for a status that HTTP does not define.
std::string_view status_line(unsigned status);

}  // namespace um::http

// For tests: requests that must be refused, and similar ones that must not be. One table for the
// parser without sockets (request_parser_test) and for a server (server_refusal_test).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "drivers/http/limits.hpp"

namespace um::http::testing {

struct RefusedRequest {
  std::string_view name;
  unsigned status;
  std::string bytes;  // up to and including what makes it refused
};

inline std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}
inline std::string get_with(std::string_view fields) {
  return "GET /x HTTP/1.1\r\nHost: a\r\n" + std::string{fields} + "\r\n";
}
inline std::string target(std::string_view target) {
  return "GET " + std::string{target} + " HTTP/1.1\r\nHost: a\r\n\r\n";
}
inline std::string host(std::string_view host) {
  return "GET /x HTTP/1.1\r\nHost: " + std::string{host} + "\r\n\r\n";
}
inline std::string post_with(std::string_view fields, std::string_view body) {
  return "POST /x HTTP/1.1\r\nHost: a\r\n" + std::string{fields} + "\r\n" + std::string{body};
}
inline std::string chunked(std::string_view body) {
  return post_with("Transfer-Encoding: chunked\r\n", body);
}
inline std::string coding(std::string_view value) {
  return post_with("Transfer-Encoding: " + std::string{value} + "\r\n", "0\r\n\r\n");
}
inline std::string length(std::string_view value) {
  return post_with("Content-Length: " + std::string{value} + "\r\n", "hello");
}

std::vector<RefusedRequest> refused_requests();
std::vector<std::string> accepted_requests();  // each of them one whole request

}  // namespace um::http::testing

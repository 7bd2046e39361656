#include "support/http_message.hpp"

#include <algorithm>
#include <stdexcept>

#include <boost/json/parse.hpp>

namespace um::e2e {

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  while (times-- > 0) out += text;
  return out;
}
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool has(const std::vector<Header>& headers, std::string_view name) {
  return std::ranges::any_of(headers, [&](const Header& h) { return same_name(h.first, name); });
}

[[noreturn]] void malformed(std::string_view head) {
  throw std::runtime_error("the server sent a malformed response head: " + std::string{head});
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string HttpRequest::text() const {
  std::string out = method + " " + target + " HTTP/1.1\r\n";
  if (!has(headers, "Host")) out += "Host: localhost\r\n";
  for (const auto& [name, value] : headers) out += name + ": " + value + "\r\n";
  const bool json = body.starts_with('{') || body.starts_with('[');
  if (json && !has(headers, "Content-Type")) out += "Content-Type: application/json\r\n";
  const bool framed = has(headers, "Content-Length") || has(headers, "Transfer-Encoding");
  const bool may_have_body = method != "GET" && method != "HEAD";
  if (!framed && (may_have_body || !body.empty())) {
    out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  }
  return out + "\r\n" + body;
}

std::optional<std::string> HttpResponse::header(std::string_view name) const {
  const auto found =
      std::ranges::find_if(headers, [&](const Header& h) { return same_name(h.first, name); });
  if (found == headers.end()) return std::nullopt;
  return found->second;
}

std::size_t HttpResponse::header_count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(headers, [&](const Header& h) { return same_name(h.first, name); }));
}

boost::json::value HttpResponse::json() const {
  boost::system::error_code error;
  auto value = boost::json::parse(body, error);
  return error ? boost::json::value{} : value;
}

std::string HttpResponse::text() const {
  std::string out = std::to_string(status) + " " + reason + "\n";
  for (const auto& [name, value] : headers) out += name + ": " + value + "\n";
  return out + "\n" + body;
}

bool HttpResponse::closes() const {
  const auto connection = header("Connection");
  return connection && same_name(*connection, "close");
}

HttpResponse parse_response_head(std::string_view head) {
  // HTTP/1.1 200 OK
  constexpr std::size_t kStatusAt = 9;
  if (!head.starts_with("HTTP/1.1 ") || head.size() < kStatusAt + 3) malformed(head);
  HttpResponse response;
  auto line_end = std::min(head.find("\r\n"), head.size());
  for (const char digit : head.substr(kStatusAt, 3)) {
    if (digit < '0' || digit > '9') malformed(head);
    response.status = response.status * 10 + static_cast<unsigned>(digit - '0');
  }
  if (line_end > kStatusAt + 4) {
    response.reason = head.substr(kStatusAt + 4, line_end - kStatusAt - 4);
  }
  while (line_end < head.size()) {
    const auto begin = line_end + 2;
    line_end = std::min(head.find("\r\n", begin), head.size());
    const auto line = head.substr(begin, line_end - begin);
    const auto colon = line.find(':');
    if (colon == 0 || colon == std::string_view::npos) malformed(head);
    if (line.find_first_of(std::string_view{"\r\n\0", 3}) != std::string_view::npos)
      malformed(head);
    auto value = line.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    response.headers.emplace_back(line.substr(0, colon), value);
  }
  return response;
}

std::string url_encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

}  // namespace um::e2e

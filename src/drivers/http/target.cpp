#include "drivers/http/target.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>

#include "drivers/http/characters.hpp"

namespace um::http {
namespace {

bool escapes_are_valid(std::string_view text) {
  std::size_t at = text.find('%');
  while (at != std::string_view::npos) {
    if (text.size() - at < 3 || !is(text[at + 1], kHexDigit) || !is(text[at + 2], kHexDigit)) {
      return false;
    }
    at = text.find('%', at + 3);
  }
  return true;
}

void split_query(std::string_view text, Target& target) {
  const std::size_t mark = text.find('?');
  target.path = text.substr(0, mark);
  if (mark != std::string_view::npos) target.query = text.substr(mark + 1);
}

// "http://authority/path?query", of which path and query may be missing.
std::optional<Refusal> parse_absolute(Method method, std::string_view text, Target& target) {
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return bad_request("The request target is not valid.");
  const std::string_view scheme = text.substr(0, colon);
  if (!equal_without_case(scheme, "http") && !equal_without_case(scheme, "https")) {
    return bad_request("The request target has an unknown scheme.");
  }
  text.remove_prefix(colon + 3);
  const std::size_t end = std::min(text.find_first_of("/?"), text.size());
  target.authority = text.substr(0, end);
  if (!is_host(target.authority)) return bad_request("The request target names no valid host.");
  split_query(text.substr(end), target);
  if (target.path.empty()) {
    const bool of_server = method == Method::options && end == text.size();
    target.path = of_server ? "*" : "/";
  }
  return {};
}

bool is_ipv6(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size()) return false;
  std::ranges::copy(text, terminated.begin());
  in6_addr ignored;
  return ::inet_pton(AF_INET6, terminated.data(), &ignored) == 1;
}

bool is_port(std::string_view text) {
  if (text.size() > 5 || !all_are(text, kDigit)) return false;
  unsigned port = 0;
  for (const char c : text) port = port * 10 + static_cast<unsigned>(c - '0');
  return port <= 65'535;
}

bool is_name(std::string_view text) {
  const auto allowed = [](char c) { return is(c, kHostChar) || c == '%'; };
  return !text.empty() && text.size() <= 255 && std::ranges::all_of(text, allowed) &&
         escapes_are_valid(text);
}

}  // namespace

std::optional<Refusal> parse_target(Method method, std::string_view text, Target& target) {
  target = {};
  if (text.empty() || !all_are(text, kTargetChar)) {
    return bad_request("The request target has characters that must be percent-encoded.");
  }
  if (!escapes_are_valid(text)) return bad_request("The request target has a bad percent escape.");
  if (text.front() == '/') {
    split_query(text, target);
    return {};
  }
  if (text == "*" && method == Method::options) {
    target.path = text;
    return {};
  }
  return parse_absolute(method, text, target);
}

std::string_view decode_unreserved(std::string_view path, std::string& room) {
  std::size_t copied = 0;
  for (std::size_t at = path.find('%'); at != std::string_view::npos; at = path.find('%', at + 3)) {
    const auto c = static_cast<char>(hex_value(path[at + 1]) * 16 + hex_value(path[at + 2]));
    if (!is(c, kUnreserved)) continue;
    if (copied == 0) room.clear();
    room.append(path.substr(copied, at - copied)).push_back(c);
    copied = at + 3;
  }
  if (copied == 0) return path;
  return room.append(path.substr(copied));
}

bool is_host(std::string_view text) {
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos || !is_ipv6(text.substr(1, end - 1))) return false;
    port = text.substr(end + 1);
  } else {
    const std::size_t end = std::min(text.find(':'), text.size());
    if (!is_name(text.substr(0, end))) return false;
    port = text.substr(end);
  }
  return port.empty() || (port.front() == ':' && is_port(port.substr(1)));
}

}  // namespace um::http

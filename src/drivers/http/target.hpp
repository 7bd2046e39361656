// The request target and the Host field (RFC 9112 sections 3.2 and 3.3, RFC 3986 section 3.2.2).
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "drivers/http/message.hpp"

namespace um::http {

// Views into the parsed text.
struct Target {
  std::string_view path;       // begins with '/', or is "*"
  std::string_view query;      // without '?'
  std::string_view authority;  // of the absolute form, else empty
};

// Fills `target`, or returns the refusal. Takes the origin form, the absolute form with http or
// https, and "*" of OPTIONS.
std::optional<Refusal> parse_target(Method method, std::string_view text, Target& target);

// Decodes the escapes of unreserved characters (letters, digits, - . _ ~) of a path, which names
// the same resource before and after (RFC 3986 section 6.2.2.2). All other escapes stay, %2F and
// %25 among them, so nothing is ever decoded twice. Returns a view of `path` if there is nothing to
// decode, else of `room`. REQUIRES: the escapes are valid.
std::string_view decode_unreserved(std::string_view path, std::string& room);

// host [":" port], without user information: a name, an IPv4 address, or an IPv6 address in
// brackets.
bool is_host(std::string_view text);

}  // namespace um::http

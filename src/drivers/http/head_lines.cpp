#include <algorithm>
#include <array>
#include <utility>

#include "drivers/http/characters.hpp"
#include "drivers/http/head.hpp"
#include "drivers/http/target.hpp"

namespace um::http {
namespace {

constexpr std::array kMethods = {
    std::pair{std::string_view{"GET"}, Method::get},
    std::pair{std::string_view{"HEAD"}, Method::head},
    std::pair{std::string_view{"POST"}, Method::post},
    std::pair{std::string_view{"PUT"}, Method::put},
    std::pair{std::string_view{"PATCH"}, Method::patch},
    std::pair{std::string_view{"DELETE"}, Method::del},
    std::pair{std::string_view{"OPTIONS"}, Method::options},
};

// The others of the registry (RFC 9110 section 16.1), which a path refuses with 405 and not with
// 501. Without TRACE and CONNECT, which change what the rest of the request means, and PRI, which
// is none.
constexpr std::array<std::string_view, 30> kOtherMethods = {"ACL",
                                                            "BASELINE-CONTROL",
                                                            "BIND",
                                                            "CHECKIN",
                                                            "CHECKOUT",
                                                            "COPY",
                                                            "LABEL",
                                                            "LINK",
                                                            "LOCK",
                                                            "MERGE",
                                                            "MKACTIVITY",
                                                            "MKCALENDAR",
                                                            "MKCOL",
                                                            "MKREDIRECTREF",
                                                            "MKWORKSPACE",
                                                            "MOVE",
                                                            "ORDERPATCH",
                                                            "PROPFIND",
                                                            "PROPPATCH",
                                                            "QUERY",
                                                            "REBIND",
                                                            "REPORT",
                                                            "SEARCH",
                                                            "UNBIND",
                                                            "UNCHECKOUT",
                                                            "UNLINK",
                                                            "UNLOCK",
                                                            "UPDATE",
                                                            "UPDATEREDIRECTREF",
                                                            "VERSION-CONTROL"};

Checked parse_method(std::string_view text, Method& method) {
  if (text.empty() || !all_are(text, kTokenChar)) {
    return bad_request("The request line does not begin with a method.");
  }
  for (const auto& [name, value] : kMethods) {
    if (text == name) {
      method = value;
      return {};
    }
  }
  if (std::ranges::find(kOtherMethods, text) != kOtherMethods.end()) {
    method = Method::other;
    return {};
  }
  if (text == "TRACE" || text == "CONNECT") {
    return Rejection{Refusal::method_not_allowed, "This method is never offered."};
  }
  return Rejection{Refusal::not_implemented, "The method is unknown."};
}

Checked parse_version(std::string_view text, Version& version) {
  const bool is_version = text.size() == 8 && text.starts_with("HTTP/") && is(text[5], kDigit) &&
                          text[6] == '.' && is(text[7], kDigit);
  if (!is_version) return bad_request("The request line does not end with an HTTP version.");
  if (text == "HTTP/1.1") {
    version = Version::http_1_1;
  } else if (text == "HTTP/1.0") {
    version = Version::http_1_0;
  } else {
    return Rejection{Refusal::version_not_supported, "Only HTTP/1.1 and HTTP/1.0 are spoken here."};
  }
  return {};
}

Slice slice(const char* base, std::string_view part) {
  if (part.empty()) return {};
  return {.at = static_cast<std::uint32_t>(part.data() - base),
          .size = static_cast<std::uint32_t>(part.size())};
}

}  // namespace

void Head::clear() {
  fields.clear();
  method_known = false;
  method_refusal.reset();
  path = query = authority = {};
  implied_path = {};
  body = BodyKind::none;
  content_length = 0;
  persistence = Persistence::keep_alive;
  expects_continue = false;
}

Checked parse_request_line(const char* base, std::string_view line, Head& head) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return bad_request("The request line is not method, target and version.");
  }
  if (auto rejection = parse_version(line.substr(last + 1), head.version)) return rejection;
  if (auto rejection = parse_method(line.substr(0, first), head.method)) {
    if (rejection->refusal == Refusal::bad_request) return rejection;
    head.method_refusal = rejection;
    return {};
  }
  head.method_known = true;

  const std::string_view text = line.substr(first + 1, last - first - 1);
  Target target;
  if (auto rejection = parse_target(head.method, text, target)) return rejection;
  head.authority = slice(base, target.authority);
  head.query = slice(base, target.query);
  const bool sent = target.path.data() >= base && target.path.data() < line.data() + line.size();
  head.path = sent ? slice(base, target.path) : Slice{};
  head.implied_path = sent ? std::string_view{} : target.path;
  return {};
}

Checked parse_field_line(std::string_view line, FieldLine& out) {
  if (line.front() == ' ' || line.front() == '\t') {
    return bad_request("A header field is folded over two lines.");
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return bad_request("A header field has no colon.");
  out.name = line.substr(0, colon);
  out.value = trim(line.substr(colon + 1));
  if (out.name.empty() || !all_are(out.name, kTokenChar)) {
    return bad_request("A header field has an invalid name.");
  }
  if (!all_are(out.value, kFieldChar)) {
    return bad_request("A header field has control characters.");
  }
  return {};
}

}  // namespace um::http

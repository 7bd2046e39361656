// What the fields of a header section say together: framing, Host, and those that must be alone.
#include <algorithm>
#include <array>
#include <charconv>

#include "drivers/http/characters.hpp"
#include "drivers/http/head.hpp"
#include "drivers/http/target.hpp"

namespace um::http {
namespace {

// Fields the check itself reads, then others of which a second one is refused because one reader
// might believe the first and another the last. (Of If-Match, too, although HTTP would take a
// list.)
enum Known : std::size_t { kHost, kContentLength, kTransferEncoding, kExpect, kReadHere };
constexpr std::array<std::string_view, 16> kSingleValued = {
    "host",         "content-length",      "transfer-encoding",
    "expect",       "authorization",       "content-type",
    "if-match",     "if-modified-since",   "range",
    "if-range",     "if-unmodified-since", "date",
    "max-forwards", "idempotency-key",     "proxy-authorization",
    "content-range"};
constexpr std::size_t kUnknown = kSingleValued.size();

std::size_t index_of(std::string_view name) {
  for (std::size_t i = 0; i < kSingleValued.size(); ++i) {
    if (equal_without_case(name, kSingleValued[i])) return i;
  }
  return kUnknown;
}

struct Facts {
  std::array<bool, kSingleValued.size()> seen{};
  std::array<std::string_view, kReadHere> values{};

  bool has(Known field) const { return seen[field]; }
  std::string_view value(Known field) const { return values[field]; }
};

// Calls `visit` with each member of a comma-separated list, without white space.
template <class Visit>
void for_each_member(std::string_view list, Visit visit) {
  while (true) {
    const std::size_t comma = std::min(list.find(','), list.size());
    visit(trim(list.substr(0, comma)));
    if (comma == list.size()) return;
    list.remove_prefix(comma + 1);
  }
}

bool has_option(std::string_view connection, std::string_view wanted) {
  bool found = false;
  for_each_member(connection, [&](std::string_view option) {
    found = found || equal_without_case(option, wanted);
  });
  return found;
}

// Looks at every field once.
Checked collect(const char* base, Head& head, Facts& facts) {
  bool asks_to_keep = false;
  bool asks_to_close = false;
  for (const Field& field : head.fields) {
    const std::string_view name = field.name.of(base);
    const std::string_view value = field.value.of(base);
    if (equal_without_case(name, "connection")) {
      asks_to_keep = asks_to_keep || has_option(value, "keep-alive");
      asks_to_close = asks_to_close || has_option(value, "close");
      continue;
    }
    const std::size_t index = index_of(name);
    if (index == kUnknown) continue;
    if (facts.seen[index]) return bad_request("A header field that must be alone was sent twice.");
    facts.seen[index] = true;
    if (index < kReadHere) facts.values[index] = value;
  }
  const bool keep = !asks_to_close && (head.version == Version::http_1_1 || asks_to_keep);
  head.persistence = keep ? Persistence::keep_alive : Persistence::close;
  return {};
}

Checked check_host(const char* base, const Head& head, const Facts& facts) {
  if (!facts.has(kHost)) {
    if (head.version == Version::http_1_0) return {};
    return bad_request("The Host field is missing.");
  }
  if (!is_host(facts.value(kHost))) return bad_request("The Host field is not valid.");
  const std::string_view authority = head.authority.of(base);
  if (!authority.empty() && !equal_without_case(authority, facts.value(kHost))) {
    return bad_request("The request target and the Host field name different hosts.");
  }
  return {};
}

// Codings that exist but are not offered; "chunked" counts only as the last of several.
bool are_known_codings(std::string_view list) {
  constexpr std::array<std::string_view, 5> kKnown = {"gzip", "x-gzip", "deflate", "compress",
                                                      "x-compress"};
  bool known = true;
  bool after_chunked = false;
  for_each_member(list, [&](std::string_view coding) {
    const auto same = [&](std::string_view name) { return equal_without_case(coding, name); };
    const bool is_chunked = same("chunked");
    known = known && !after_chunked && (is_chunked || std::ranges::any_of(kKnown, same));
    after_chunked = is_chunked;
  });
  return known;
}

Checked check_transfer_encoding(const Facts& facts, Head& head) {
  if (facts.has(kContentLength)) {
    return bad_request("Transfer-Encoding and Content-Length exclude each other.");
  }
  if (head.version == Version::http_1_0) {
    return bad_request("HTTP/1.0 has no Transfer-Encoding.");
  }
  const std::string_view value = facts.value(kTransferEncoding);
  if (!equal_without_case(value, "chunked")) {
    if (!are_known_codings(value)) return bad_request("The Transfer-Encoding is not valid.");
    return Rejection{Refusal::not_implemented, "Of transfer codings only chunked is offered."};
  }
  head.body = BodyKind::chunked;
  return {};
}

Checked check_content_length(std::string_view value, const Limits& limits, Head& head) {
  if (value.empty() || !all_are(value, kDigit)) {
    return bad_request("The Content-Length is not a number.");
  }
  const auto [rest, error] = std::from_chars(value.begin(), value.end(), head.content_length);
  if (error != std::errc{} || head.content_length > limits.body_bytes) {
    return Rejection{Refusal::content_too_large, "The body is larger than this server takes."};
  }
  head.body = head.content_length == 0 ? BodyKind::none : BodyKind::sized;
  return {};
}

Checked check_framing(const Facts& facts, const Limits& limits, Head& head) {
  if (facts.has(kTransferEncoding)) return check_transfer_encoding(facts, head);
  if (facts.has(kContentLength)) {
    return check_content_length(facts.value(kContentLength), limits, head);
  }
  return {};
}

// RFC 9110 section 10.1.1: HTTP/1.0 clients do not know the field; it is ignored from them.
Checked check_expect(const Facts& facts, Head& head) {
  if (!facts.has(kExpect) || head.version == Version::http_1_0) return {};
  if (!equal_without_case(facts.value(kExpect), "100-continue")) {
    return Rejection{Refusal::expectation_failed, "Only 100-continue can be expected."};
  }
  head.expects_continue = head.body != BodyKind::none;
  return {};
}

}  // namespace

Checked check_head(const char* base, const Limits& limits, Head& head) {
  Facts facts;
  if (auto rejection = collect(base, head, facts)) return rejection;
  if (auto rejection = check_host(base, head, facts)) return rejection;
  if (auto rejection = check_framing(facts, limits, head)) return rejection;
  return check_expect(facts, head);
}

}  // namespace um::http

#include "drivers/http/head.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "drivers/http/target.hpp"

namespace um::http {

Line next_line(std::string_view input, std::size_t limit) {
  const std::string_view window = input.substr(0, limit + 2);
  const std::size_t lf = window.find('\n');
  const std::size_t end = std::min(lf, window.size());
  const std::size_t cr = window.substr(0, end).find('\r');
  if (lf != std::string_view::npos) {
    if (cr == std::string_view::npos || cr + 1 != lf) return {.status = LineStatus::malformed};
    return {.status = LineStatus::complete, .text = window.substr(0, cr)};
  }
  if (cr != std::string_view::npos && cr + 1 < window.size()) {
    return {.status = LineStatus::malformed};
  }
  if (window.size() == limit + 2) return {.status = LineStatus::too_long};
  return {.status = LineStatus::need_more};
}

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

// The other methods of the registry (RFC 9110 section 16.1): a path refuses them with 405 and not
// with 501. TRACE and CONNECT are missing because they change what the rest of the request means,
// PRI because it is no method.
// clang-format off
constexpr std::array<std::string_view, 30> kOtherMethods = {
    "ACL", "BASELINE-CONTROL", "BIND", "CHECKIN", "CHECKOUT", "COPY", "LABEL", "LINK", "LOCK",
    "MERGE", "MKACTIVITY", "MKCALENDAR", "MKCOL", "MKREDIRECTREF", "MKWORKSPACE", "MOVE",
    "ORDERPATCH", "PROPFIND", "PROPPATCH", "QUERY", "REBIND", "REPORT", "SEARCH", "UNBIND",
    "UNCHECKOUT", "UNLINK", "UNLOCK", "UPDATE", "UPDATEREDIRECTREF", "VERSION-CONTROL"};
// clang-format on

std::optional<Refusal> parse_method(std::string_view text, Method& method) {
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
    return Refusal{Refusal::Reason::method_not_allowed, "This method is never offered."};
  }
  return Refusal{Refusal::Reason::not_implemented, "The method is unknown."};
}

std::optional<Refusal> parse_version(std::string_view text, Version& version) {
  const bool is_version = text.size() == 8 && text.starts_with("HTTP/") && is(text[5], kDigit) &&
                          text[6] == '.' && is(text[7], kDigit);
  if (!is_version) return bad_request("The request line does not end with an HTTP version.");
  if (text == "HTTP/1.1") {
    version = Version::http_1_1;
  } else if (text == "HTTP/1.0") {
    version = Version::http_1_0;
  } else {
    return Refusal{Refusal::Reason::version_not_supported,
                   "Only HTTP/1.1 and HTTP/1.0 are spoken here."};
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

std::optional<Refusal> parse_request_line(const char* base, std::string_view line, Head& head) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return bad_request("The request line is not method, target and version.");
  }
  if (auto refusal = parse_version(line.substr(last + 1), head.version)) return refusal;
  if (auto refusal = parse_method(line.substr(0, first), head.method)) {
    if (refusal->reason == Refusal::Reason::bad_request) return refusal;
    head.method_refusal = refusal;
    return {};
  }
  head.method_known = true;

  const std::string_view text = line.substr(first + 1, last - first - 1);
  Target target;
  if (auto refusal = parse_target(head.method, text, target)) return refusal;
  head.authority = slice(base, target.authority);
  head.query = slice(base, target.query);
  const bool sent = target.path.data() >= base && target.path.data() < line.data() + line.size();
  head.path = sent ? slice(base, target.path) : Slice{};
  head.implied_path = sent ? std::string_view{} : target.path;
  return {};
}

std::optional<Refusal> parse_field_line(std::string_view line, FieldLine& out) {
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

// The rules for the fields of a header section together: framing, Host, and fields that must be
// alone.
namespace {

// Fields that may be sent once only: with two of them one program might use the first and another
// the last. (If-Match is among them although HTTP allows a list.) The check itself reads the values
// of those before kReadHere.
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

// Goes through the fields once: fills `facts` and the persistence.
std::optional<Refusal> collect(const char* base, Head& head, Facts& facts) {
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

std::optional<Refusal> check_host(const char* base, const Head& head, const Facts& facts) {
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

std::optional<Refusal> check_transfer_encoding(const Facts& facts, Head& head) {
  if (facts.has(kContentLength)) {
    return bad_request("Transfer-Encoding and Content-Length exclude each other.");
  }
  if (head.version == Version::http_1_0) {
    return bad_request("HTTP/1.0 has no Transfer-Encoding.");
  }
  const std::string_view value = facts.value(kTransferEncoding);
  if (!equal_without_case(value, "chunked")) {
    if (!are_known_codings(value)) return bad_request("The Transfer-Encoding is not valid.");
    return Refusal{Refusal::Reason::not_implemented,
                   "Of transfer codings only chunked is offered."};
  }
  head.body = BodyKind::chunked;
  return {};
}

std::optional<Refusal> check_content_length(std::string_view value, const Limits& limits,
                                            Head& head) {
  if (value.empty() || !all_are(value, kDigit)) {
    return bad_request("The Content-Length is not a number.");
  }
  const auto [rest, error] = std::from_chars(value.begin(), value.end(), head.content_length);
  if (error != std::errc{} || head.content_length > limits.body_bytes) {
    return Refusal{Refusal::Reason::content_too_large,
                   "The body is larger than this server takes."};
  }
  head.body = head.content_length == 0 ? BodyKind::none : BodyKind::sized;
  return {};
}

std::optional<Refusal> check_framing(const Facts& facts, const Limits& limits, Head& head) {
  if (facts.has(kTransferEncoding)) return check_transfer_encoding(facts, head);
  if (facts.has(kContentLength)) {
    return check_content_length(facts.value(kContentLength), limits, head);
  }
  return {};
}

// RFC 9110 section 10.1.1: the field of an HTTP/1.0 client is ignored.
std::optional<Refusal> check_expect(const Facts& facts, Head& head) {
  if (!facts.has(kExpect) || head.version == Version::http_1_0) return {};
  if (!equal_without_case(facts.value(kExpect), "100-continue")) {
    return Refusal{Refusal::Reason::expectation_failed, "Only 100-continue can be expected."};
  }
  head.expects_continue = head.body != BodyKind::none;
  return {};
}

}  // namespace

std::optional<Refusal> check_head(const char* base, const Limits& limits, Head& head) {
  Facts facts;
  if (auto refusal = collect(base, head, facts)) return refusal;
  if (auto refusal = check_host(base, head, facts)) return refusal;
  if (auto refusal = check_framing(facts, limits, head)) return refusal;
  return check_expect(facts, head);
}

}  // namespace um::http

#include "api/exchange.hpp"

#include <algorithm>
#include <charconv>

#include "api/json_body.hpp"
#include "base/json_writer.hpp"
#include "drivers/http/characters.hpp"
#include "drivers/http/field_values.hpp"
#include "drivers/http/query.hpp"

namespace um::api {
namespace {

constexpr std::int64_t kMaxStaleSeconds = 24 * 60 * 60;
constexpr std::string_view kMergePatch = "application/merge-patch+json";

// RFC 7396 has a media type of its own; PATCH accepts it beside application/json.
bool is_acceptable(std::string_view content_type, http::Method method) {
  if (http::is_json_content_type(content_type)) return true;
  if (method != http::Method::patch || content_type.size() < kMergePatch.size()) return false;
  if (!http::equal_without_case(content_type.substr(0, kMergePatch.size()), kMergePatch)) {
    return false;
  }
  return http::is_json_content_type(
      std::string{"application/json"}.append(content_type.substr(kMergePatch.size())));
}

void apply_directive(std::string_view directive, ReadOptions& options) {
  constexpr std::string_view kMaxStale = "max-stale";
  if (http::equal_without_case(directive, "no-cache")) options.from_primary = true;
  if (!http::equal_without_case(directive.substr(0, kMaxStale.size()), kMaxStale)) return;
  const std::string_view rest = directive.substr(kMaxStale.size());
  std::int64_t seconds = kMaxStaleSeconds;  // without a value: of any age
  if (rest.starts_with('=')) {
    const char* const end = rest.data() + rest.size();
    const auto parsed = std::from_chars(rest.data() + 1, end, seconds);
    if (parsed.ec == std::errc::result_out_of_range)
      seconds = kMaxStaleSeconds;
    else if (parsed.ec != std::errc{} || parsed.ptr != end)
      return;
  } else if (!rest.empty()) {
    return;
  }
  options.max_stale = std::chrono::seconds{std::clamp<std::int64_t>(seconds, 0, kMaxStaleSeconds)};
}

// "version-digest-counters" without its quotes.
std::optional<Revision> revision_of(std::string_view tag) {
  const std::size_t first = tag.find('-');
  const std::size_t last = tag.rfind('-');
  if (first == std::string_view::npos || first == last) return std::nullopt;
  Revision revision{.digest = std::string{tag.substr(first + 1, last - first - 1)}};
  const char* const end = tag.data() + first;
  const auto parsed = std::from_chars(tag.data(), end, revision.version);
  if (parsed.ec != std::errc{} || parsed.ptr != end || revision.digest.empty()) return std::nullopt;
  return revision;
}

// The revisions that If-Match compares with. A weak tag equals nothing and is left out.
std::vector<Revision> strong_revisions(const http::EntityTagList& list) {
  std::vector<Revision> revisions;
  for (const http::EntityTag& tag : list.tags()) {
    auto revision = revision_of(tag.opaque);
    if (revision && !tag.weak) revisions.push_back(*std::move(revision));
  }
  return revisions;
}

}  // namespace

std::expected<UserId, Problem> Exchange::user_id() const {
  if (const auto parsed = UserId::parse(argument)) return *parsed;
  return refuse(ProblemCode::user_not_found);
}

std::optional<Email> Exchange::email() const {
  const auto text = http::decode_path_segment(argument);
  if (!text) return std::nullopt;
  return Email::parse(*text);
}

ReadOptions Exchange::read_options() const {
  ReadOptions options{.deadline = deadline};
  std::string_view field = request.header("Cache-Control");
  while (!field.empty()) {
    const std::size_t comma = field.find(',');
    apply_directive(http::trim(field.substr(0, comma)), options);
    field = comma == std::string_view::npos ? std::string_view{} : field.substr(comma + 1);
  }
  return options;
}

std::expected<JsonValue, Problem> read_json(const Exchange& exchange) {
  if (!is_acceptable(exchange.request.header("Content-Type"), exchange.request.method)) {
    return refuse(ProblemCode::unsupported_media_type);
  }
  return parse_json(exchange.request.body);
}

std::expected<UserInput, Problem> read_user_input(const Exchange& exchange) {
  const auto body = read_json(exchange);
  if (!body) return std::unexpected(body.error());
  return read_object(*body, user_fields());
}

std::expected<std::optional<RevisionMatch>, Problem> read_if_match(const Exchange& exchange) {
  // An empty field is no list and is refused: its sender meant to guard the change.
  if (!exchange.request.has_header("If-Match")) return std::optional<RevisionMatch>{};
  const auto tags = http::parse_entity_tags(exchange.request.header("If-Match"));
  if (!tags) {
    return refuse(
        ProblemCode::malformed_request,
        "If-Match must be * or a list of entity tags in double quotes, as ETag gives them");
  }
  if (tags->any()) return RevisionMatch{.any = true};
  return RevisionMatch{.revisions = strong_revisions(*tags)};
}

bool if_none_match(const http::Request& request, std::string_view etag) {
  const std::string_view field = request.header("If-None-Match");
  if (field.empty()) return false;
  if (field == etag) return true;
  const auto tags = http::parse_entity_tags(field);
  return tags && tags->matches_weakly(etag.substr(1, etag.size() - 2));
}

void answer_json(Exchange& exchange, unsigned status, std::string body) {
  exchange.response.status = status;
  exchange.response.headers += "Content-Type: application/json\r\n";
  exchange.response.body = std::move(body);
}

void answer_message(Exchange& exchange, std::string_view message) {
  JsonWriter body;
  body.open_object().member("message", message).close();
  exchange.response.headers += "Cache-Control: no-store\r\n";
  answer_json(exchange, 200, body.take());
}

}  // namespace um::api

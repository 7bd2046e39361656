#include "api/list_query.hpp"

#include <charconv>

#include "drivers/http/query.hpp"

namespace um::api {
namespace {

// Digits without sign and leading zeros, as UserId::parse reads them, but zero as well.
std::optional<std::int64_t> parse_number(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
  }
  std::int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{}) return std::nullopt;
  return value;
}

// Reads the known parameters and collects their errors.
class Reader {
 public:
  explicit Reader(const http::Query& query) : query_{query} {}

  std::optional<std::string_view> text(std::string_view name) {
    if (query_.count(name) > 1) reject(name, "repeated", "must be given once");
    return query_.find(name);
  }
  struct Range {
    std::int64_t min;
    std::int64_t max;
  };
  std::optional<std::int64_t> number(std::string_view name, Range range) {
    const auto value = text(name);
    if (!value) return std::nullopt;
    const auto parsed = parse_number(*value);
    if (parsed && *parsed >= range.min && *parsed <= range.max) return parsed;
    reject(name, "out_of_range",
           "must be a whole number from " + std::to_string(range.min) + " to " +
               std::to_string(range.max));
    return std::nullopt;
  }
  void reject(std::string_view name, std::string_view code, std::string message) {
    errors_.push_back({std::string{name}, std::string{code}, std::move(message)});
  }
  std::vector<FieldError>& errors() { return errors_; }

 private:
  const http::Query& query_;
  std::vector<FieldError> errors_;
};

void read_count(Reader& reader, ListQuery& result) {
  const auto count = reader.text("count");
  if (!count) return;
  if (*count != "true" && *count != "false") {
    reader.reject("count", "invalid", "must be true or false");
  }
  result.count = *count == "true";
}

// A character of a query that could end or confuse a Link field.
bool needs_escape(char c) {
  return static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) >= 0x7F ||
         std::string_view{"<>\"\\^`{|}"}.find(c) != std::string_view::npos;
}

void append_escaped(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : text) {
    if (!needs_escape(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.append("%").append(1, kHex[byte >> 4U]).append(1, kHex[byte & 0xFU]);
  }
}

bool is_known(std::string_view name, Keyword keyword) {
  return name == "page" || name == "per_page" || name == "after" || name == "count" ||
         (keyword == Keyword::taken && name == "keyword");
}

// The query without `parameter`, however its name is escaped, and with its new value at the end.
std::string query_with(const ListPlace& place, std::string_view parameter, std::int64_t value) {
  std::string out = "?";
  std::string_view raw = place.query;
  while (!raw.empty()) {
    const std::size_t end = raw.find('&');
    const std::string_view piece = raw.substr(0, end);
    raw = end == std::string_view::npos ? std::string_view{} : raw.substr(end + 1);
    const auto parsed = http::parse_query(piece);
    if (!parsed || parsed->empty()) continue;
    const std::string& name = parsed->parameters().front().name;
    if (name == parameter || !is_known(name, place.keyword)) continue;
    append_escaped(out, piece);
    out += '&';
  }
  out.append(parameter).append("=").append(std::to_string(value));
  return out;
}

}  // namespace

Users::ListRequest ListQuery::request() const {
  Users::ListRequest request{.keyword = keyword, .count = count};
  request.page.limit = per_page;
  if (after) {
    request.page.after = UserId::from(*after);
  } else {
    request.page.offset = (page - 1) * per_page;
  }
  return request;
}

std::expected<ListQuery, Problem> parse_list_query(std::string_view raw, ListQueryRules rules) {
  const auto query = http::parse_query(raw);
  if (!query) return refuse(to_problem(query.error()));
  Reader reader{*query};
  ListQuery result;
  result.page = reader.number("page", {1, ListQuery::kMaxPage}).value_or(1);
  result.per_page =
      reader.number("per_page", {1, ListQuery::kMaxPerPage}).value_or(rules.default_per_page);
  result.after = reader.number("after", {0, INT64_MAX});
  if (query->find("after") && query->find("page")) {
    reader.reject("after", "contradiction", "cannot be combined with page");
  }
  read_count(reader, result);
  if (rules.keyword == Keyword::taken) result.keyword = reader.text("keyword").value_or("");
  if (!reader.errors().empty()) return refuse(invalid_fields(std::move(reader.errors())));
  return result;
}

std::string link_field(const ListPlace& place, const ListQuery& query, const UserPage& page) {
  std::string out;
  const auto add = [&](std::string_view relation, std::string_view parameter, std::int64_t value) {
    if (!out.empty()) out += ", ";
    out.append("<").append(place.path).append(query_with(place, parameter, value));
    out.append(">; rel=\"").append(relation).append("\"");
  };
  if (query.after) {
    add("first", "after", 0);
    if (page.more && !page.users.empty()) add("next", "after", page.users.back()->user.id.value());
    return out;
  }
  add("first", "page", 1);
  if (query.page > 1) add("prev", "page", query.page - 1);
  if (page.more && query.page < ListQuery::kMaxPage) add("next", "page", query.page + 1);
  return out;
}

}  // namespace um::api

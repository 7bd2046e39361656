#include "drivers/http/query.hpp"

#include <algorithm>

#include "base/utf8.hpp"
#include "drivers/http/characters.hpp"

namespace um::http {
namespace {

enum class Plus { is_space, is_plus };

// nullopt if `raw` has a bad escape or does not decode to UTF-8 without U+0000.
std::optional<std::string> decode(std::string_view raw, Plus plus) {
  std::string text;
  text.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    char c = raw[i];
    if (c == '%') {
      if (raw.size() - i < 3 || !is(raw[i + 1], kHexDigit) || !is(raw[i + 2], kHexDigit)) {
        return std::nullopt;
      }
      c = static_cast<char>(hex_value(raw[i + 1]) * 16 + hex_value(raw[i + 2]));
      i += 2;
    } else if (c == '+' && plus == Plus::is_space) {
      c = ' ';
    }
    if (c == '\0') return std::nullopt;
    text.push_back(c);
  }
  if (!is_utf8(text)) return std::nullopt;
  return text;
}

Error invalid_parameter(std::string_view name) {
  constexpr std::string_view kWhy = "is not percent-encoded UTF-8";
  Error error{.code = ErrorCode::invalid, .detail = "the query " + std::string{kWhy}};
  if (!name.empty()) {
    error.fields.push_back({.field = std::string{name},
                            .code = "invalid_encoding",
                            .message = std::string{name} + " " + std::string{kWhy}});
  }
  return error;
}

Result<QueryParameter> parse_parameter(std::string_view piece) {
  const std::size_t equals = piece.find('=');
  auto name = decode(piece.substr(0, equals), Plus::is_space);
  if (!name) return fail(invalid_parameter({}));
  if (name->empty()) return fail(ErrorCode::invalid, "the query has a value without a name");
  std::string_view raw_value;
  if (equals != std::string_view::npos) raw_value = piece.substr(equals + 1);
  auto value = decode(raw_value, Plus::is_space);
  if (!value) return fail(invalid_parameter(*name));
  return QueryParameter{.name = std::move(*name), .value = std::move(*value)};
}

}  // namespace

std::size_t Query::count(std::string_view name) const {
  const auto same = [&](const QueryParameter& parameter) { return parameter.name == name; };
  return static_cast<std::size_t>(std::ranges::count_if(parameters_, same));
}

std::optional<std::string_view> Query::find(std::string_view name) const {
  for (const QueryParameter& parameter : parameters_) {
    if (parameter.name == name) return parameter.value;
  }
  return std::nullopt;
}

Result<Query> parse_query(std::string_view raw) {
  Query query;
  while (!raw.empty()) {
    const std::size_t end = std::min(raw.find('&'), raw.size());
    const std::string_view piece = raw.substr(0, end);
    raw.remove_prefix(std::min(end + 1, raw.size()));
    if (piece.empty()) continue;
    if (query.parameters_.size() == Query::kMaxParameters) {
      return fail(ErrorCode::invalid, "the query has too many parameters");
    }
    auto parameter = parse_parameter(piece);
    if (!parameter) return fail(std::move(parameter.error()));
    query.parameters_.push_back(std::move(*parameter));
  }
  return query;
}

Result<std::string> decode_path_segment(std::string_view raw) {
  auto text = decode(raw, Plus::is_plus);
  if (!text) return fail(ErrorCode::invalid, "the path is not percent-encoded UTF-8");
  return std::move(*text);
}

}  // namespace um::http

// Query strings and path segments: percent-decoding that refuses malformed escapes.
//
// Escapes must be '%' and two hex digits (RFC 3986 section 2.1); the result must be UTF-8
// without U+0000. In a query '+' is a space, as HTML forms and the usual clients write it; in a
// path it is a plus. Failures are ErrorCode::invalid with the parameter's name in `fields` where it
// is known.
//
// Thread safety: pure functions; Query is a value.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace um::http {

struct QueryParameter {
  std::string name;   // decoded, never empty
  std::string value;  // decoded; empty for "name" and "name="
  bool operator==(const QueryParameter&) const = default;
};

// The parameters in the order they were sent. Repeated ones are all there; count() tells how many.
class Query {
 public:
  static constexpr std::size_t kMaxParameters = 64;

  const std::vector<QueryParameter>& parameters() const { return parameters_; }
  bool empty() const { return parameters_.empty(); }
  std::size_t count(std::string_view name) const;
  // The first of that name; nullopt if it was not sent.
  std::optional<std::string_view> find(std::string_view name) const;

 private:
  friend Result<Query> parse_query(std::string_view raw);
  std::vector<QueryParameter> parameters_;
};

// `raw` is Request::query: without the '?'. Empty pieces ("a=1&&b=2&") are skipped; a value without
// a name, more than kMaxParameters, bad escapes and bad UTF-8 are refused.
Result<Query> parse_query(std::string_view raw);

// One segment of Request::path, between two slashes; "%2F" becomes a '/' that separates nothing.
Result<std::string> decode_path_segment(std::string_view raw);

}  // namespace um::http

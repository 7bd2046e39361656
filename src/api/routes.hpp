// The route table: every endpoint with its access rule and its handler, on one screen of
// routes.cpp.
//
// Matching is exact, case-sensitive and without allocation: literal parts of a pattern are compared
// with the raw path, so an escaped form of a literal is another path; the one argument is a segment
// that is not empty. HEAD is served wherever GET is. Thread safety: constant data.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "api/access.hpp"
#include "api/problem.hpp"
#include "api/schemas.hpp"
#include "async/task.hpp"
#include "drivers/http/message.hpp"

namespace um::api {

class Exchange;
struct Services;

// "/user/{id}/usage" split at its argument.
struct Pattern {
  std::string_view text;
  std::string_view before{};
  std::string_view name{};  // of the argument; empty: there is none
  std::string_view after{};

  consteval Pattern(const char* pattern) : text{pattern}, before{text} {
    const std::size_t open = text.find('{');
    if (open == std::string_view::npos) return;
    const std::size_t close = text.find('}');
    before = text.substr(0, open);
    name = text.substr(open + 1, close - open - 1);
    after = text.substr(close + 1);
  }
  // The argument (empty if the pattern has none), or nullopt.
  constexpr std::optional<std::string_view> match(std::string_view path) const {
    if (!path.starts_with(before)) return std::nullopt;
    path.remove_prefix(before.size());
    if (name.empty()) return path.empty() ? std::optional{std::string_view{}} : std::nullopt;
    if (!path.ends_with(after)) return std::nullopt;
    path.remove_suffix(after.size());
    if (path.empty() || path.find('/') != std::string_view::npos) return std::nullopt;
    return path;
  }
};

// How long an answer may take (ApiOptions): a look-up of one user, most requests, requests that
// hash a password.
enum class Patience { lookup, ordinary, password };

// Does /path/ match as well? Only where the Go program had it so.
enum class TrailingSlash { refused, accepted };

// See handlers.hpp.
using Handler = Task<Answer> (*)(Exchange&, const Services&);
// The way of a hit, without waiting: nullopt if the answer needs I/O.
using HandlerNow = std::optional<Answer> (*)(Exchange&, const Services&);

struct Route {
  std::string_view name;  // in metrics, logs and the OpenAPI document
  http::Method method;
  Pattern pattern;
  Access access;
  Patience patience;
  Schema body;  // none: a body is ignored
  Schema answer;
  Handler handle;
  HandlerNow handle_now = nullptr;
  TrailingSlash trailing_slash = TrailingSlash::refused;
};

std::span<const Route> routes();

struct Match {
  const Route* route = nullptr;  // null: none
  std::string_view argument{};
  unsigned methods = 0;  // without a route: the methods of this path, one bit each; 0: no such path
};
Match match_route(http::Method method, std::string_view path);

// "GET, HEAD, PUT, OPTIONS": the value of Allow.
std::string allow_field(unsigned methods);
// The same for every method that some path has, for `OPTIONS *`.
unsigned all_methods();
constexpr unsigned method_bit(http::Method method) {
  return 1U << static_cast<unsigned>(method);
}

}  // namespace um::api

// Handlers about one user (reading, creating, changing, removing, usage) and about lists of users.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "api/handlers.hpp"
#include "api/list_query.hpp"
#include "base/json_writer.hpp"

namespace um::api::handlers {
namespace {

// An answer about a user is for the caller alone. A client must ask again each time, which
// If-None-Match makes cheap.
constexpr std::string_view kUserHeaders =
    "Cache-Control: private, no-cache\r\n"
    "Vary: Authorization\r\n";

// RFC 9211. A forwarded read says why memory did not answer: the request insisted on the primary,
// memory had a value without a valid lease, or it had none.
std::string_view cache_status(const UserReading& reading, const ReadOptions& options) {
  switch (reading.source) {
    case Source::l1:
      return "Cache-Status: user-manager; hit; detail=L1\r\n";
    case Source::l2:
      return "Cache-Status: user-manager; hit; detail=L2\r\n";
    case Source::stale:
      return "Cache-Status: user-manager; hit; detail=STALE\r\n";
    case Source::primary:
      if (options.from_primary) return "Cache-Status: user-manager; fwd=request\r\n";
      return reading.memory_was_stale ? "Cache-Status: user-manager; fwd=stale\r\n"
                                      : "Cache-Status: user-manager; fwd=miss\r\n";
  }
  return "";
}

// Cache-Status and, if the answer is stale, Age; complete lines.
void append_cache_status(std::string& headers, const UserReading& reading,
                         const ReadOptions& options) {
  headers += cache_status(reading, options);
  if (!reading.age) return;
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, reading.age->count()).ptr;
  headers.append("Age: ").append(digits, end).append("\r\n");
}

void append_etag(http::Response& response, const UserRecord& user) {
  response.add("ETag", user.etag);
  response.headers += kUserHeaders;
}

// The prepared representation, shared and not copied, with its ETag and the status that is set.
void answer_record(Exchange& exchange, const UserRef& user) {
  append_etag(exchange.response, *user);
  exchange.response.headers += "Content-Type: application/json\r\n";
  exchange.response.shared_body = std::shared_ptr<const std::string>{user, &user->json};
}

// 200, 304 or user_not_found.
Answer answer_reading(Exchange& exchange, const UserReading& reading, const ReadOptions& options) {
  if (!reading.value) {
    Problem problem{.code = ProblemCode::user_not_found};
    append_cache_status(problem.headers, reading, options);
    return refuse(std::move(problem));
  }
  append_cache_status(exchange.response.headers, reading, options);
  if (if_none_match(exchange.request, reading.value->etag)) {
    exchange.response.status = 304;
    append_etag(exchange.response, *reading.value);
    return {};
  }
  answer_record(exchange, reading.value);
  return {};
}

// `key` names the user: an id or an address; nullopt if the path has neither.
template <class Key>
std::optional<Answer> get_now(Exchange& exchange, Users& users, const std::optional<Key>& key) {
  if (!key) return refuse(ProblemCode::user_not_found);
  const ReadOptions options = exchange.read_options();
  const auto reading = users.read_now(*key, options, exchange.request.read_at);
  if (!reading) return std::nullopt;
  return answer_reading(exchange, *reading, options);
}

template <class Key>
Task<Answer> get(Exchange& exchange, Users& users, std::optional<Key> key) {
  if (!key) co_return refuse(ProblemCode::user_not_found);
  const ReadOptions options = exchange.read_options();
  Result<UserReading> reading = co_await users.read(*key, options);
  if (!reading) co_return refuse(to_problem(std::move(reading.error())));
  co_return answer_reading(exchange, *reading, options);
}

}  // namespace

std::optional<Answer> user_by_id_now(Exchange& exchange, Users& users) {
  return get_now(exchange, users, UserId::parse(exchange.argument));
}
std::optional<Answer> user_by_email_now(Exchange& exchange, Users& users) {
  return get_now(exchange, users, exchange.email());
}
std::optional<Answer> me_now(Exchange& exchange, Users& users) {
  return get_now(exchange, users, std::optional{exchange.principal().id()});
}
Task<Answer> user_by_id(Exchange& exchange, Users& users) {
  return get(exchange, users, UserId::parse(exchange.argument));
}
Task<Answer> user_by_email(Exchange& exchange, Users& users) {
  return get(exchange, users, exchange.email());
}
Task<Answer> me(Exchange& exchange, Users& users) {
  return get(exchange, users, std::optional{exchange.principal().id()});
}

namespace {

std::string array_of(const std::vector<UserRef>& users) {
  std::size_t size = 2;
  for (const UserRef& user : users) size += user->json.size() + 1;
  std::string body;
  body.reserve(size);
  body += '[';
  for (const UserRef& user : users) {
    if (body.size() > 1) body += ',';
    body += user->json;
  }
  body += ']';
  return body;
}

Task<Answer> answer_list(Exchange& exchange, Users& users, ListQueryRules rules) {
  const auto query = parse_list_query(exchange.request.query, rules);
  if (!query) co_return refuse(query.error());
  Result<UserPage> page = co_await users.list(query->request(), exchange.deadline);
  if (!page) co_return refuse(to_problem(std::move(page.error())));

  http::Response& response = exchange.response;
  // RFC 9211: a list is never answered from a cache.
  response.headers += "Cache-Status: user-manager; fwd=bypass\r\n";
  response.headers += kUserHeaders;
  const std::string link = link_field(
      {.path = exchange.request.path, .query = exchange.request.query, .keyword = rules.keyword},
      *query, *page);
  if (!link.empty()) response.add("Link", link);
  if (page->total) response.add("X-Total-Count", std::to_string(*page->total));
  answer_json(exchange, 200, array_of(page->users));
  co_return Answer{};
}

}  // namespace

Task<Answer> list_users(Exchange& exchange, Users& users) {
  return answer_list(exchange, users, {.default_per_page = 10, .keyword = Keyword::ignored});
}
Task<Answer> search_users(Exchange& exchange, Users& users) {
  return answer_list(exchange, users, {.default_per_page = 20, .keyword = Keyword::taken});
}

Task<Answer> create_user(Exchange& exchange, Users& users, const TrustedProxies& proxies) {
  auto input = read_user_input(exchange);
  if (!input) co_return refuse(std::move(input.error()));
  Users::CreateRequest request{.input = std::move(*input),
                               .address = proxies.client_address(exchange.request)};
  Result<UserRef> user =
      co_await users.create(exchange.caller, std::move(request), exchange.deadline);
  if (!user && user.error().code == ErrorCode::unauthenticated) {
    co_return refuse(ProblemCode::token_missing, std::move(user.error().detail));
  }
  if (!user) co_return refuse(to_problem(std::move(user.error())));
  exchange.response.status = 201;
  exchange.response.add("Location", "/user/" + (*user)->user.id.text());
  answer_record(exchange, *user);
  co_return Answer{};
}

namespace {

std::expected<Users::ChangeRequest, Problem> read_change(const Exchange& exchange,
                                                         const TrustedProxies& proxies) {
  const auto id = exchange.user_id();
  if (!id) return std::unexpected(id.error());
  auto if_match = read_if_match(exchange);
  if (!if_match) return std::unexpected(std::move(if_match.error()));
  auto input = read_user_input(exchange);
  if (!input) return std::unexpected(std::move(input.error()));
  return Users::ChangeRequest{.id = *id,
                              .input = std::move(*input),
                              .if_match = std::move(*if_match),
                              .address = proxies.client_address(exchange.request)};
}

Answer answer_change(Exchange& exchange, Result<UserRef> changed) {
  if (!changed) return refuse(to_problem(std::move(changed.error())));
  const UserRecord& user = **changed;
  append_etag(exchange.response, user);
  JsonWriter body;
  body.open_object().member("message", "User updated successfully");
  body.raw_member("user", user.json).close();
  answer_json(exchange, 200, body.take());
  return {};
}

}  // namespace

Task<Answer> replace_user(Exchange& exchange, Users& users, const TrustedProxies& proxies) {
  auto change = read_change(exchange, proxies);
  if (!change) co_return refuse(std::move(change.error()));
  Result<UserRef> changed =
      co_await users.replace(exchange.principal(), std::move(*change), exchange.deadline);
  co_return answer_change(exchange, std::move(changed));
}

Task<Answer> patch_user(Exchange& exchange, Users& users, const TrustedProxies& proxies) {
  auto change = read_change(exchange, proxies);
  if (!change) co_return refuse(std::move(change.error()));
  Result<UserRef> changed =
      co_await users.patch(exchange.principal(), std::move(*change), exchange.deadline);
  co_return answer_change(exchange, std::move(changed));
}

Task<Answer> delete_user(Exchange& exchange, Users& users) {
  const auto id = exchange.user_id();
  if (!id) co_return refuse(id.error());
  auto if_match = read_if_match(exchange);
  if (!if_match) co_return refuse(std::move(if_match.error()));
  Result<void> removed = co_await users.remove(*id, std::move(*if_match), exchange.deadline);
  if (!removed) co_return refuse(to_problem(std::move(removed.error())));
  answer_message(exchange, "User deleted successfully");
  co_return Answer{};
}

namespace {

bool is_printable_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

std::expected<UsageRecord, Problem> read_usage(const Exchange& exchange) {
  const auto id = exchange.user_id();
  if (!id) return std::unexpected(id.error());
  const auto json = read_json(exchange);
  if (!json) return std::unexpected(json.error());
  const auto body = read_object(*json, usage_fields());
  if (!body) return std::unexpected(body.error());
  if (!body->usd.value) return refuse(invalid_field({"usd", "required", "is required"}));
  const auto amount = Usd::parse(*body->usd.value);
  if (!amount || amount->negative()) {
    return refuse(
        invalid_field({"usd", amount ? "negative" : "invalid",
                       fmt::format("must be a plain decimal from 0 to {} with at most {} decimals",
                                   Usd::max().text(), Usd::kDecimals)}));
  }
  UsageRecord usage{.user = *id, .amount = *amount};
  if (exchange.request.has_header("Idempotency-Key")) {
    const std::string_view key = exchange.request.header("Idempotency-Key");
    if (!is_printable_ascii(key)) {
      return refuse(invalid_field({"Idempotency-Key", "invalid", "must be printable ASCII"}));
    }
    usage.idempotency_key = std::string{key};
  }
  return usage;
}

std::string usage_json(const UsageTotals& totals) {
  JsonWriter json;
  json.open_object().raw_member("used_usd", totals.used_usd.text());
  if (totals.quota_usd) {
    const std::int64_t rest = totals.quota_usd->micros() - totals.used_usd.micros();
    // Both are within the bound of an amount, so the difference is within twice the bound: it may
    // have no Usd.
    const Usd remaining = Usd::from_micros(std::max(rest, -Usd::kMaxMicros)).value_or(Usd{});
    json.raw_member("quota_usd", totals.quota_usd->text())
        .raw_member("remaining_usd", remaining.text())
        .member("quota_exceeded", rest < 0);
  } else {
    json.member("quota_usd", nullptr).member("remaining_usd", nullptr);
    json.member("quota_exceeded", false);
  }
  return json.close().take();
}

}  // namespace

Task<Answer> add_usage(Exchange& exchange, Users& users) {
  auto usage = read_usage(exchange);
  if (!usage) co_return refuse(std::move(usage.error()));
  Result<UsageTotals> totals = co_await users.add_usage(std::move(*usage), exchange.deadline);
  if (!totals) co_return refuse(to_problem(std::move(totals.error())));
  exchange.response.headers += kUserHeaders;
  answer_json(exchange, 200, usage_json(*totals));
  co_return Answer{};
}

Task<Answer> drop_from_caches(Exchange& exchange, Users& users) {
  const auto id = exchange.user_id();
  if (!id) co_return refuse(id.error());
  Result<void> dropped = co_await users.invalidate(*id, exchange.deadline);
  if (!dropped) co_return refuse(to_problem(std::move(dropped.error())));
  answer_message(exchange, "User dropped from every cache");
  co_return Answer{};
}

}  // namespace um::api::handlers

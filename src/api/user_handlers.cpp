#include "api/user_handlers.hpp"

#include <algorithm>

#include "api/path_email.hpp"
#include "api/user_answer.hpp"
#include "base/json_writer.hpp"

namespace um::api {

template <class Key>
std::optional<Answer> UserHandlers::get_now(Call& call, const Key& key) {
  if (!key) return refuse(ProblemCode::user_not_found);
  const ReadOptions options = call.read_options();
  const auto reading = users_.read_now(*key, options, call.request.read_at);
  if (!reading) return std::nullopt;
  return answer_user(call, *reading, options);
}

template <class Key>
Task<Answer> UserHandlers::get(Call& call, Key key) {
  if (!key) co_return refuse(ProblemCode::user_not_found);
  const ReadOptions options = call.read_options();
  Result<UserReading> reading = co_await users_.read(*key, options);
  if (!reading) co_return refuse(to_problem(std::move(reading.error())));
  co_return answer_user(call, *reading, options);
}

std::optional<Answer> UserHandlers::get_by_id_now(Call& call) {
  return get_now(call, UserId::parse(call.argument));
}
std::optional<Answer> UserHandlers::get_by_email_now(Call& call) {
  return get_now(call, email_in_path(call.argument));
}
std::optional<Answer> UserHandlers::get_me_now(Call& call) {
  return get_now(call, std::optional{call.principal().id()});
}
Task<Answer> UserHandlers::get_by_id(Call& call) {
  return get(call, UserId::parse(call.argument));
}
Task<Answer> UserHandlers::get_by_email(Call& call) {
  return get(call, email_in_path(call.argument));
}
Task<Answer> UserHandlers::get_me(Call& call) {
  return get(call, std::optional{call.principal().id()});
}

Task<Answer> UserHandlers::create(Call& call) {
  auto input = read_user_input(call);
  if (!input) co_return refuse(std::move(input.error()));
  Users::CreateRequest request{.input = std::move(*input),
                               .address = proxies_.client_address(call.request)};
  Result<UserRef> user = co_await users_.create(call.caller, std::move(request), call.deadline);
  if (!user && user.error().code == ErrorCode::unauthenticated)
    co_return refuse(ProblemCode::token_missing, std::move(user.error().detail));
  if (!user) co_return refuse(to_problem(std::move(user.error())));
  call.response.status = 201;
  call.response.add("Location", "/user/" + (*user)->user.id.text());
  answer_record(call, *user);
  co_return Answer{};
}

std::expected<Users::ChangeRequest, Problem> UserHandlers::read_change(const Call& call) const {
  const auto id = call.user_id();
  if (!id) return std::unexpected(id.error());
  auto if_match = read_if_match(call);
  if (!if_match) return std::unexpected(std::move(if_match.error()));
  auto input = read_user_input(call);
  if (!input) return std::unexpected(std::move(input.error()));
  return Users::ChangeRequest{.id = *id,
                              .input = std::move(*input),
                              .if_match = std::move(*if_match),
                              .address = proxies_.client_address(call.request)};
}

namespace {

Answer answer_change(Call& call, Result<UserRef> changed) {
  if (!changed) return refuse(to_problem(std::move(changed.error())));
  const UserRecord& user = **changed;
  call.response.add("ETag", user.etag);
  call.response.headers += kUserHeaders;
  std::string body = R"({"message":"User updated successfully","user":)";
  body.append(user.json).append("}");
  answer_json(call, 200, std::move(body));
  return {};
}

}  // namespace

Task<Answer> UserHandlers::replace(Call& call) {
  auto change = read_change(call);
  if (!change) co_return refuse(std::move(change.error()));
  Result<UserRef> changed =
      co_await users_.replace(call.principal(), std::move(*change), call.deadline);
  co_return answer_change(call, std::move(changed));
}

Task<Answer> UserHandlers::patch(Call& call) {
  auto change = read_change(call);
  if (!change) co_return refuse(std::move(change.error()));
  Result<UserRef> changed =
      co_await users_.patch(call.principal(), std::move(*change), call.deadline);
  co_return answer_change(call, std::move(changed));
}

Task<Answer> UserHandlers::remove(Call& call) {
  const auto id = call.user_id();
  if (!id) co_return refuse(id.error());
  auto if_match = read_if_match(call);
  if (!if_match) co_return refuse(std::move(if_match.error()));
  Result<void> removed = co_await users_.remove(*id, std::move(*if_match), call.deadline);
  if (!removed) co_return refuse(to_problem(std::move(removed.error())));
  answer_message(call, "User deleted successfully");
  co_return Answer{};
}

namespace {

bool is_visible_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

std::expected<UsageRecord, Problem> read_usage(const Call& call) {
  const auto id = call.user_id();
  if (!id) return std::unexpected(id.error());
  const auto json = read_json(call);
  if (!json) return std::unexpected(json.error());
  const auto body = read_object(*json, usage_fields());
  if (!body) return std::unexpected(body.error());
  if (!body->usd.value) return refuse(invalid_field({"usd", "required", "is required"}));
  const auto amount = Usd::parse(*body->usd.value);
  if (!amount || amount->negative()) {
    return refuse(
        invalid_field({"usd", amount ? "negative" : "invalid",
                       "must be a plain decimal from 0 to 9000000000 with at most 6 decimals"}));
  }
  UsageRecord usage{.user = *id, .amount = *amount};
  if (call.request.has_header("Idempotency-Key")) {
    const std::string_view key = call.request.header("Idempotency-Key");
    if (!is_visible_ascii(key)) {
      return refuse(invalid_field({"Idempotency-Key", "invalid", "must be printable ASCII"}));
    }
    usage.idempotency_key = std::string{key};
  }
  return usage;
}

std::string usage_json(const UsageTotals& totals) {
  std::string body = R"({"used_usd":)" + totals.used_usd.text();
  if (totals.quota_usd) {
    const std::int64_t rest = totals.quota_usd->micros() - totals.used_usd.micros();
    // Both are within the bound, so the difference is within twice the bound: it may have no Usd.
    const Usd remaining = Usd::from_micros(std::max(rest, -Usd::kMaxMicros)).value_or(Usd{});
    body += R"(,"quota_usd":)" + totals.quota_usd->text();
    body += R"(,"remaining_usd":)" + remaining.text();
    body += R"(,"quota_exceeded":)";
    body += rest < 0 ? "true" : "false";
  } else {
    body += R"(,"quota_usd":null,"remaining_usd":null,"quota_exceeded":false)";
  }
  return body + "}";
}

}  // namespace

Task<Answer> UserHandlers::add_usage(Call& call) {
  auto usage = read_usage(call);
  if (!usage) co_return refuse(std::move(usage.error()));
  Result<UsageTotals> totals = co_await users_.add_usage(std::move(*usage), call.deadline);
  if (!totals) co_return refuse(to_problem(std::move(totals.error())));
  call.response.headers += kUserHeaders;
  answer_json(call, 200, usage_json(*totals));
  co_return Answer{};
}

Task<Answer> UserHandlers::drop_from_caches(Call& call) {
  const auto id = call.user_id();
  if (!id) co_return refuse(id.error());
  Result<void> dropped = co_await users_.invalidate(*id, call.deadline);
  if (!dropped) co_return refuse(to_problem(std::move(dropped.error())));
  answer_message(call, "User dropped from every cache");
  co_return Answer{};
}

}  // namespace um::api

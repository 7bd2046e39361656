#include "service/service_tokens.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "auth/tokens/token_authority.hpp"

namespace um {
namespace {

constexpr std::size_t kMaxLabelBytes = 200;

std::vector<FieldError> broken_rules(const ServiceTokens::Create& request) {
  std::vector<FieldError> errors;
  if (request.ttl < std::chrono::seconds{1} || request.ttl > ServiceTokens::kMaxTtl) {
    errors.push_back(
        {"ttl", "out_of_range",
         fmt::format("must be between 1 second and {} days", ServiceTokens::kMaxTtl.count())});
  }
  const auto printable = [](char c) { return c >= 0x20 && c <= 0x7E; };
  if (request.label.size() > kMaxLabelBytes || !std::ranges::all_of(request.label, printable)) {
    errors.push_back(
        {"label", "invalid",
         fmt::format("must be at most {} printable ASCII characters", kMaxLabelBytes)});
  }
  return errors;
}

}  // namespace

Task<Result<UserRef>> ServiceTokens::find(Email owner, Deadline deadline) {
  const ReadOptions from_primary{.from_primary = true, .deadline = deadline};
  const Result<UserReading> reading = co_await parts_.users.find(std::move(owner), from_primary);
  if (!reading) co_return fail(reading.error());
  if (!reading->value) co_return fail(ErrorCode::not_found, "no such user");
  co_return reading->value;
}

Task<Result<ServiceTokens::Created>> ServiceTokens::create(Create request, Deadline deadline) {
  if (std::vector<FieldError> errors = broken_rules(request); !errors.empty()) {
    co_return fail(Error{.code = ErrorCode::invalid,
                         .detail = "the token cannot be made",
                         .fields = std::move(errors)});
  }
  const Result<UserRef> owner = co_await find(request.owner, deadline);
  if (!owner) co_return fail(owner.error());
  const User& user = (*owner)->user;
  if (user.role != Role::service || !user.is_active) {
    co_return fail(ErrorCode::forbidden, "only active users with the role service have tokens");
  }
  const WallTime now = parts_.clock.wall_now();
  NewSession session{.id = SessionId::random(),
                     .user_id = user.id,
                     .kind = SessionKind::service_token,
                     .created_at = now,
                     .expires_at = now + request.ttl,
                     .user_agent = std::move(request.label)};
  Result<CreatedSession> made = co_await parts_.sessions.create(std::move(session), deadline);
  if (!made) co_return fail(made.error());
  Result<Secret> token = parts_.tokens.sign({.user = user.id,
                                             .session = made->session->id,
                                             .issued_at = made->session->created_at,
                                             .expires_at = made->session->expires_at});
  if (!token) co_return fail(token.error());
  co_return Created{.token = std::move(*token), .session = std::move(made->session)};
}

Task<Result<std::vector<SessionRef>>> ServiceTokens::list(Email owner, Deadline deadline) {
  const Result<UserRef> user = co_await find(std::move(owner), deadline);
  if (!user) co_return fail(user.error());
  Result<std::vector<SessionRef>> sessions =
      co_await parts_.sessions.list((*user)->user.id, deadline);
  if (sessions) {
    std::erase_if(*sessions, [](const SessionRef& session) {
      return session->kind != SessionKind::service_token;
    });
  }
  co_return sessions;
}

Task<Result<void>> ServiceTokens::revoke(Revoke request, Deadline deadline) {
  const Result<std::vector<SessionRef>> tokens = co_await list(std::move(request.owner), deadline);
  if (!tokens) co_return fail(tokens.error());
  const auto found = std::ranges::find_if(
      *tokens, [&](const SessionRef& one) { return one->id == request.token; });
  if (found == tokens->end()) co_return fail(ErrorCode::not_found, "no such token");
  const Result<void> revoked =
      co_await parts_.sessions.revoke({.id = request.token, .owner = (*found)->user_id}, deadline);
  co_return revoked;
}

}  // namespace um

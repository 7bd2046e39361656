#include "cli/operator.hpp"

#include <ostream>

#include "app/token_secret.hpp"
#include "cli/messages.hpp"

namespace um {
namespace {

Result<UserRef> found(Result<UserReading> reading, const std::string& who) {
  if (!reading) return fail(std::move(reading.error()));
  if (!reading->value) return fail(ErrorCode::not_found, "no user " + shown(who));
  return reading->value;
}

}  // namespace

Task<Result<UserRef>> find_user(UserStore& users, std::string who, Deadline deadline) {
  const ReadOptions options{.from_primary = true, .deadline = deadline};
  if (const auto id = UserId::parse(who)) {
    auto reading = co_await users.find(*id, options);
    co_return found(std::move(reading), who);
  }
  if (auto email = Email::parse(who)) {
    auto reading = co_await users.find(*std::move(email), options);
    co_return found(std::move(reading), who);
  }
  co_return misuse("\"" + shown(who) + "\" is neither an id nor an e-mail address");
}

Task<Result<std::unique_ptr<AttemptLimiter::Place>>> OperatorUsers::NoAttempts::take(Subject,
                                                                                     Deadline) {
  co_return fail(ErrorCode::internal, "the operator proves no password");
}

OperatorUsers::OperatorUsers(const Context& context, std::unique_ptr<Storage> storage)
    : io_{context.io},
      storage_{std::move(storage)},
      hasher_{{.cost = context.config.password_cost, .threads = 1}, context.io.clock},
      users_{{.store = storage_->users(),
              .hasher = hasher_,
              .limiter = limiter_,
              .clock = context.io.clock},
             {.store_time = kCallTime}} {}

Result<std::unique_ptr<OperatorUsers>> OperatorUsers::open(const Context& context) {
  auto storage = context.backend.open_storage(context.config);
  if (!storage) return fail(std::move(storage.error()));
  return std::unique_ptr<OperatorUsers>{new OperatorUsers{context, *std::move(storage)}};
}

Task<Result<UserRef>> OperatorUsers::create(UserInput input) {
  Users::CreateRequest request{.input = std::move(input), .password_optional = true};
  auto created = co_await users_.create(Operator{}, std::move(request), call_deadline(io_));
  co_return created;
}

Task<Result<UserRef>> OperatorUsers::change(std::string who, UserInput input) {
  const Deadline deadline = call_deadline(io_);
  const auto user = co_await find_user(storage_->users(), std::move(who), deadline);
  if (!user) co_return fail(user.error());
  Users::ChangeRequest request{.id = (*user)->user.id, .input = std::move(input)};
  auto changed = co_await users_.patch(Operator{}, std::move(request), deadline);
  co_return changed;
}

Task<Result<UserRef>> OperatorUsers::find(std::string who) {
  return find_user(storage_->users(), std::move(who), call_deadline(io_));
}

Task<Result<void>> OperatorUsers::remove(UserId id) {
  return users_.remove(id, std::nullopt, call_deadline(io_));
}

ExitCode report_user(const Context& context, const User& user, std::string_view line) {
  if (context.json) {
    context.io.out << make_record(user)->json << '\n';
  } else {
    context.io.out << shown(line) << '\n';
  }
  return ExitCode::done;
}

Result<std::unique_ptr<TokenAuthority>> make_token_authority(const Context& context,
                                                             Storage& storage) {
  auto secret = read_token_secret(context.config);
  if (!secret) return fail(std::move(secret.error()));
  TokenAuthorityOptions options{.issuer = context.config.issuer,
                                .hs256_secret = *std::move(secret)};
  return std::make_unique<TokenAuthority>(storage.signing_keys(), context.io.clock,
                                          std::move(options));
}

}  // namespace um

#include "cli/user_actions.hpp"

#include <ostream>

#include "auth/passwords/password_hasher.hpp"
#include "cli/messages.hpp"
#include "service/user_rules.hpp"

namespace um {
namespace {

constexpr int kMaxAttempts = 3;

Result<UserRef> found(Result<UserReading> reading, const std::string& who) {
  if (!reading) return fail(std::move(reading.error()));
  if (!reading->value) return fail(ErrorCode::not_found, "no user " + shown(who));
  return reading->value;
}

// The row's change, with the hash of the new password if there is one.
Result<UpdateUser> plan_update(const UserRecord& row, const EditRequest& request) {
  auto edit = plan_edit(row.user, request.input, {.kind = EditKind::patch, .by_admin = true});
  if (!edit) return fail(std::move(edit.error()));
  if (edit->password) {
    auto hash = PasswordHasher::hash_here(*edit->password, request.password_cost);
    if (!hash) return fail(std::move(hash.error()));
    edit->change.password_hash = std::move(*hash);
  }
  return UpdateUser{.id = row.user.id, .expected = row.revision, .change = std::move(edit->change)};
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

Task<Result<UserRef>> edit_user(UserStore& users, EditRequest request, Deadline deadline) {
  for (int attempt = 1;; ++attempt) {
    auto row = co_await find_user(users, request.who, deadline);
    if (!row) co_return fail(std::move(row.error()));
    auto update = plan_update(**row, request);
    if (!update) co_return fail(std::move(update.error()));
    if (update->change.empty()) co_return *row;
    auto updated = co_await users.update(*std::move(update), deadline);
    const bool lost = !updated && updated.error().code == ErrorCode::conflict;
    if (!lost || attempt == kMaxAttempts) co_return updated;
  }
}

ExitCode report_user(const Context& context, const User& user, std::string_view line) {
  if (context.json) {
    context.io.out << make_record(user)->json << '\n';
  } else {
    context.io.out << shown(line) << '\n';
  }
  return ExitCode::done;
}

}  // namespace um

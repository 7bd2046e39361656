// Users: the use cases around users, for the API and for the command line. user_rules decides the
// meaning of a change; the route table (api/routes.cpp) decides which caller may use which
// endpoint. Thread safety: any event loop.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/attempts/attempt_limiter.hpp"
#include "auth/passwords/password_hasher.hpp"
#include "base/clock.hpp"
#include "service/principal.hpp"
#include "service/user_rules.hpp"
#include "storage/user_store.hpp"

namespace um {

enum class Registration { open, admin };

// The longest key under which a repeated usage record counts once.
inline constexpr std::size_t kMaxIdempotencyKeyBytes = 255;

// A page of users and whether there are more behind it.
struct UserPage {
  std::vector<UserRef> users;
  bool more = false;
  std::optional<std::int64_t> total{};  // if asked for
};

class Users {
 public:
  struct Parts {
    UserStore& store;
    PasswordHasher& hasher;
    // The same as that of SignIn: a wrong current_password is a guess. Registrations count here as
    // well, under names of their own.
    AttemptLimiter& limiter;
    const Clock& clock;
  };
  struct Options {
    Registration registration = Registration::open;
    // Bound of one call of the store, however long the deadline of the request: hashing may take
    // longer than the database may.
    std::chrono::nanoseconds store_time = std::chrono::seconds{2};
  };
  Users(Parts parts, Options options) : parts_{parts}, options_{options} {}

  // A reading without a value is "no such user", not an error.
  std::optional<UserReading> read_now(UserId id, const ReadOptions& options, BootTime now) {
    return parts_.store.find_now(id, options, now);
  }
  std::optional<UserReading> read_now(const Email& email, const ReadOptions& options,
                                      BootTime now) {
    return parts_.store.find_now(email, options, now);
  }
  Task<Result<UserReading>> read(UserId id, ReadOptions options) {
    options.deadline = store_deadline(options.deadline);
    return parts_.store.find(id, options);
  }
  Task<Result<UserReading>> read(Email email, ReadOptions options) {
    options.deadline = store_deadline(options.deadline);
    return parts_.store.find(std::move(email), options);
  }

  // Registrations by others than administrators are limited per client address, and per e-mail
  // address that is tried. Created users and taken addresses count, separately from failed logins.
  // invalid (fields), forbidden (a member only an administrator may set; registration closed),
  // unauthenticated (closed, and the actor is anonymous), email_taken, username_taken,
  // too_many_attempts.
  struct CreateRequest {
    UserInput input{};
    std::string address{};  // of the client, for the limit
    // Without a password the user cannot sign in until one is set. Only for administrators.
    bool password_optional = false;
  };
  Task<Result<UserRef>> create(Actor actor, CreateRequest request, Deadline deadline);

  // Replace (PUT) needs first_name, last_name and email, and writes these and a password. Patch
  // (PATCH) writes the members that are present, null included (RFC 7396), and for an administrator
  // also role, is_active, quota_usd, model_capability_settings and username. Members that cannot be
  // written are accepted if they equal the current value, so that the answer of a GET can be sent
  // back; the counters (used_usd, last_login_at), which change by themselves, with any value that
  // they can have.
  // `if_match`: precondition_failed unless the user is in one of these revisions; checked before
  // the input. A user that changes its own password gives current_password too, and keeps this
  // session. The operator of the command line has the rights of an administrator. A change that
  // changes nothing returns the user and writes nothing. unauthenticated (the actor is anonymous),
  // invalid (also for a wrong current_password, on that member), forbidden, not_found,
  // precondition_failed, email_taken, username_taken, last_admin, too_many_attempts, conflict
  // (other changes of this user won every time, until the deadline or the bound on attempts; or the
  // password was changed after it was proven).
  struct ChangeRequest {
    UserId id;
    UserInput input{};
    std::optional<RevisionMatch> if_match{};
    std::string address{};  // of the client, for the guessing limit
  };
  Task<Result<UserRef>> replace(Actor actor, ChangeRequest request, Deadline deadline) {
    return change(std::move(actor), EditKind::replace, std::move(request), deadline);
  }
  Task<Result<UserRef>> patch(Actor actor, ChangeRequest request, Deadline deadline) {
    return change(std::move(actor), EditKind::patch, std::move(request), deadline);
  }
  // not_found, precondition_failed, last_admin, conflict.
  Task<Result<void>> remove(UserId id, std::optional<RevisionMatch> if_match, Deadline deadline);

  struct ListRequest {
    std::string keyword{};  // empty: all users
    Page page{};            // limit at least 1
    bool count = false;
  };
  // invalid: a keyword that is not UTF-8 or longer than anything it could be found in.
  Task<Result<UserPage>> list(ListRequest request, Deadline deadline);

  // invalid (a negative amount, an empty or overlong idempotency key), not_found, conflict.
  Task<Result<UsageTotals>> add_usage(UsageRecord usage, Deadline deadline);
  Task<Result<void>> invalidate(UserId id, Deadline deadline) {
    return parts_.store.invalidate(id, store_deadline(deadline));
  }

 private:
  using LimiterPlace = std::unique_ptr<AttemptLimiter::Place>;
  Task<Result<LimiterPlace>> place_to_register(Email email, std::string address, Deadline deadline);
  Task<Result<UserRef>> insert_new(Creation creation, Deadline deadline);
  Deadline store_deadline(Deadline deadline) const {
    return deadline.no_later_than(Deadline::after(parts_.clock, options_.store_time).at);
  }
  // A row from memory is enough for most decisions. The primary is read before a password is
  // hashed.
  enum class Freshness { any, primary };
  struct ChangePlan;
  Task<Result<UserRef>> change(Actor actor, EditKind kind, ChangeRequest request,
                               Deadline deadline);
  Task<Result<UserReading>> existing(UserId id, Freshness freshness, Deadline deadline);
  Task<Result<std::int64_t>> prove_password(const User& user, const ChangeRequest& request,
                                            Deadline deadline);

  Parts parts_;
  Options options_;
};

}  // namespace um

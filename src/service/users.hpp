// Users: the use cases around users. The rules about who may change which member are here; who may
// call what at all is in the route table (api/routes.cpp). Thread safety: any event loop.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/password_hasher.hpp"
#include "service/principal.hpp"
#include "service/user_input.hpp"
#include "storage/user_store.hpp"

namespace um {

enum class Registration { open, admin };

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
    const Clock& clock;
  };
  struct Options {
    Registration registration = Registration::open;
  };
  Users(Parts parts, Options options) : parts_{parts}, options_{options} {}

  // A reading without a value is "no such user", not an error.
  std::optional<UserReading> read_now(UserId id, const ReadOptions& options, BootTime now) {
    return parts_.store.find_now(id, options, now);
  }
  std::optional<UserReading> read_now(const Email& email, const ReadOptions& options, BootTime now) {
    return parts_.store.find_now(email, options, now);
  }
  Task<Result<UserReading>> read(UserId id, ReadOptions options);
  Task<Result<UserReading>> read(Email email, ReadOptions options);

  // invalid (fields), forbidden (a member only an administrator may set; registration closed),
  // email_taken, username_taken.
  Task<Result<UserRef>> create(Caller caller, UserInput input, Deadline deadline);

  // Replace (PUT) needs first_name, last_name and email; patch (PATCH) takes what is there, null
  // included (RFC 7396). Members that cannot be written are accepted if they equal the current value.
  // `if_match`: precondition_failed unless the user is in one of these revisions.
  // Who changes their own password gives current_password too, and keeps this session.
  // invalid, forbidden, not_found, precondition_failed, email_taken, username_taken, last_admin,
  // conflict (another change won three times in a row), invalid_credentials → as invalid on
  // current_password, too_many_attempts.
  Task<Result<UserRef>> replace(Principal caller, UserId id, UserInput input,
                                std::optional<RevisionMatch> if_match, Deadline deadline);
  Task<Result<UserRef>> patch(Principal caller, UserId id, UserInput input,
                              std::optional<RevisionMatch> if_match, Deadline deadline);
  Task<Result<void>> remove(UserId id, std::optional<RevisionMatch> if_match, Deadline deadline);

  struct ListRequest {
    std::string keyword{};  // empty: everybody
    Page page{};            // limit 1 to 100
    bool count = false;
  };
  Task<Result<UserPage>> list(ListRequest request, Deadline deadline);

  Task<Result<UsageTotals>> add_usage(UsageRecord usage, Deadline deadline);
  Task<Result<void>> invalidate(UserId id, Deadline deadline);

 private:
  Parts parts_;
  Options options_;
};

}  // namespace um

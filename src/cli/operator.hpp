// The use cases of service/ for commands that have opened a database, with the rights of the
// operator, which are those of an administrator.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "auth/attempts/attempt_limiter.hpp"
#include "auth/passwords/password_hasher.hpp"
#include "auth/tokens/token_authority.hpp"
#include "cli/command.hpp"
#include "service/users.hpp"
#include "storage/storage.hpp"

namespace um {

// Bound of every call of the database by a command: only a person waits for it.
inline constexpr std::chrono::seconds kCallTime{30};
inline Deadline call_deadline(const CliIo& io) {
  return Deadline::after(io.clock, kCallTime);
}

// The argument `who` is an id or an e-mail address. invalid (neither), not_found.
Task<Result<UserRef>> find_user(UserStore& users, std::string who, Deadline deadline);

// Changes of users. The rules, the hashing and the compare-and-set are those of `Users`. Not
// thread-safe.
class OperatorUsers {
 public:
  // `context` outlives it. The errors of CliBackend::open_storage.
  static Result<std::unique_ptr<OperatorUsers>> open(const Context& context);

  // Errors: those of `Users`.
  Task<Result<UserRef>> create(UserInput input);  // without a password: no sign-in
  // Changes the members that are present in `input`. Also invalid (`who` is neither id nor
  // address).
  Task<Result<UserRef>> change(std::string who, UserInput input);
  Task<Result<UserRef>> find(std::string who);
  Task<Result<void>> remove(UserId id);

 private:
  // Refuses everything: the operator proves no password and does not register, so a call would be a
  // mistake.
  class NoAttempts final : public AttemptLimiter {
   public:
    Task<Result<std::unique_ptr<Place>>> take(Subject subject, Deadline deadline) override;
  };
  OperatorUsers(const Context& context, std::unique_ptr<Storage> storage);

  const CliIo& io_;
  std::unique_ptr<Storage> storage_;
  PasswordHasher hasher_;
  NoAttempts limiter_;
  Users users_;
};

// A member that is given.
template <class T>
Member<T> member(T value) {
  return {.present = true, .value = std::move(value)};
}

// Prints the user as JSON, or `line` for people.
ExitCode report_user(const Context& context, const User& user, std::string_view line);

// With the issuer and the HS256 secret of the settings; its keys are not read yet. invalid: the
// file of the secret cannot be read or holds a weak one.
Result<std::unique_ptr<TokenAuthority>> make_token_authority(const Context& context,
                                                             Storage& storage);

}  // namespace um

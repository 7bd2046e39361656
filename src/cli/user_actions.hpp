// What several commands do with users. The operator who runs a command has the authority of an
// administrator; the rules are those of the service (service/user_rules.hpp).
#pragma once

#include <string>

#include "cli/command.hpp"
#include "service/user_rules.hpp"
#include "storage/storage.hpp"

namespace um {

// Every call of the database by a command: only a person waits for it.
inline constexpr std::chrono::seconds kCallTime{30};
inline Deadline call_deadline(const CliIo& io) {
  return Deadline::after(io.clock, kCallTime);
}

// `who` is an id or an e-mail address. invalid (neither), not_found.
Task<Result<UserRef>> find_user(UserStore& users, std::string who, Deadline deadline);

// Changes what is present in `input`, which sends no current_password. Everything plan_edit() and
// UserStore::update() say; conflict after three lost races.
struct EditRequest {
  std::string who;
  UserInput input;
  int password_cost;
};
Task<Result<UserRef>> edit_user(UserStore& users, EditRequest request, Deadline deadline);

// A member that is sent.
template <class T>
Member<T> member(T value) {
  return {.present = true, .value = std::move(value)};
}

// Prints the user as JSON, or `line` for people.
ExitCode report_user(const Context& context, const User& user, std::string_view line);

}  // namespace um

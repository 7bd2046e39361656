#include "cli/import_batch.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <thread>

#include "auth/passwords/password_hasher.hpp"
#include "auth/passwords/password_rules.hpp"
#include "async/run_task.hpp"

namespace um {
namespace {

Error field_error(FieldError error) {
  return {.code = ErrorCode::invalid, .fields = {std::move(error)}};
}

// What the rules of auth say of a line; those about users were checked when it was read.
std::optional<Error> wrong_password(const ImportUser& import) {
  const Secret& hash = import.user.password_hash;
  if (!hash.empty() && !is_supported_hash(hash.reveal())) {
    return field_error(
        {.field = "password_hash",
         .code = "unsupported",
         .message = "is not a bcrypt hash ($2a$, $2b$ or $2y$) with a cost of at most 14"});
  }
  if (!import.password) return std::nullopt;
  auto error =
      check_new_password({.password = *import.password, .email = import.user.email.text()});
  if (!error) return std::nullopt;
  return field_error(*std::move(error));
}

Error in_words(Error error, const std::optional<UserId>& id) {
  if (error.code == ErrorCode::conflict && id)
    error.detail = "another user has the id " + id->text();
  return error;
}

}  // namespace

void ImportBatch::add(ImportLine line) {
  last_line_ = line.number;
  if (!line.user) return reject(line.number, std::move(line.user.error()));
  if (auto wrong = wrong_password(*line.user)) return reject(line.number, *std::move(wrong));
  if (rules_.rehearse) {
    if (auto twice = twice_in_file(line.user->user)) return reject(line.number, *std::move(twice));
  }
  if (line.user->password && !rules_.rehearse) ++passwords_;
  users_.push_back({.line = line.number, .import = *std::move(line.user)});
}

std::optional<Error> ImportBatch::twice_in_file(const NewUser& user) {
  const std::hash<std::string> digest;
  if (!seen_.insert(digest("e" + user.email.folded())).second) {
    return Error{.code = ErrorCode::email_taken,
                 .detail = "an earlier line has this e-mail address"};
  }
  if (user.username && !seen_.insert(digest("u" + fold_ascii(*user.username))).second) {
    return Error{.code = ErrorCode::username_taken, .detail = "an earlier line has this username"};
  }
  if (user.id && !seen_.insert(digest("i" + user.id->text())).second) {
    return Error{.code = ErrorCode::conflict, .detail = "an earlier line has this id"};
  }
  return std::nullopt;
}

// Each thread takes the next one that waits.
Result<void> ImportBatch::hash_passwords() {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  const auto work = [&] {
    for (auto i = next.fetch_add(1); i < users_.size(); i = next.fetch_add(1)) {
      ImportUser& import = users_[i].import;
      if (!import.password) continue;
      auto hash = PasswordHasher::hash_here(*import.password, rules_.password_cost);
      if (!hash) {
        failed = true;
        continue;
      }
      import.user.password_hash = *std::move(hash);
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < std::min(rules_.threads, passwords_); ++i)
      threads.emplace_back(work);
    work();
  }
  if (failed) return fail(ErrorCode::internal, "a password could not be hashed");
  return {};
}

Result<BatchResult> ImportBatch::insert(UserStore& users, Deadline deadline) {
  if (passwords_ > 0 && !rules_.rehearse) {
    if (auto hashed = hash_passwords(); !hashed) return fail(std::move(hashed.error()));
  }
  const auto lines = std::exchange(users_, {});
  BatchResult result{.failures = std::exchange(failures_, {})};
  passwords_ = 0;
  if (lines.empty()) return result;

  UserStore::InsertMany request{.users = {}, .rehearse = rules_.rehearse};
  request.users.reserve(lines.size());
  for (const Pending& pending : lines) request.users.push_back(pending.import.user);
  auto answers = run(users.insert_many(std::move(request), deadline));
  if (!answers) return fail(std::move(answers.error()));
  for (std::size_t i = 0; i < answers->size(); ++i) {
    auto& answer = (*answers)[i];
    if (answer) {
      ++result.imported;
    } else if (rules_.skip_existing && answer.error().code == ErrorCode::email_taken) {
      ++result.already_there;
    } else {
      result.failures.push_back(
          {lines[i].line, in_words(std::move(answer.error()), lines[i].import.user.id)});
    }
  }
  std::ranges::sort(result.failures, {}, &BatchResult::Failure::line);
  return result;
}

}  // namespace um

#include "cli/import_batch.hpp"

#include <algorithm>
#include <exception>
#include <functional>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "async/run_task.hpp"
#include "cli/operator.hpp"
#include "service/user_rules.hpp"

namespace um {
namespace {

Error in_words(Error error, const std::optional<UserId>& id) {
  if (error.code == ErrorCode::conflict && id)
    error.detail = "another user has the id " + id->text();
  return error;
}

// Replaces the password by its hash, or `failure` by the reason why not.
Task<void> hash_password(PasswordHasher& hasher, ImportUser& import,
                         std::optional<Error>& failure) {
  auto hash = co_await hasher.hash(*import.password, Deadline::never());
  if (hash) {
    import.user.password_hash = *std::move(hash);
  } else {
    failure = std::move(hash.error());
  }
}

}  // namespace

ImportBatch::ImportBatch(Parts parts, Rules rules)
    : parts_{parts},
      rules_{rules},
      hasher_{{.cost = rules.password_cost, .threads = std::max<std::size_t>(rules.threads, 1)},
              parts.clock} {}

Deadline ImportBatch::call_deadline() const {
  return Deadline::after(parts_.clock, kCallTime);
}

Result<void> ImportBatch::add(ImportLine line) {
  last_line_ = line.number;
  ++lines_;
  if (!line.user) {
    reject(line.number, std::move(line.user.error()));
    return {};
  }
  const NewUser& user = line.user->user;
  if (auto wrong = check_given_password(
          {.password = line.user->password, .hash = user.password_hash, .email = user.email})) {
    reject(line.number, {.code = ErrorCode::invalid, .fields = {*std::move(wrong)}});
    return {};
  }
  if (rules_.rehearse) {
    if (auto twice = twice_in_file(user)) {
      reject(line.number, *std::move(twice));
      return {};
    }
  } else if (line.user->password) {
    const auto there = rules_.skip_existing ? is_there(user) : Result<bool>{false};
    if (!there) return fail(there.error());
    if (*there) {
      ++result_.already_there;
      return {};
    }
    ++passwords_;
  }
  users_.push_back({.line = line.number, .import = *std::move(line.user)});
  return {};
}

// A line with an id that differs from the stored one is left to the database: another user may have
// that id, which is a failure.
Result<bool> ImportBatch::is_there(const NewUser& user) {
  const ReadOptions options{.from_primary = true, .deadline = call_deadline()};
  const auto found = run(parts_.users.find(user.email, options));
  if (!found) return fail(found.error());
  return found->value && (!user.id || *user.id == found->value->user.id);
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

// All at once, on the threads of the hasher.
Result<void> ImportBatch::hash_passwords() {
  boost::asio::io_context loop{1};
  std::optional<Error> failure;
  const auto ended = [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  };
  for (Pending& pending : users_) {
    if (!pending.import.password) continue;
    boost::asio::co_spawn(loop, hash_password(hasher_, pending.import, failure), ended);
  }
  loop.run();
  if (failure) return fail(*std::move(failure));
  return {};
}

Result<BatchResult> ImportBatch::insert() {
  Result<void> hashed;
  if (passwords_ > 0) hashed = hash_passwords();
  const auto lines = std::exchange(users_, {});
  BatchResult result = std::exchange(result_, {});
  lines_ = 0;
  passwords_ = 0;
  if (!hashed) return fail(std::move(hashed.error()));
  if (lines.empty()) return result;

  UserStore::InsertMany request{.users = {}, .rehearse = rules_.rehearse};
  request.users.reserve(lines.size());
  for (const Pending& pending : lines) request.users.push_back(pending.import.user);
  auto answers = run(parts_.users.insert_many(std::move(request), call_deadline()));
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

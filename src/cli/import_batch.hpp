// ImportBatch: some lines of an import, checked, hashed and inserted together in one transaction.
// The rules about users and passwords are those of `Users` (service/user_rules.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_set>
#include <vector>

#include "auth/passwords/password_hasher.hpp"
#include "base/clock.hpp"
#include "storage/user_store.hpp"
#include "user/transfer/import_reader.hpp"

namespace um {

struct BatchResult {
  struct Failure {
    std::int64_t line;
    Error error;
  };
  std::uint64_t imported = 0;
  std::uint64_t already_there = 0;
  std::vector<Failure> failures{};  // by line
};

class ImportBatch {
 public:
  // A transaction of this size costs little per row and still commits several times a second.
  static constexpr std::size_t kMaxLines = 1000;
  // A password takes about 50 ms of a core: more of them would make Ctrl-C wait.
  static constexpr std::size_t kMaxPasswords = 32;

  struct Parts {
    UserStore& users;
    const Clock& clock;
  };
  struct Rules {
    bool rehearse = false;       // --dry-run: check everything, keep nothing
    bool skip_existing = false;  // --resume: a user that exists already is no failure
    int password_cost = 10;
    std::size_t threads = 1;  // for hashing passwords
  };
  ImportBatch(Parts parts, Rules rules);

  // An error is about the database: with skip_existing the address of a user with a password is
  // looked up, so that no password of an existing user is hashed.
  Result<void> add(ImportLine line);
  bool full() const { return lines_ >= kMaxLines || passwords_ >= kMaxPasswords; }
  bool empty() const { return lines_ == 0; }
  std::int64_t last_line() const { return last_line_; }

  // Inserts the lines that were added and is empty again. After an error it is unknown whether any
  // of it was inserted; the lines are gone from the batch.
  Result<BatchResult> insert();

 private:
  struct Pending {
    std::int64_t line;
    ImportUser import;
  };
  Deadline call_deadline() const;
  void reject(std::int64_t line, Error error) {
    result_.failures.push_back({line, std::move(error)});
  }
  std::optional<Error> twice_in_file(const NewUser& user);
  Result<bool> is_there(const NewUser& user);
  Result<void> hash_passwords();

  Parts parts_;
  Rules rules_;
  PasswordHasher hasher_;
  std::vector<Pending> users_;  // to be inserted
  BatchResult result_;          // of the lines that are decided already
  std::size_t lines_ = 0;       // since the last insert()
  std::size_t passwords_ = 0;   // to be hashed
  std::int64_t last_line_ = 0;
  // Of a rehearsal, where no earlier batch is in the database: digests of the values that must be
  // unique.
  std::unordered_set<std::uint64_t> seen_;
};

}  // namespace um

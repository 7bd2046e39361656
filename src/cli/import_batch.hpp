// ImportBatch: some lines of an import, checked, hashed and inserted together in one transaction.
#pragma once

#include <cstdint>
#include <unordered_set>
#include <vector>

#include "base/deadline.hpp"
#include "storage/user_store.hpp"
#include "user/transfer/import_reader.hpp"

namespace um {

struct ImportRules {
  bool rehearse = false;       // --dry-run: check everything, keep nothing
  bool skip_existing = false;  // --resume: who is there already is no failure
  int password_cost = 10;
  std::size_t threads = 1;  // for hashing passwords
};

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
  static constexpr std::size_t kMaxUsers = 1000;
  // A password takes about 50 ms of a core: more of them would make Ctrl-C wait.
  static constexpr std::size_t kMaxPasswords = 32;

  explicit ImportBatch(ImportRules rules) : rules_{rules} {}

  void add(ImportLine line);
  bool full() const { return users_.size() >= kMaxUsers || passwords_ >= kMaxPasswords; }
  bool empty() const { return users_.empty() && failures_.empty(); }
  std::int64_t last_line() const { return last_line_; }

  // Inserts what was added and is empty again. An error means that nobody knows whether any of it
  // was inserted; the lines are then gone from the batch.
  Result<BatchResult> insert(UserStore& users, Deadline deadline);

 private:
  struct Pending {
    std::int64_t line;
    ImportUser import;
  };
  std::optional<Error> twice_in_file(const NewUser& user);
  Result<void> hash_passwords();
  void reject(std::int64_t line, Error error) { failures_.push_back({line, std::move(error)}); }

  ImportRules rules_;
  std::vector<Pending> users_;
  std::size_t passwords_ = 0;
  std::vector<BatchResult::Failure> failures_;
  std::int64_t last_line_ = 0;
  // Of a rehearsal, where no earlier batch is in the database: digests of what must be unique.
  std::unordered_set<std::uint64_t> seen_;
};

}  // namespace um

// Transaction: the connection that one transaction has for itself. Only Client::transaction makes
// it.
//
// BEGIN (read committed) travels with the first statement. After a statement failed, the
// transaction is over: every later statement fails with the same Failure and is not sent. Dropping
// the object without a commit rolls back, and no caller has to wait for that.
//
// Thread safety: one call at a time, on the executor of the coroutine that called
// Client::transaction.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "async/task.hpp"
#include "base/deadline.hpp"
#include "drivers/pg/failure.hpp"
#include "drivers/pg/query.hpp"
#include "drivers/pg/rows.hpp"

namespace um::pg {

class Pool;
class Lease;
struct CallSpec;

class Transaction {
 public:
  Transaction(std::shared_ptr<Pool> pool, Deadline deadline);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  Task<Outcome<Rows>> run(const Query& query, Params params = {});
  // Several statements in one round trip, in order; the first that fails ends it. One Rows each.
  Task<Outcome<std::vector<Rows>>> run_all(std::vector<Statement> statements);

  Deadline deadline() const { return deadline_; }

 private:
  friend class Client;
  Task<Outcome<void>> commit();
  // Of the last statement that failed; nullptr while none did.
  const Failure* failure() const { return failure_ ? &*failure_ : nullptr; }
  // Sends the commands in one round trip, BEGIN before the first of all.
  Task<Outcome<std::vector<Rows>>> perform(CallSpec spec);

  const std::shared_ptr<Pool> pool_;
  const Deadline deadline_;
  std::shared_ptr<Lease> lease_;  // from the first statement on
  std::optional<Failure> failure_;
};

}  // namespace um::pg

// Transaction: the connection that one transaction has for itself. Made by Client::transaction
// only.
//
// BEGIN (read committed) travels with the first statement. After a statement failed the transaction
// is over: every later one fails with the same Failure without being sent. Dropping the object
// without a commit rolls back; nobody has to wait for that.
//
// Thread safety: one call at a time, on the executor of the coroutine that called
// Client::transaction.
#pragma once

#include <memory>
#include <vector>

#include "base/deadline.hpp"
#include "async/task.hpp"
#include "drivers/pg/failure.hpp"
#include "drivers/pg/params.hpp"
#include "drivers/pg/query.hpp"
#include "drivers/pg/rows.hpp"

namespace um::pg {

struct Statement {
  const Query* query;
  Params params{};
};

class Transaction {
 public:
  struct State;  // of the driver
  explicit Transaction(std::shared_ptr<State> state);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  Task<Outcome<Rows>> run(const Query& query, Params params = {});
  // Several statements in one round trip, in order; the first that fails ends it. One Rows each.
  Task<Outcome<std::vector<Rows>>> run_all(std::vector<Statement> statements);

  Deadline deadline() const;

 private:
  friend class Client;
  Task<Outcome<void>> commit();
  // Of the last statement that failed; nullptr while all is well.
  const Failure* failure() const;

  std::shared_ptr<State> state_;
};

}  // namespace um::pg

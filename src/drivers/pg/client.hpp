// Client: PostgreSQL for coroutines, on libpq in pipeline mode (PostgreSQL documentation, 34.5).
//
// Each event loop has its own pool with three kinds of connections, opened when first needed:
//
//   look-ups      pipelined: statements of many callers are in flight on one connection, each with
//                 a Sync of its own, so that one failing does not harm its neighbours
//   scans         one statement at a time, so that a slow one delays no look-up
//   transactions  taken by one transaction at a time; single writes run here too
//
// Every call has a deadline and is answered by it, also when the server is not reachable or silent:
// `timeout`, or `unknown_outcome` when what was sent may have committed. When no connection can be
// opened, calls fail with `lost` as soon as that is known, and fast until the next attempt. A
// cancelled call ends like one whose deadline passed.
//
// Thread safety: all calls from any thread. A coroutine on one of the client's loops uses that
// loop's pool without a hop; others hop there and resume on their own executor. stop() and the
// destructor: from any thread that is not one of the loops'; every call must have ended before the
// destructor, and each loop must run, have stopped for good, or be destroyed afterwards.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/deadline.hpp"
#include "base/query_stats.hpp"
#include "async/task.hpp"
#include "drivers/pg/failure.hpp"
#include "drivers/pg/options.hpp"
#include "drivers/pg/params.hpp"
#include "drivers/pg/query.hpp"
#include "drivers/pg/rows.hpp"
#include "drivers/pg/stats.hpp"
#include "drivers/pg/transaction.hpp"

namespace boost::asio {
class io_context;
}

namespace um::pg {

class Client {
 public:
  using QueryStats = um::QueryStats<Query>;

  // `loops`: each is run by one thread and outlives the client's last call. None: the client runs a
  // loop of its own on a thread of its own. Throws std::invalid_argument if the URL is unusable.
  // Nothing is connected yet.
  explicit Client(Options options, std::vector<boost::asio::io_context*> loops = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // One statement that changes nothing, in an implicit transaction of its own.
  Task<Outcome<Rows>> look_up(const Query& query, Params params, Deadline deadline);

  // The same for a statement that may take long or return much.
  Task<Outcome<Rows>> scan(const Query& query, Params params, Deadline deadline);

  // One statement that may change something, committed when it succeeded: one round trip. Run again
  // as a transaction is.
  Task<Outcome<Rows>> write(const Query& query, Params params, Deadline deadline);

  // BEGIN (read committed) … COMMIT. `work` is a coroutine function of Transaction& that returns
  // Task<Outcome<T>> or, where T is a Result, Task<T>:
  //
  //   co_await client.transaction<Row>(at, [&](Transaction& t) -> Task<Outcome<Row>> {…});
  //   co_await client.transaction<Result<Row>>(at, [&](Transaction& t) -> Task<Result<Row>> {…});
  //
  // Commits when work returned a value (for T = Result: one that holds a value), rolls back
  // otherwise and hands on what work returned. After a serialization failure or a deadlock
  // (40001, 40P01), of the commit too, everything is run again, three times at most, until the
  // deadline: work must not keep anything from a call before. When the connection is lost, the
  // deadline passes or the pool is full, that Failure is the outcome whatever work made of it.
  template <class T, class Work>
  Task<Outcome<T>> transaction(Deadline deadline, Work work);

  Stats stats() const;
  const QueryStats& query_stats() const;

  // What on_connect returned may not be true any more: connections that were opened before are
  // closed as soon as nothing is under way on them, and new ones are opened when they are needed.
  // No call fails for it. Returns at once.
  void renew();

  // Waiting calls end with `lost` (or `unknown_outcome`), later ones too; connections are closed.
  // Returns when the client does nothing any more on loops that run.
  void stop();

 private:
  struct Impl;
  struct Attempts {
    Deadline deadline;
    int repeated = 0;
  };
  enum class Next { hand_over, again };

  // The steps of transaction() that do not depend on T.
  std::shared_ptr<Transaction> begin(const Attempts& attempts,
                                     const boost::asio::any_io_executor& executor);
  Task<Next> after_failure(Attempts& attempts, const Failure& failure);

  std::shared_ptr<Impl> impl_;
};

}  // namespace um::pg

#include "drivers/pg/client_transaction.hpp"

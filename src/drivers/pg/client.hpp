// Client: PostgreSQL for coroutines, on libpq in pipeline mode (PostgreSQL documentation, 34.5).
//
// Each event loop has three connection pools. A connection is opened when it is first needed:
//
//   look-ups      pipelined: statements of many callers are in flight on one connection, each with
//                 a Sync of its own, so that a statement that fails does not harm its neighbours
//   scans         one statement at a time, so that a slow one delays no look-up
//   transactions  taken by one transaction at a time; single writes and batches run here too
//
// Every call has a deadline and is answered by then, also when the server is not reachable or
// silent: `timeout`, or `unknown_outcome` when the commands that were sent may have committed. When
// no connection can be opened, calls fail with `lost` as soon as that is known, and at once until
// the next attempt. A cancelled call ends as if its deadline had passed.
//
// Thread safety: all calls from any thread. A coroutine on one of the loops uses the pools of that
// loop without a hop; other coroutines hop there and resume on their own executor. stop() and the
// destructor: from any thread that runs none of the loops. Every call must have ended before the
// destructor, and each loop must run, have stopped for good, or be destroyed afterwards.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/this_coro.hpp>

#include "async/backoff.hpp"
#include "async/task.hpp"
#include "base/deadline.hpp"
#include "base/query_stats.hpp"
#include "drivers/pg/failure.hpp"
#include "drivers/pg/options.hpp"
#include "drivers/pg/query.hpp"
#include "drivers/pg/rows.hpp"
#include "drivers/pg/transaction.hpp"

namespace boost::asio {
class io_context;
}

namespace um::pg {

class Pool;

// Statements that the server runs in one transaction without BEGIN and COMMIT: it commits at the
// Sync that ends the batch (PostgreSQL documentation, 34.5 and 55.2.3). An error in any statement,
// or in the commit, rolls everything back.
struct Batch {
  std::vector<Statement> statements{};
  // Unless null, only a connection with an equal session note (Rows::session_note) runs the batch.
  // One with another note is replaced, as by Client::renew(). If the note of a connection that was
  // opened after the call differs too, the batch is what is outdated: it fails with `elsewhere`.
  Rows::Note required_note{};
};

struct BatchOutcome {
  Outcome<std::vector<Rows>> rows;  // one for each statement
  // The rows of the first statement, if they arrived although the batch failed: they may tell the
  // id of a transaction that was not replicated. The server sends no rows before it commits, unless
  // there are many of them or it reports why it ends the connection.
  std::optional<Rows> first{};
  // The process in the server that the batch was sent to last; 0: nothing was sent.
  int server_process = 0;
};

class Client {
 public:
  using QueryStats = um::QueryStats<Query>;

  // `loops`: each is run by one thread and outlives the last call. Empty: the client runs a loop of
  // its own on a thread of its own. Throws std::invalid_argument if the URL is unusable. Nothing is
  // connected yet.
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

  // All in one round trip, committed when every statement succeeded. Run again as a transaction is.
  Task<BatchOutcome> batch(Batch batch, Deadline deadline);

  // BEGIN (read committed) … COMMIT. `work` is a coroutine function of Transaction& that returns
  // Task<Outcome<T>> or, where T is a Result, Task<T>:
  //
  //   co_await client.transaction<Row>(at, [&](Transaction& t) -> Task<Outcome<Row>> {…});
  //   co_await client.transaction<Result<Row>>(at, [&](Transaction& t) -> Task<Result<Row>> {…});
  //
  // Commits when work returned a value (for T = Result: one that holds a value). Otherwise rolls
  // back and returns the result of work. After a serialization failure or a deadlock (40001,
  // 40P01), of the commit too, everything is run again, three times at most, until the deadline:
  // work must not keep anything from a call before. When the connection is lost, the deadline
  // passes or the pool is full, that Failure is the outcome, whatever work returned.
  template <class T, class Work>
  Task<Outcome<T>> transaction(Deadline deadline, Work work);

  Stats stats() const;
  const QueryStats& query_stats() const;

  // For when the result of on_connect may have changed: connections that were opened before are
  // closed as soon as nothing is under way on them, and new ones are opened when they are needed.
  // No call fails for it. Returns at once.
  void renew();

  // Waiting calls end with `lost` (or `unknown_outcome`), later ones too; connections are closed.
  // Returns when the client does nothing any more on loops that run.
  void stop();

 private:
  struct LoopPools {
    boost::asio::io_context* loop;
    std::shared_ptr<Pool> look_ups;
    std::shared_ptr<Pool> scans;
    std::shared_ptr<Pool> transactions;

    void renew() const;
    void stop() const;
  };
  struct OwnLoop;
  class Construction;
  class Stopping;

  // How often a statement that failed was run again, and how long to pause before the next time.
  struct Attempts {
    explicit Attempts(Deadline until);
    const Deadline deadline;
    Backoff backoff;
    int repeated = 0;
  };
  enum class Next { hand_over, again };

  // Those of the loop that the executor belongs to; of the next loop in turn if it is another one.
  const LoopPools& pools_of(const boost::asio::any_io_executor& executor);

  // The steps of transaction() that do not depend on T.
  std::unique_ptr<Transaction> begin(const Attempts& attempts,
                                     const boost::asio::any_io_executor& executor);
  Task<Next> after_failure(Attempts& attempts, const Failure& failure);

  void unreachable(std::string_view reason);
  void reachable();

  const Options options_;
  QueryStats query_stats_;
  std::atomic<bool> down_{false};
  Counter repeated_;                   // transactions and writes run again
  std::unique_ptr<OwnLoop> own_loop_;  // null if the client was given loops
  std::vector<LoopPools> pools_;       // destroyed before the loop that they refer to
  std::atomic<std::size_t> next_{0};
};

namespace detail {

template <class T>
inline constexpr bool kIsResult = false;
template <class T>
inline constexpr bool kIsResult<Result<T>> = true;

// Whether the result of work asks for a commit.
template <class T>
bool keeps(const Outcome<T>& made) {
  if constexpr (kIsResult<T>) {
    return made.has_value() && made->has_value();
  } else {
    return made.has_value();
  }
}

}  // namespace detail

template <class T, class Work>
Task<Outcome<T>> Client::transaction(Deadline deadline, Work work) {
  const auto executor = co_await boost::asio::this_coro::executor;
  Attempts attempts{deadline};
  for (;;) {
    auto transaction = begin(attempts, executor);
    Outcome<T> made = co_await work(*transaction);
    if (transaction->failure() == nullptr && detail::keeps(made)) {
      const Outcome<void> committed = co_await transaction->commit();
      if (committed) co_return made;
    }
    if (transaction->failure() == nullptr) co_return made;  // work decided to roll back

    Failure failure = *transaction->failure();
    transaction.reset();  // rolls back, and gives the connection back
    const Next next = co_await after_failure(attempts, failure);
    if (next == Next::again) continue;
    // Only work knows the meaning of a refusal; every other failure is one of the connection.
    if (failure.kind == Failure::refused && !detail::keeps(made)) co_return made;
    co_return failed(std::move(failure));
  }
}

}  // namespace um::pg

// Pool: the connections of one kind on one event loop, and the calls that wait for one of them.
//
// A call is sent at once on the connection with the least in flight, or waits in a bounded queue
// until a connection has room. Connections are opened one at a time, when a call finds none idle,
// and again after they were lost. While none can be had, calls wait for the attempt to open that is
// under way. When it fails, they fail; and later calls fail until the next attempt may begin.
//
// Invariant: whatever hangs, the pool occupies at most `connections` backends of the server. A
// stalled connection (connection.hpp) keeps its place until it has ended. Its calls are answered
// when it stalls. While all places are taken by stalled connections, calls fail at once.
//
// Every submitted call is completed exactly once: by its answer, at its deadline, by its
// cancellation, or when its connection is lost.
//
// Thread safety: the loop of its executor; executor() and stats() from any thread. A shared_ptr
// must own it: handlers under way on the loop keep it alive until stop().
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include <boost/asio/basic_waitable_timer.hpp>

#include "async/backoff.hpp"
#include "async/handoff.hpp"
#include "async/task.hpp"
#include "base/deadline.hpp"
#include "drivers/pg/connection.hpp"
#include "drivers/pg/options.hpp"

namespace um::pg {

class Pool;

// The right of one transaction to one connection of a pool. Dropping it, on any thread, gives the
// connection back, which rolls back a transaction that is still open on it.
class Lease {
 public:
  Lease(std::weak_ptr<Pool> pool, Connection& connection, std::uint64_t epoch)
      : pool_{std::move(pool)}, connection_{connection}, epoch_{epoch} {}
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease();

  // On the loop of the pool only.
  Connection& connection() const { return connection_; }
  std::uint64_t epoch() const { return epoch_; }

 private:
  std::weak_ptr<Pool> pool_;
  Connection& connection_;  // lives as long as the pool
  std::uint64_t epoch_;     // another epoch: the connection was lost meanwhile
};

struct CallSpec {
  // The possible effect of the call if the connection is lost before the answer.
  enum class Effect {
    none,    // nothing can have been committed
    commits  // it may have been
  };
  // The reaction to a prepared statement that was found to be outdated.
  enum class Stale { send_again, report };
  enum class Wants {
    answer,     // and nothing afterwards
    connection  // keeps the connection for the units that follow: the lease
  };

  std::vector<Command> commands{};
  Deadline deadline{};
  Effect effect = Effect::none;
  Stale stale = Stale::send_again;
  Wants wants = Wants::answer;
  std::shared_ptr<Lease> lease{};  // null: on any connection
  Rows::Note required_note{};      // null: any; see Batch in client.hpp
};

// A unit with a coroutine that waits for its outcome.
//
// Thread safety: `outcome`, `first`, `lease` and `server_process` belong to the loop of the pool
// until `ended` wakes the coroutine, afterwards to the coroutine. Everything else belongs to the
// loop of the pool.
struct Call final : Unit, std::enable_shared_from_this<Call> {
  enum class Place { fresh, queued, sent, finished };

  explicit Call(CallSpec spec);

  const Deadline deadline;
  const CallSpec::Effect effect;
  const CallSpec::Stale stale;
  const CallSpec::Wants wants;
  const Rows::Note required_note;
  // Written once, before `ended` wakes the coroutine. An answer that arrives later is discarded.
  Outcome<std::vector<Rows>> outcome;
  std::optional<Rows> first{};  // of the first command, if it was answered and the call failed
  std::shared_ptr<Lease> lease;
  int server_process = 0;  // it was sent to this one; 0: to none
  const Handoff ended{};

  Place place = Place::fresh;
  bool sent_again = false;
  int tried = 0;                   // connections that were found lost before it was sent
  std::uint64_t newest_epoch = 0;  // of the connections when it was submitted
  std::list<std::shared_ptr<Call>>::iterator queued_at{};
  std::multimap<BootTime, std::shared_ptr<Call>>::iterator expires_at{};
  bool expires = false;
};

// Submits the call on the loop of the pool and waits until it is complete. A cancellation completes
// it like a deadline that passed.
Task<void> perform(std::shared_ptr<Pool> pool, std::shared_ptr<Call> call);

class Pool final : public std::enable_shared_from_this<Pool>, public Connection::Owner {
 public:
  struct Settings {
    std::size_t connections;
    std::size_t in_flight;  // units on one connection
    std::size_t queue_limit;
    Backoff::Bounds backoff;
    std::shared_ptr<const Connection::Settings> connection;
    // Called on the loop when no connection can be had, and when one was opened.
    std::function<void(std::string_view reason)> unreachable;
    std::function<void()> reachable;
  };
  Pool(Handle::Executor executor, Settings settings);

  void submit(const std::shared_ptr<Call>& call);
  void cancel(const std::shared_ptr<Call>& call);
  // The lease of a transaction was dropped.
  void release(Connection& connection, std::uint64_t epoch);
  // Connections that were opened before now, or are being opened, get no new calls and are closed
  // when they are idle.
  void renew();
  // Completes every call with `lost` (or unknown_outcome), now and from now on.
  void stop();

  Handle::Executor executor() const { return executor_; }
  PoolStats stats() const { return read_counters(counters_); }

 private:
  using State = Connection::State;

  void opened(Connection& connection) override;
  void not_opened(Connection& connection, const Failure& why) override;
  void answered(Connection& connection, std::shared_ptr<Unit> unit) override;
  void lost(Connection& connection, std::vector<std::shared_ptr<Unit>> in_flight,
            const Failure& why) override;
  void stalled(Connection& connection, std::vector<std::shared_ptr<Unit>> in_flight,
               const Failure& why) override;
  void ended(Connection& connection) override;

  // calls: from submit() to the one finish() of each
  void enqueue(const std::shared_ptr<Call>& call, BootTime now);
  void send_to_lease(const std::shared_ptr<Call>& call);
  void assign(Connection& connection, std::shared_ptr<Call> call);  // the queue lets go of it
  void put_back(const std::shared_ptr<Call>& call);
  void give_up(Call& call, std::string why);
  void lose(Unit& unit, const Failure& why);
  void finish(Call& call, Outcome<std::vector<Rows>> outcome);
  void fail_queue(const Failure& why);

  // connections
  Connection* idlest();
  // The idlest for this call; null if there is none, or if the call has failed meanwhile.
  Connection* idlest_for(Call& call);
  bool suits(Connection& connection, Call& call);
  bool usable(const Connection& connection) const;
  std::size_t in_state(State state) const;
  bool any(State state) const { return in_state(state) > 0; }
  bool all_stalled() const;
  void pump();
  void grow(BootTime now);
  void settle(Connection& connection);
  void watch();
  void tick();
  void count();

  Handle::Executor executor_;
  Settings settings_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::list<std::shared_ptr<Call>> queue_;
  std::multimap<BootTime, std::shared_ptr<Call>> deadlines_;
  Backoff backoff_;
  Failure why_unreachable_{};
  std::uint64_t newest_epoch_ = 0;   // of the connections opened so far
  Rows::Note outdated_requirement_;  // a connection opened after a call required it had another one
  BootTime known_until_{};           // then the above is forgotten
  bool wants_more_ = false;          // a connection is to be opened as soon as the back-off allows
  bool stopped_ = false;
  bool pumping_ = false;
  bool pump_again_ = false;

  boost::asio::basic_waitable_timer<BootClock> timer_;
  BootTime timer_at_ = BootTime::max();

  PoolNumbers<Counter> counters_;
};

}  // namespace um::pg

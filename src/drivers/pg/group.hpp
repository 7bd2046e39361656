// Group: the connections of one kind on one loop, and the calls that wait for one of them.
//
// A call is sent at once on the connection with the least in flight, or waits in a bounded queue
// until one has room. Connections are opened one at a time, when a call finds none idle, and again
// after they were lost. While none can be had, calls wait for an attempt that is under way; when it
// fails, and until the next one may begin, they fail.
//
// Every submitted call is completed exactly once: by its answer, at its deadline, by its
// cancellation, or when its connection is lost.
//
// Thread safety: the loop of its executor; executor() and stats() from any thread. It must be owned
// by a shared_ptr: what is under way on the loop keeps it alive until stop().
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include <boost/asio/basic_waitable_timer.hpp>

#include "async/backoff.hpp"
#include "drivers/pg/call.hpp"
#include "drivers/pg/connection.hpp"
#include "drivers/pg/lease.hpp"
#include "drivers/pg/stats.hpp"

namespace um::pg {

// Is told when no connection can be had and when one is opened; on the group's loop.
class ReachabilityObserver {
 public:
  virtual ~ReachabilityObserver() = default;
  virtual void unreachable(std::string_view reason) = 0;
  virtual void reachable() = 0;
};

class Group final : public std::enable_shared_from_this<Group>, public Connection::Owner {
 public:
  struct Settings {
    std::size_t connections;
    std::size_t in_flight;  // units on one connection
    std::size_t queue_limit;
    Backoff::Bounds backoff;
    std::shared_ptr<const Connection::Settings> connection;
    ReachabilityObserver* observer;  // outlives the group
  };
  Group(Handle::Executor executor, Settings settings);
  ~Group() override;

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
  Stats::Kind stats() const;

 private:
  struct Counters;

  void opened(Connection& connection) override;
  void not_opened(Connection& connection, const Failure& why) override;
  void answered(Connection& connection, std::shared_ptr<Unit> unit) override;
  void lost(Connection& connection, std::vector<std::shared_ptr<Unit>> in_flight,
            const Failure& why) override;

  // calls: group_calls.cpp
  void enqueue(const std::shared_ptr<Call>& call, BootTime now);
  void send_to_lease(const std::shared_ptr<Call>& call);
  void assign(Connection& connection, std::shared_ptr<Call> call);  // the queue lets go of it
  void put_back(const std::shared_ptr<Call>& call);
  void give_up(Call& call, std::string why);
  void lose(Unit& unit, const Failure& why);
  void finish(Call& call, Outcome<std::vector<Rows>> outcome);
  void fail_queue(const Failure& why);

  // connections: group.cpp
  Connection* idlest();
  bool usable(const Connection& connection) const;
  bool any_open() const;
  bool any_opening() const;
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
  bool wants_more_ = false;  // a connection is to be opened as soon as the back-off allows
  bool stopped_ = false;
  bool pumping_ = false;
  bool pump_again_ = false;

  boost::asio::basic_waitable_timer<BootClock> timer_;
  BootTime timer_at_ = BootTime::max();

  std::unique_ptr<Counters> counters_;
};

}  // namespace um::pg

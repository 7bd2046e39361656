// Loop: the state that the connections of one event loop share, and the one timer that watches over
// them.
//
// There is no timer per read: every connection has a deadline, and a sweep over the list, at least
// four times within the shortest limit, closes connections that are late. So serving a request
// never touches a timer.
//
// Thread safety: everything on the loop's thread, but stats() and functions that are marked.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>

#include "drivers/http/connection.hpp"
#include "drivers/http/output.hpp"
#include "drivers/http/server.hpp"

namespace um::http {

// The state that all loops of a server share. Thread safety: any thread; members that are not const
// are atomic or locked.
struct ServerState {
  ServerState(ServerOptions server_options, Handler& application)
      : options{std::move(server_options)}, handler{application} {}

  const ServerOptions options;
  Handler& handler;
  std::atomic<std::size_t> open{0};  // connections that are served
  std::mutex mutex;                  // for `changed` only
  std::condition_variable changed;   // `open` became zero, or a loop began to drain
};

class Loop : public std::enable_shared_from_this<Loop> {
 public:
  // Typed, not any_io_executor: one indirection less per operation.
  using Executor = boost::asio::io_context::executor_type;

  Loop(boost::asio::io_context& context, std::shared_ptr<ServerState> state);

  // Any thread.
  boost::asio::io_context& context() { return context_; }
  Executor executor() { return context_.get_executor(); }
  void add_to(ServerStats& stats) const { add_counters(counters_, stats); }

  void start();
  // Every answer from now on is the last of its connection.
  void begin_last_answers() { last_answers_ = true; }
  bool last_answers() const { return last_answers_; }
  // Every connection ends after its answer under way.
  void drain();
  bool draining() const { return draining_; }
  // Closes every connection and ends the sweep.
  void stop();

  // Takes a place for one more connection, or refuses it.
  Admission admit();
  // At most kMaxRefusing connections at a time get a 503; more are closed without an answer.
  bool may_refuse_politely() const { return refusing_ < kMaxRefusing; }

  const Limits& limits() const { return state_->options.limits; }
  const ServerOptions& options() const { return state_->options; }
  Handler& handler() { return state_->handler; }
  std::string_view date_line(BootTime now) { return date_.at(now); }
  void count_refused_connection() { counters_.refused_connections.add(); }
  void count_refusal() { counters_.refusals.add(); }
  // Lets the application write the answer; adds the status, and Retry-After if it is missing.
  void refuse(const Refusal& refusal, const FieldView& fields, Response& response);
  void report(std::exception_ptr thrown);
  void report(std::string_view what);

  void remember(Connection& connection);
  void forget(Connection& connection);

 private:
  static constexpr std::size_t kMaxRefusing = 64;

  void schedule_sweep();
  void sweep();
  std::chrono::nanoseconds sweep_interval() const;

  boost::asio::io_context& context_;
  const std::shared_ptr<ServerState> state_;
  const SystemClock clock_;
  DateLine date_{clock_};
  boost::asio::steady_timer timer_;
  boost::intrusive::list<Connection> connections_;
  std::size_t refusing_ = 0;
  bool last_answers_ = false;
  bool draining_ = false;
  bool stopped_ = false;
  ServerNumbers<Counter> counters_;
};

}  // namespace um::http

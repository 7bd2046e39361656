// Link: the connection of one event loop to the server. It makes the connection, replaces it when
// it breaks, and knows whether calls have a chance (breaker.hpp).
//
// Thread safety: start() before the loop runs or from any thread, once; add_to(), reserve() and
// join() from any thread; everything else on the thread of the loop. Its coroutine keeps it alive
// and ends after stop().
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include <boost/asio/io_context.hpp>

#include "async/handoff.hpp"
#include "async/task_group.hpp"
#include "base/deadline.hpp"
#include "base/secret.hpp"
#include "drivers/redis/breaker.hpp"
#include "drivers/redis/client.hpp"
#include "drivers/redis/connection.hpp"

namespace um::redis {

// Logs one line when the first event loop finds the server unavailable, and one when all loops use
// it again. Thread safety: any thread; `log` is called under a lock, one line at a time.
class Outages {
 public:
  // Either may be empty. The password is blotted out of the server's messages.
  Outages(std::function<void(std::string_view)> log, Secret password)
      : log_{std::move(log)}, password_{std::move(password)} {}

  // Each loop calls them in turns.
  void begin(std::string_view why);
  void end();

 private:
  void tell(const std::string& line) const {
    if (log_) log_(line);
  }

  const std::function<void(std::string_view)> log_;
  const Secret password_;
  std::mutex mutex_;
  int loops_without_ = 0;  // guarded by mutex_
};

// Shared by the links of one client.
struct LinkOptions : ClientOptions {
  LinkOptions(ClientOptions options, TlsContext trusted)
      : ClientOptions{std::move(options)},
        tls{std::move(trusted)},
        outages{log, endpoint.password} {}
  TlsContext tls;
  Outages outages;
};

class Link : public std::enable_shared_from_this<Link> {
 public:
  Link(boost::asio::io_context& loop, std::shared_ptr<LinkOptions> options, const Clock& clock);

  boost::asio::io_context& loop() const { return loop_; }

  void start();
  void stop();
  // Blocks a thread that runs none of the loops until the coroutines have ended, or the loop is
  // stopped, or `patience` has passed.
  void join(std::chrono::nanoseconds patience) { tasks_.join_blocking(loop_, patience); }

  Task<Outcome<Reply>> call(Command command, Deadline deadline);
  // A place for one command in the background, which send() uses up. False: there is none.
  bool reserve();
  void send(Command command);
  void add_to(Stats& stats) const;

 private:
  class Place;

  Task<void> run();
  bool worth_trying(BootTime now) const;
  std::shared_ptr<Connection> make_connection();
  std::chrono::nanoseconds after(const Connection& connection, bool was_connected, BootTime since);
  Task<Outcome<Reply>> attempt(const Command& command, Deadline deadline);
  Task<void> send_one(Command command);
  void count(const Outcome<Reply>& outcome);
  void publish();
  void tell_outages();

  boost::asio::io_context& loop_;
  const std::shared_ptr<LinkOptions> options_;
  const Clock& clock_;
  const Handoff stop_;  // ends a pause
  Breaker breaker_;
  std::shared_ptr<Connection> current_;
  BootTime connecting_since_{};
  bool stopped_ = false;
  bool told_outage_ = false;

  LinkNumbers<Counter> counters_;
  std::atomic<std::size_t> background_{0};
  mutable std::mutex mutex_;
  std::string last_breakage_;  // guarded by mutex_
  TaskGroup tasks_;
};

}  // namespace um::redis

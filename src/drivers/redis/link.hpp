// Link: what one event loop has of a server. It keeps one connection up for as long as it lives,
// replaces it when it breaks, and knows whether calls have a chance (breaker.hpp).
//
// Thread safety: add_to() and reserve() from any thread; everything else on the loop's thread. Kept
// alive by its coroutine, which ends after stop().
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/deadline.hpp"
#include "drivers/redis/breaker.hpp"
#include "drivers/redis/connection.hpp"
#include "drivers/redis/outages.hpp"
#include "drivers/redis/stats.hpp"

namespace um::redis {

struct LinkOptions {
  Endpoint endpoint{};
  TlsContext tls{};
  std::string client_name{};
  std::chrono::nanoseconds timeout{};
  std::chrono::nanoseconds connect_timeout{};
  PipelineLimits limits{};
  BreakerOptions breaker{};
  std::size_t background = 0;  // commands nobody waits for, under way at once
  std::shared_ptr<Outages> outages{};
};

class Link : public std::enable_shared_from_this<Link> {
 public:
  Link(boost::asio::io_context& loop, std::shared_ptr<const LinkOptions> options,
       const Clock& clock);

  boost::asio::io_context& loop() const { return loop_; }

  Task<void> run();
  void stop();
  Task<Outcome<Reply>> call(Command command, Deadline deadline);
  // From any thread: a place for one command that nobody waits for. send() uses it up.
  bool reserve();
  void send(Command command);
  void add_to(Stats& stats) const;

 private:
  class Wait;
  struct Counters {
    std::atomic<std::uint64_t> calls{0};
    std::atomic<std::uint64_t> answers{0};
    std::atomic<std::uint64_t> timeouts{0};
    std::atomic<std::uint64_t> lost{0};
    std::atomic<std::uint64_t> unavailable{0};
    std::atomic<std::uint64_t> overloaded{0};
    std::atomic<std::uint64_t> cancelled{0};
    std::array<std::atomic<std::uint64_t>, kErrorClasses> refused{};
    std::atomic<std::uint64_t> dropped{0};
    std::atomic<std::uint64_t> connections{0};
    std::atomic<std::uint64_t> openings{0};
    std::array<std::atomic<std::uint64_t>, kBreakages> breakages{};
    std::atomic<bool> connected{false};
    std::atomic<Breaker::State> breaker{Breaker::State::closed};
  };

  bool worth_trying(BootTime now) const;
  std::shared_ptr<Connection> make_connection();
  std::chrono::nanoseconds after(const Connection& connection, bool was_connected, BootTime since);
  Task<Outcome<Reply>> attempt(const Command& command, Deadline deadline);
  Task<void> send_one(Command command);
  void count(const Outcome<Reply>& outcome);
  void publish();
  void tell_outages();

  boost::asio::io_context& loop_;
  const std::shared_ptr<const LinkOptions> options_;
  const Clock& clock_;
  boost::asio::steady_timer pause_;
  Breaker breaker_;
  std::shared_ptr<Connection> current_;
  BootTime connecting_since_{};
  bool stopped_ = false;
  bool told_outage_ = false;

  Counters counters_;
  std::atomic<std::size_t> background_{0};
  mutable std::mutex mutex_;
  std::string last_breakage_;  // guarded by mutex_
};

}  // namespace um::redis

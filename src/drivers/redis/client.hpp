// Client: a Redis server that helps when it can, and costs a call at most `timeout` when it cannot.
//
// Each event loop has one connection, which concurrent calls share (pipelining). No call takes
// longer than `timeout`, whatever the server does: it may be gone, slow, loading, full, or no Redis
// at all. After failures the circuit breaker lets calls fail at once, until the client has made a
// connection that works (breaker.hpp).
//
// A call on one of the loops uses the connection of that loop without a hop. A call on any other
// executor hops to a loop and back.
//
// Thread safety: any thread. All calls must have ended, or their loops must be stopped, before the
// client is destroyed. The loops and the clock outlive the client.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "async/task.hpp"
#include "base/counters.hpp"
#include "base/deadline.hpp"
#include "drivers/redis/breaker.hpp"
#include "drivers/redis/command.hpp"
#include "drivers/redis/pipeline.hpp"
#include "drivers/redis/reply.hpp"
#include "drivers/redis/url.hpp"

namespace boost::asio {
class io_context;
}

namespace um::redis {

struct ClientOptions {
  Endpoint endpoint{};
  std::string client_name{};  // as CLIENT LIST shows it; no spaces
  // Of one call. Larger: every request waits longer for a slow server.
  std::chrono::nanoseconds timeout = std::chrono::milliseconds{50};
  // Of making a connection. No call waits for that longer than `timeout`.
  std::chrono::nanoseconds connect_timeout = std::chrono::seconds{1};
  PipelineLimits limits{};  // for each loop
  BreakerOptions breaker{};
  std::size_t background = 256;  // send(): commands under way, for each loop
  // Gets one line when the server is no longer used and one when it is used again; any thread. May
  // be empty.
  std::function<void(std::string_view)> log{};
};

// The numbers of one link or of a whole client, since its construction.
template <class Number>
struct LinkNumbers {
  Number links{};      // one for each event loop
  Number connected{};  // of them, now
  Number open{};       // circuit breakers that are not closed, now
  Number probing{};    // of them, making a connection now
  Number breaker_openings{};

  Number calls{};  // each ends as one of the following
  Number answers{};
  Number timeouts{};
  Number lost{};         // the connection ended
  Number unavailable{};  // failed at once: no connection, or the breaker is open
  Number overloaded{};   // failed at once: too many under way
  Number cancelled{};
  std::array<Number, kErrorClasses> refused{};  // error replies, by ErrorClass

  Number dropped{};      // background commands that were not even tried
  Number connections{};  // made; all but the first of each link are reconnects
  std::array<Number, kBreakages> breakages{};  // connections that ended or failed, by reason

  static constexpr auto table() {
    using N = LinkNumbers;
    constexpr MetricText kCalls{"redis_calls_total", "Commands, by how they ended"};
    return std::tuple{
        level_of(&N::links),
        level_of(&N::connected,
                 {"redis_connected", "Connections to Redis, one for each event loop"}),
        level_of(&N::open, {"redis_breaker_open", "Circuit breakers that let nothing through"}),
        level_of(&N::probing),
        count_of(&N::breaker_openings,
                 {"redis_breaker_openings_total", "Times that a breaker opened"}),
        count_of(&N::calls),
        count_of(&N::answers, kCalls, {"result", "answer"}),
        count_of(&N::timeouts, kCalls, {"result", "timeout"}),
        count_of(&N::lost, kCalls, {"result", "lost"}),
        count_of(&N::unavailable, kCalls, {"result", "unavailable"}),
        count_of(&N::overloaded, kCalls, {"result", "overloaded"}),
        count_of(&N::cancelled, kCalls, {"result", "cancelled"}),
        counts_of(&N::refused, kCalls, "result", kErrorResults),
        count_of(&N::dropped, {"redis_dropped_total", "Background commands given up unsent"}),
        count_of(&N::connections),
        counts_of(&N::breakages, {"redis_breakages_total", "Connections that ended, by reason"},
                  "reason", kBreakageNames)};
  }
};

struct Stats : LinkNumbers<std::uint64_t> {
  std::string last_breakage{};  // for people
};

class Link;

class Client {
 public:
  // REQUIRES: at least one loop, each run by one thread. Connects in the background, and does not
  // fail because the server is away. Throws std::invalid_argument if the CA file cannot be used.
  Client(ClientOptions options, const Clock& clock,
         const std::vector<boost::asio::io_context*>& loops);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // The reply of the server; an error reply is Failure::refused.
  Task<Outcome<Reply>> call(Command command, Deadline deadline);

  // EVALSHA, or EVAL where the server does not know the script yet; both within the deadline.
  // `script` outlives the call.
  struct ScriptCall {
    std::vector<std::string> keys{};
    std::vector<std::string> arguments{};
  };
  Task<Outcome<Reply>> eval(const Script& script, ScriptCall what, Deadline deadline);

  // Sends a command in the background and drops its reply. The command is dropped if too many are
  // under way or the server is away. Never blocks.
  void send(Command command);

  Stats stats() const;

  // Ends all connections. Calls under way fail, and so do later ones. Called by the destructor.
  // Returns when the client does nothing any more on loops that run, except on the loop of the
  // calling thread.
  void stop();

 private:
  Deadline bounded(Deadline deadline) const;
  std::shared_ptr<Link> link_of(const boost::asio::any_io_executor& executor) const;
  std::shared_ptr<Link> link_of_this_thread() const;
  std::shared_ptr<Link> any_link();

  const Clock& clock_;
  const std::chrono::nanoseconds timeout_;
  std::vector<std::shared_ptr<Link>> links_;  // one for each loop
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> stopped_{false};
};

}  // namespace um::redis

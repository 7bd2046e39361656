// Client: a Redis server, as something that helps when it can and costs at most `timeout` when it
// cannot.
//
// One connection for each event loop; concurrent calls share it (pipelining). No call takes longer
// than `timeout`, whatever the server does: is gone, slow, loading, full, or no Redis at all. After
// failures the circuit breaker makes calls fail at once, until a connection of its own accord has
// worked (breaker.hpp).
//
// Threads: a call made on one of the loops uses that loop's connection without a hop. From any
// other executor it hops to a loop and back. Without loops the client has one of its own, with a
// thread of its own.
//
// Thread safety: any thread. Calls must have ended, or their loops stopped, before the client goes;
// the client goes before the loops and the clock.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.hpp"
#include "async/task.hpp"
#include "drivers/redis/breaker.hpp"
#include "drivers/redis/command.hpp"
#include "drivers/redis/failure.hpp"
#include "drivers/redis/pipeline.hpp"
#include "drivers/redis/stats.hpp"
#include "drivers/redis/url.hpp"

namespace boost::asio {
class io_context;
}

namespace um::redis {

struct ClientOptions {
  Endpoint endpoint{};
  std::string client_name{};  // as CLIENT LIST shows it; no spaces
  // Of one call. Larger means that a slow server is waited for, by every request.
  std::chrono::nanoseconds timeout = std::chrono::milliseconds{50};
  // Of a connection in the making, for which no call waits longer than `timeout`.
  std::chrono::nanoseconds connect_timeout = std::chrono::seconds{1};
  PipelineLimits limits{};  // for each loop
  BreakerOptions breaker{};
  std::size_t background = 256;  // send(): commands under way, for each loop
  // Gets one line when the server is left out and when it is used again; from any thread. May be
  // empty.
  std::function<void(std::string_view)> log{};
};

class Client {
 public:
  // Connects in the background; never fails because the server is away. Throws
  // std::invalid_argument if the CA file cannot be used. `clock` outlives the client.
  Client(ClientOptions options, const Clock& clock,
         const std::vector<boost::asio::io_context*>& loops = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // The server's answer; an error reply is Failure::refused.
  Task<Outcome<Reply>> call(Command command, Deadline deadline);

  // EVALSHA, or EVAL where the server does not know the script yet; both within the deadline.
  // `script` outlives the call.
  struct ScriptCall {
    std::vector<std::string> keys{};
    std::vector<std::string> arguments{};
  };
  Task<Outcome<Reply>> eval(const Script& script, ScriptCall what, Deadline deadline);

  // Sends a command in the background; nobody hears what becomes of it. Dropped if too many are
  // under way or the server is away. Never blocks.
  void send(Command command);

  Stats stats() const;
  // Ends all connections; calls under way fail, later ones too. Once; called by the destructor.
  void stop();

 private:
  struct OwnLoop;
  class Links;
  Deadline bounded(Deadline deadline) const;

  const Clock& clock_;
  const std::chrono::nanoseconds timeout_;
  std::unique_ptr<OwnLoop> own_;
  std::unique_ptr<Links> links_;
  std::atomic<bool> stopped_{false};
};

}  // namespace um::redis

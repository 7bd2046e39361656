// Connection: one connection to a server, from its first byte to its end; it is not opened again.
// Pipeline has the logic; here are the socket and the calls that wait for their replies.
//
// Thread safety: none; all calls on the thread of the loop. Its coroutines keep it alive.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include <boost/asio/io_context.hpp>

#include "async/handoff.hpp"
#include "async/task_group.hpp"
#include "drivers/redis/pipeline.hpp"
#include "drivers/redis/stream.hpp"

namespace um::redis {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // A call that waits for its reply. Lives in the frame of the coroutine that called.
  struct Pending {
    Handoff ended{};
    std::optional<Outcome<Reply>> outcome{};
    void end(Outcome<Reply> how) {
      outcome.emplace(std::move(how));
      ended.wake();
    }
  };
  struct Options {
    PipelineLimits limits{};
    Greeting greeting{};
    std::chrono::nanoseconds connect_timeout{};
    // Called with every reply of the server to a call.
    std::function<void(const Reply&)> on_answer{};
  };

  // `tasks` owns the coroutine that writes, and outlives the connection.
  Connection(boost::asio::io_context& loop, TlsContext tls, Options options, TaskGroup& tasks);

  // Connects and greets; false: broken. `endpoint` outlives the call.
  Task<bool> open(const Endpoint& endpoint);
  // Reads until broken.
  Task<void> serve();

  bool ready() const { return pipeline_.phase() == Pipeline::Phase::ready; }
  bool broken() const { return pipeline_.phase() == Pipeline::Phase::broken; }
  Breakage breakage() const { return pipeline_.breakage(); }
  const std::string& why() const { return pipeline_.why(); }
  // No call was under way when it ended: not necessarily a failure.
  bool was_idle() const { return was_idle_; }

  // `call` stays where it is until it has an outcome or is abandoned.
  Outcome<Pipeline::Ticket> add(const Command& command, Pending& call);
  void abandon(Pipeline::Ticket ticket, Breakage reason);
  void break_off(Breakage reason, const std::string& why);

 private:
  Task<bool> read_once();
  Task<void> write_all();
  void flush();
  void after_breakage();

  boost::asio::io_context& loop_;
  TaskGroup& tasks_;
  const std::chrono::nanoseconds connect_timeout_;
  const std::function<void(const Reply&)> on_answer_;
  const std::unique_ptr<Stream> stream_;
  Pipeline pipeline_;
  std::unordered_map<Pipeline::Ticket, Pending*> calls_;
  std::array<char, std::size_t{16} << 10> input_{};
  bool opened_ = false;
  bool writing_ = false;
  bool was_idle_ = false;
};

}  // namespace um::redis

// Connection: one connection to a server from its first byte to its end; never used again after
// that. The logic is Pipeline's; here are the socket and those who wait.
//
// Thread safety: none; everything on the loop's thread. Kept alive by its coroutines.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "drivers/redis/pipeline.hpp"
#include "drivers/redis/stream.hpp"

namespace um::redis {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // One who waits. Lives in the frame of the coroutine that called.
  class Call {
   public:
    explicit Call(boost::asio::io_context& loop) : timer{loop} {}
    boost::asio::steady_timer timer;
    std::optional<Outcome<Reply>> outcome{};
    void end(Outcome<Reply> how) {
      outcome.emplace(std::move(how));
      timer.cancel();
    }
  };
  struct Options {
    PipelineLimits limits{};
    Greeting greeting{};
    std::chrono::nanoseconds connect_timeout{};
    // Called with every answer of the server to a call.
    std::function<void(const Reply&)> on_answer{};
  };

  Connection(boost::asio::io_context& loop, TlsContext tls, Options options);

  // Until greeted; false: broken. `endpoint` outlives the call.
  Task<bool> open(const Endpoint& endpoint);
  // Reads until broken.
  Task<void> serve();

  bool ready() const { return pipeline_.phase() == Pipeline::Phase::ready; }
  bool broken() const { return pipeline_.phase() == Pipeline::Phase::broken; }
  Breakage breakage() const { return pipeline_.breakage(); }
  const std::string& why() const { return pipeline_.why(); }
  // Nothing was under way when it ended: not necessarily a failure.
  bool was_idle() const { return was_idle_; }

  // `call` stays where it is until it has an outcome or is abandoned.
  Outcome<Pipeline::Ticket> add(const Command& command, Call& call);
  void abandon(Pipeline::Ticket ticket, Breakage reason);
  void break_off(Breakage reason, const std::string& why);

 private:
  Task<bool> read_once();
  Task<void> write_all();
  void flush();
  void after_breakage();

  boost::asio::io_context& loop_;
  const std::chrono::nanoseconds connect_timeout_;
  const std::function<void(const Reply&)> on_answer_;
  const std::unique_ptr<Stream> stream_;
  Pipeline pipeline_;
  std::unordered_map<Pipeline::Ticket, Call*> calls_;
  std::array<char, std::size_t{16} << 10> input_{};
  bool opened_ = false;
  bool writing_ = false;
  bool was_idle_ = false;
};

}  // namespace um::redis

// Pipeline: the commands and replies of one connection, without the connection.
//
// A server answers commands in the order in which they arrived, and only that order tells which
// reply belongs to which command. So a command that was sent stays in the queue until its reply
// arrives. If its caller does not wait that long, the whole connection is broken off: if it were
// used again, the late reply would be taken for the reply to the next command, and one user for
// another.
//
//   greeting  AUTH, SELECT, CLIENT SETNAME, PING; commands of callers wait
//   ready     commands of callers are output at once
//   broken    no command is accepted, nothing is output, no input is read
//
// Pure: bytes in, bytes and answers out. Thread safety: none.
// Invariants:
//  1. Once broken, always broken. breakage() says why; the first reason stays.
//  2. At most `commands` and `bytes` are under way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/redis/command.hpp"
#include "drivers/redis/reply.hpp"
#include "drivers/redis/reply_reader.hpp"
#include "drivers/redis/url.hpp"

namespace um::redis {

struct PipelineLimits {
  std::size_t commands = 1024;
  std::size_t bytes = std::size_t{8} << 20;  // of commands not yet answered
  ReplyLimits reply{};
};

// A command of the greeting, and whether an error reply to it is the end.
struct GreetingStep {
  Command command;
  enum class Must : std::uint8_t { succeed, be_answered } must = Must::succeed;
};
using Greeting = std::vector<GreetingStep>;

// The first commands on a new connection: AUTH and SELECT if the endpoint asks for them,
// CLIENT SETNAME (which some proxies do not know), and PING, which detects a server that is no
// Redis and one that is still loading.
Greeting greeting_for(const Endpoint& endpoint, std::string_view client_name);

class Pipeline {
 public:
  enum class Phase : std::uint8_t { greeting, ready, broken };
  using Ticket = std::uint64_t;
  struct Answer {
    Ticket ticket;
    Reply reply;
  };

  Pipeline(PipelineLimits limits, const Greeting& greeting);

  Phase phase() const { return phase_; }
  Breakage breakage() const { return breakage_; }
  const std::string& why() const { return why_; }
  bool idle() const { return queue_.empty(); }  // no command waits for its reply

  // Failure::overloaded or unavailable.
  Outcome<Ticket> add(const Command& command);
  // The bytes to write now; they count as sent from now on. Empty: none.
  std::string take_output();
  // The answers that these bytes completed; may break the connection, after them.
  std::vector<Answer> receive(std::string_view bytes);
  // The caller of this command stopped waiting. A command that was not sent is removed from the
  // queue; otherwise the connection is broken off.
  void abandon(Ticket ticket, Breakage reason);
  void break_off(Breakage reason, std::string why);

 private:
  enum class Origin : std::uint8_t { caller, greeting_must_succeed, greeting };
  struct Queued {
    Ticket ticket;
    Origin origin;
    std::size_t bytes;
    bool sent;
    std::string unsent{};  // the command, until it is output
  };

  void take(Reply reply, std::vector<Answer>& answers);
  void greeted(Origin origin, const Reply& reply);

  const PipelineLimits limits_;
  ReplyReader reader_;
  Phase phase_ = Phase::greeting;
  Breakage breakage_ = Breakage::none;
  std::string why_;
  std::deque<Queued> queue_;  // in the order of sending; the sent ones first
  std::size_t bytes_ = 0;
  Ticket next_ticket_ = 1;
};

}  // namespace um::redis

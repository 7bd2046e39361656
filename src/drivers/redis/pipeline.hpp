// Pipeline: one connection's commands and replies, without the connection.
//
// A server answers commands in the order in which they came, and nothing but that order says which
// reply belongs to which command. So a command that has been sent stays in the row until its reply
// is there; if nobody wants to wait that long, the whole connection is broken: were it used again,
// the late reply would be taken for that of the next command, and a user for another one.
//
//   greeting  AUTH, SELECT, CLIENT SETNAME, PING; what callers add waits
//   ready     what callers add is output at once
//   broken    nothing is accepted, nothing is output, nothing that arrives is read
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
#include "drivers/redis/failure.hpp"
#include "drivers/redis/reply_reader.hpp"

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
  bool idle() const { return rows_.empty(); }  // nobody waits for anything

  // Failure::overloaded or unavailable.
  Outcome<Ticket> add(const Command& command);
  // What is to be written now; counts as sent from now on. Empty: nothing.
  std::string take_output();
  // The answers that these bytes completed; may break the connection, after them.
  std::vector<Answer> receive(std::string_view bytes);
  // Nobody waits for this one any more. What was not sent is forgotten; else the connection breaks.
  void abandon(Ticket ticket, Breakage reason);
  void break_off(Breakage reason, std::string why);

 private:
  enum class Whose : std::uint8_t { caller, greeting_must_succeed, greeting };
  struct Row {
    Ticket ticket;
    Whose whose;
    std::size_t bytes;
    bool sent;
    std::string unsent{};  // the command, until it is handed out
  };

  void take(Reply reply, std::vector<Answer>& answers);
  void greeted(Whose whose, const Reply& reply);

  const PipelineLimits limits_;
  ReplyReader reader_;
  Phase phase_ = Phase::greeting;
  Breakage breakage_ = Breakage::none;
  std::string why_;
  std::deque<Row> rows_;  // in the order of sending; the sent ones first
  std::size_t bytes_ = 0;
  Ticket next_ticket_ = 1;
};

}  // namespace um::redis

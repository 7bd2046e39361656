#include "drivers/redis/pipeline.hpp"

#include <algorithm>

namespace um::redis {
namespace {

Breakage breakage_of(ErrorClass error) {
  return error == ErrorClass::not_ready ? Breakage::not_ready : Breakage::refused;
}

}  // namespace

Greeting greeting_for(const Endpoint& endpoint, std::string_view client_name) {
  using Must = GreetingStep::Must;
  Greeting greeting;
  const std::string_view password = endpoint.password.reveal();
  if (!endpoint.user.empty()) {
    greeting.push_back({Command{"AUTH", endpoint.user.reveal(), password}, Must::succeed});
  } else if (!password.empty()) {
    greeting.push_back({Command{"AUTH", password}, Must::succeed});
  }
  if (endpoint.database != 0)
    greeting.push_back({Command{"SELECT", std::to_string(endpoint.database)}, Must::succeed});
  if (!client_name.empty())
    greeting.push_back({Command{"CLIENT", "SETNAME", client_name}, Must::be_answered});
  greeting.push_back({Command{"PING"}, Must::succeed});
  return greeting;
}

Pipeline::Pipeline(PipelineLimits limits, const Greeting& greeting)
    : limits_{limits}, reader_{limits.reply} {
  for (const GreetingStep& step : greeting) {
    const auto origin =
        step.must == GreetingStep::Must::succeed ? Origin::greeting_must_succeed : Origin::greeting;
    queue_.push_back({.ticket = next_ticket_++,
                      .origin = origin,
                      .bytes = 0,
                      .sent = false,
                      .unsent = step.command.bytes()});
  }
  if (queue_.empty()) phase_ = Phase::ready;
}

Outcome<Pipeline::Ticket> Pipeline::add(const Command& command) {
  if (phase_ == Phase::broken)
    return std::unexpected{Failure{.kind = Failure::Kind::unavailable, .message = why_}};
  const std::size_t size = command.bytes().size();
  if (queue_.size() >= limits_.commands || size > limits_.bytes - bytes_)
    return std::unexpected{
        Failure{.kind = Failure::Kind::overloaded, .message = "too many commands under way"}};
  bytes_ += size;
  queue_.push_back({.ticket = next_ticket_,
                    .origin = Origin::caller,
                    .bytes = size,
                    .sent = false,
                    .unsent = command.bytes()});
  return next_ticket_++;
}

std::string Pipeline::take_output() {
  std::string output;
  if (phase_ == Phase::broken) return output;
  const auto unsent = std::ranges::partition_point(queue_, &Queued::sent);
  for (auto queued = unsent; queued != queue_.end(); ++queued) {
    if (phase_ == Phase::greeting && queued->origin == Origin::caller) break;
    output += queued->unsent;
    queued->unsent = {};
    queued->sent = true;
  }
  return output;
}

std::vector<Pipeline::Answer> Pipeline::receive(std::string_view bytes) {
  std::vector<Answer> answers;
  if (phase_ == Phase::broken) return answers;
  auto replies = reader_.read(bytes);
  if (!replies) {
    break_off(Breakage::protocol, std::move(replies.error()));
    return answers;
  }
  for (Reply& reply : *replies) {
    take(std::move(reply), answers);
    if (phase_ == Phase::broken) break;
  }
  return answers;
}

void Pipeline::take(Reply reply, std::vector<Answer>& answers) {
  if (queue_.empty() || !queue_.front().sent)
    return break_off(Breakage::protocol, "the server answered something that was not asked");
  const Queued queued = std::move(queue_.front());
  queue_.pop_front();
  if (queued.origin != Origin::caller) return greeted(queued.origin, reply);

  bytes_ -= queued.bytes;
  std::string failed;
  if (reply.kind == Reply::Kind::error) {
    const ErrorClass error = classify_error(reply.text);
    // The server would reply this to every command from now on.
    if (error == ErrorClass::not_ready || reply.text.starts_with("NOAUTH"))
      failed = printable(reply.text);
  }
  answers.push_back({.ticket = queued.ticket, .reply = std::move(reply)});
  if (!failed.empty()) break_off(breakage_of(classify_error(failed)), failed);
}

void Pipeline::greeted(Origin origin, const Reply& reply) {
  if (reply.kind == Reply::Kind::error) {
    const ErrorClass error = classify_error(reply.text);
    if (origin == Origin::greeting_must_succeed || error == ErrorClass::not_ready)
      return break_off(breakage_of(error), printable(reply.text));
  } else if (reply.kind != Reply::Kind::status) {
    return break_off(Breakage::protocol, "the server's greeting is not that of Redis");
  }
  const bool more = !queue_.empty() && queue_.front().origin != Origin::caller;
  if (!more) phase_ = Phase::ready;
}

void Pipeline::abandon(Ticket ticket, Breakage reason) {
  const auto queued = std::ranges::find(queue_, ticket, &Queued::ticket);
  if (phase_ == Phase::broken || queued == queue_.end()) return;
  if (queued->sent)
    return break_off(reason, "an answer that nobody waits for any more is under way");
  bytes_ -= queued->bytes;
  queue_.erase(queued);
}

void Pipeline::break_off(Breakage reason, std::string why) {
  if (phase_ == Phase::broken) return;
  phase_ = Phase::broken;
  breakage_ = reason;
  why_ = std::move(why);
  queue_.clear();
  bytes_ = 0;
}

}  // namespace um::redis

#include "drivers/redis/pipeline.hpp"

#include <algorithm>

namespace um::redis {
namespace {

Breakage breakage_of(ErrorClass error) {
  return error == ErrorClass::not_ready ? Breakage::not_ready : Breakage::refused;
}

}  // namespace

Pipeline::Pipeline(PipelineLimits limits, const Greeting& greeting)
    : limits_{limits}, reader_{limits.reply} {
  for (const GreetingStep& step : greeting) {
    const auto whose =
        step.must == GreetingStep::Must::succeed ? Whose::greeting_must_succeed : Whose::greeting;
    rows_.push_back({.ticket = next_ticket_++,
                     .whose = whose,
                     .bytes = 0,
                     .sent = false,
                     .unsent = step.command.bytes()});
  }
  if (rows_.empty()) phase_ = Phase::ready;
}

Outcome<Pipeline::Ticket> Pipeline::add(const Command& command) {
  if (phase_ == Phase::broken)
    return std::unexpected{Failure{.kind = Failure::Kind::unavailable, .message = why_}};
  const std::size_t size = command.bytes().size();
  if (rows_.size() >= limits_.commands || size > limits_.bytes - bytes_)
    return std::unexpected{
        Failure{.kind = Failure::Kind::overloaded, .message = "too many commands under way"}};
  bytes_ += size;
  rows_.push_back({.ticket = next_ticket_,
                   .whose = Whose::caller,
                   .bytes = size,
                   .sent = false,
                   .unsent = command.bytes()});
  return next_ticket_++;
}

std::string Pipeline::take_output() {
  std::string output;
  if (phase_ == Phase::broken) return output;
  const auto unsent = std::ranges::partition_point(rows_, &Row::sent);
  for (auto row = unsent; row != rows_.end(); ++row) {
    if (phase_ == Phase::greeting && row->whose == Whose::caller) break;
    output += row->unsent;
    row->unsent = {};
    row->sent = true;
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
  if (rows_.empty() || !rows_.front().sent)
    return break_off(Breakage::protocol, "the server answered something that was not asked");
  const Row row = std::move(rows_.front());
  rows_.pop_front();
  if (row.whose != Whose::caller) return greeted(row.whose, reply);

  bytes_ -= row.bytes;
  std::string failed;
  if (reply.kind == Reply::Kind::error) {
    const ErrorClass error = classify_error(reply.text);
    // From now on it would say this to everything.
    if (error == ErrorClass::not_ready || reply.text.starts_with("NOAUTH"))
      failed = printable(reply.text);
  }
  answers.push_back({.ticket = row.ticket, .reply = std::move(reply)});
  if (!failed.empty()) break_off(breakage_of(classify_error(failed)), failed);
}

void Pipeline::greeted(Whose whose, const Reply& reply) {
  if (reply.kind == Reply::Kind::error) {
    const ErrorClass error = classify_error(reply.text);
    if (whose == Whose::greeting_must_succeed || error == ErrorClass::not_ready)
      return break_off(breakage_of(error), printable(reply.text));
  } else if (reply.kind != Reply::Kind::status) {
    return break_off(Breakage::protocol, "the server's greeting is not that of Redis");
  }
  const bool more = !rows_.empty() && rows_.front().whose != Whose::caller;
  if (!more) phase_ = Phase::ready;
}

void Pipeline::abandon(Ticket ticket, Breakage reason) {
  const auto row = std::ranges::find(rows_, ticket, &Row::ticket);
  if (phase_ == Phase::broken || row == rows_.end()) return;
  if (row->sent) return break_off(reason, "an answer that nobody waits for any more is under way");
  bytes_ -= row->bytes;
  rows_.erase(row);
}

void Pipeline::break_off(Breakage reason, std::string why) {
  if (phase_ == Phase::broken) return;
  phase_ = Phase::broken;
  breakage_ = reason;
  why_ = std::move(why);
  rows_.clear();
  bytes_ = 0;
}

}  // namespace um::redis

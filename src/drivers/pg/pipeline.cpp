#include "drivers/pg/pipeline.hpp"

#include <algorithm>
#include <utility>

namespace um::pg {

using What = Pipeline::Send::What;

bool stale(const Failure& failure) {
  return failure.kind == Failure::refused &&
         (failure.sqlstate == "26000" || failure.sqlstate == "0A000");
}

std::string Pipeline::name_of(std::uint64_t prepared) {
  return "q" + std::to_string(prepared);
}

void Pipeline::push(std::shared_ptr<Unit> unit, BootTime now) {
  unit->answers.clear();
  unit->failure.reset();
  unit->sent_at = now;
  for (std::size_t i = 0; i < unit->commands.size(); ++i) push_command(unit->commands[i], i);
  to_send_.push_back({.what = What::sync, .command = 0, .prepared = 0});
  units_.push_back(std::move(unit));
}

void Pipeline::push_command(const Command& command, std::size_t number) {
  if (command.how == Command::How::once) {
    to_send_.push_back({.what = What::execute_once, .command = number, .prepared = 0});
    return;
  }
  const auto [entry, is_new] = prepared_.try_emplace(command.query, preparations_ + 1);
  if (is_new) {
    ++preparations_;
    to_send_.push_back({.what = What::prepare, .command = number, .prepared = entry->second});
  }
  to_send_.push_back({.what = What::execute, .command = number, .prepared = entry->second});
}

std::optional<Pipeline::Send> Pipeline::next_to_send() {
  if (to_send_.empty()) return std::nullopt;
  const Step step = to_send_.front();
  to_send_.pop_front();
  Send send{.what = step.what};
  sent_.push_back(step);
  if (step.what == What::sync) {
    ++sending_;
    return send;
  }
  send.command = &units_[sending_]->commands[step.command];
  if (step.what != What::execute_once) send.name = name_of(step.prepared);
  return send;
}

void Pipeline::forget(const Query* query, std::uint64_t prepared) {
  const auto entry = prepared_.find(query);
  // A later unit may have prepared it anew.
  if (entry != prepared_.end() && entry->second == prepared) prepared_.erase(entry);
}

void Pipeline::answer(Step step, Reply& reply, BootTime now, Effect& effect) {
  Unit& unit = unit_of_reply();
  const Query* query = unit.commands[step.command].query;
  const bool failed = reply.what != Reply::What::done;
  if (step.what == What::prepare && failed) forget(query, step.prepared);
  if (step.what != What::prepare && reply.what != Reply::What::aborted) {
    effect.answered = query;
    effect.took = now - unit.sent_at;
    effect.failed = failed;
  }
  if (!failed) {
    if (step.what != What::prepare) unit.answers.push_back(std::move(reply.rows));
  } else if (reply.what == Reply::What::error) {
    if (step.what == What::execute && stale(reply.failure)) forget(query, step.prepared);
    if (!unit.failure) unit.failure = std::move(reply.failure);
  }
}

Pipeline::Effect Pipeline::receive(Reply reply, BootTime now) {
  Effect effect;
  if (sent_.empty()) {
    effect.expected = false;
    return effect;
  }
  const Step step = sent_.front();
  if (step.what != What::sync && reply.what == Reply::What::synced) {
    effect.expected = false;
    return effect;
  }
  last_reply_ = now;
  if (step.what != What::sync) {
    sent_.pop_front();
    answer(step, reply, now, effect);
    return effect;
  }
  if (reply.what != Reply::What::synced) {
    // The commit that a Sync makes can fail (a constraint that is checked then); its end follows.
    effect.expected = reply.what == Reply::What::error;
    Unit& unit = unit_of_reply();
    if (effect.expected && !unit.failure) unit.failure = std::move(reply.failure);
    return effect;
  }
  if (reply.not_replicated && !unit_of_reply().failure) {
    unit_of_reply().failure = {.kind = Failure::not_replicated,
                               .message = "the wait for a synchronous standby was cancelled"};
  }
  sent_.pop_front();
  --sending_;
  effect.finished = std::move(units_.front());
  units_.pop_front();
  return effect;
}

std::vector<std::shared_ptr<Unit>> Pipeline::drop() {
  auto units = unanswered();
  units_.clear();
  to_send_.clear();
  sent_.clear();
  sending_ = 0;
  prepared_.clear();
  return units;
}

bool Pipeline::stalled(BootTime now, std::chrono::nanoseconds bound) const {
  if (units_.empty()) return false;
  return now - std::max(last_reply_, units_.front()->sent_at) > bound;
}

}  // namespace um::pg

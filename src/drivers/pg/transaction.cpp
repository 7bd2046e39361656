#include "drivers/pg/transaction.hpp"

#include <iterator>
#include <utility>

#include "drivers/pg/transaction_state.hpp"

namespace um::pg {
namespace {

constexpr Query kBegin{.name = "begin", .sql = "begin isolation level read committed"};
constexpr Query kCommit{.name = "commit", .sql = "commit"};

Command once(const Query& query) {
  return {.query = &query, .how = Command::How::once};
}

}  // namespace

Transaction::Transaction(std::shared_ptr<State> state) : state_{std::move(state)} {}

Transaction::~Transaction() = default;

Task<Outcome<std::vector<Rows>>> Transaction::State::perform(std::vector<Command> commands,
                                                             Call::Effect effect) {
  if (failure) co_return failed(*failure);
  const bool first = lease == nullptr;
  if (first) commands.insert(commands.begin(), once(kBegin));
  auto call = std::make_shared<Call>(
      Call::Spec{.commands = std::move(commands),
                 .deadline = deadline,
                 .effect = effect,
                 .stale = Call::Stale::report,
                 .wants = first ? Call::Wants::connection : Call::Wants::answer,
                 .lease = lease});
  co_await um::pg::perform(group, call);
  lease = call->lease;
  if (!call->outcome) {
    failure = call->outcome.error();
    co_return failed(*failure);
  }
  auto rows = *std::move(call->outcome);
  if (first) rows.erase(rows.begin());
  co_return rows;
}

Task<Outcome<Rows>> Transaction::run(const Query& query, Params params) {
  std::vector<Command> commands;
  commands.push_back({.query = &query, .params = std::move(params)});
  auto rows = co_await state_->perform(std::move(commands), Call::Effect::none);
  if (!rows) co_return failed(std::move(rows.error()));
  co_return std::move(rows->back());
}

Task<Outcome<std::vector<Rows>>> Transaction::run_all(std::vector<Statement> statements) {
  std::vector<Command> commands;
  commands.reserve(statements.size() + 1);
  for (auto& statement : statements) {
    commands.push_back({.query = statement.query, .params = std::move(statement.params)});
  }
  if (commands.empty()) co_return std::vector<Rows>{};
  co_return co_await state_->perform(std::move(commands), Call::Effect::none);
}

Task<Outcome<void>> Transaction::commit() {
  if (state_->failure) co_return failed(*state_->failure);
  if (!state_->lease) co_return Outcome<void>{};  // nothing was begun
  std::vector<Command> commands;
  commands.push_back(once(kCommit));
  const auto rows = co_await state_->perform(std::move(commands), Call::Effect::commits);
  if (!rows) co_return failed(rows.error());
  co_return Outcome<void>{};
}

Deadline Transaction::deadline() const {
  return state_->deadline;
}

const Failure* Transaction::failure() const {
  return state_->failure ? &*state_->failure : nullptr;
}

}  // namespace um::pg

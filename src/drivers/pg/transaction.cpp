#include "drivers/pg/transaction.hpp"

#include <iterator>
#include <stdexcept>
#include <utility>

#include "drivers/pg/transaction_state.hpp"

namespace um::pg {
namespace {

constexpr Query kCommit{.name = "commit", .sql = "commit"};

const Query& begin_of(Isolation isolation) {
  static constexpr Query kReadCommitted{.name = "begin",
                                        .sql = "begin isolation level read committed"};
  static constexpr Query kRepeatableRead{.name = "begin",
                                         .sql = "begin isolation level repeatable read"};
  static constexpr Query kSerializable{.name = "begin",
                                       .sql = "begin isolation level serializable"};
  switch (isolation) {
    case Isolation::read_committed:
      return kReadCommitted;
    case Isolation::repeatable_read:
      return kRepeatableRead;
    case Isolation::serializable:
      return kSerializable;
  }
  throw std::logic_error{"an isolation level of no name"};
}

Command once(const Query& query) {
  return {.query = &query, .how = Command::How::once};
}

}  // namespace

Transaction::Transaction(std::shared_ptr<State> state) : state_{std::move(state)} {}

Transaction::~Transaction() = default;

Task<Outcome<std::vector<Rows>>> Transaction::State::perform(std::vector<Command> commands,
                                                             Call::Effect effect) {
  if (committed) throw std::logic_error{"a statement after the commit of its transaction"};
  if (failure) co_return failed(*failure);
  const bool first = lease == nullptr;
  if (first) commands.insert(commands.begin(), once(begin_of(isolation)));
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

Task<Outcome<Rows>> Transaction::run_and_commit(const Query& query, Params params) {
  std::vector<Command> commands;
  commands.push_back({.query = &query, .params = std::move(params)});
  commands.push_back(once(kCommit));
  auto rows = co_await state_->perform(std::move(commands), Call::Effect::commits);
  if (!rows) co_return failed(std::move(rows.error()));
  state_->committed = true;
  co_return std::move(rows->front());
}

Task<Outcome<void>> Transaction::commit() {
  if (state_->committed) co_return Outcome<void>{};
  if (state_->failure) co_return failed(*state_->failure);
  if (!state_->lease) co_return Outcome<void>{};  // nothing was begun
  std::vector<Command> commands;
  commands.push_back(once(kCommit));
  const auto rows = co_await state_->perform(std::move(commands), Call::Effect::commits);
  if (!rows) co_return failed(rows.error());
  state_->committed = true;
  co_return Outcome<void>{};
}

Deadline Transaction::deadline() const {
  return state_->deadline;
}

const Failure* Transaction::failure() const {
  return state_->failure ? &*state_->failure : nullptr;
}

}  // namespace um::pg

#include "drivers/pg/transaction.hpp"

#include <utility>

#include "drivers/pg/pool.hpp"

namespace um::pg {
namespace {

constexpr Query kBegin{.name = "begin", .sql = "begin isolation level read committed"};
constexpr Query kCommit{.name = "commit", .sql = "commit"};

Command once(const Query& query) {
  return {.query = &query, .how = Command::How::once};
}

}  // namespace

Transaction::Transaction(std::shared_ptr<Pool> pool, Deadline deadline)
    : pool_{std::move(pool)}, deadline_{deadline} {}

Transaction::~Transaction() = default;

Task<Outcome<std::vector<Rows>>> Transaction::perform(CallSpec spec) {
  if (failure_) co_return failed(*failure_);
  const bool first = lease_ == nullptr;
  if (first) spec.commands.insert(spec.commands.begin(), once(kBegin));
  spec.stale = CallSpec::Stale::report;
  spec.wants = first ? CallSpec::Wants::connection : CallSpec::Wants::answer;
  spec.lease = lease_;
  const auto call = std::make_shared<Call>(std::move(spec));
  co_await um::pg::perform(pool_, call);
  lease_ = call->lease;
  if (!call->outcome) {
    failure_ = call->outcome.error();
    co_return failed(*failure_);
  }
  auto rows = *std::move(call->outcome);
  if (first) rows.erase(rows.begin());
  co_return rows;
}

Task<Outcome<Rows>> Transaction::run(const Query& query, Params params) {
  CallSpec spec{.deadline = deadline_};
  spec.commands.push_back({.query = &query, .params = std::move(params)});
  auto rows = co_await perform(std::move(spec));
  if (!rows) co_return failed(std::move(rows.error()));
  co_return std::move(rows->back());
}

Task<Outcome<std::vector<Rows>>> Transaction::run_all(std::vector<Statement> statements) {
  if (statements.empty()) co_return std::vector<Rows>{};
  CallSpec spec{.deadline = deadline_};
  spec.commands.reserve(statements.size() + 1);
  for (auto& statement : statements) {
    spec.commands.push_back({.query = statement.query, .params = std::move(statement.params)});
  }
  auto rows = co_await perform(std::move(spec));
  co_return rows;
}

Task<Outcome<void>> Transaction::commit() {
  if (failure_) co_return failed(*failure_);
  if (!lease_) co_return Outcome<void>{};  // nothing was begun
  CallSpec spec{.deadline = deadline_, .effect = CallSpec::Effect::commits};
  spec.commands.push_back(once(kCommit));
  const auto rows = co_await perform(std::move(spec));
  if (!rows) co_return failed(rows.error());
  co_return Outcome<void>{};
}

}  // namespace um::pg

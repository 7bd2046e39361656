#include "auth/stored_attempts.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace um {
namespace {

static_assert(AttemptSketch::kRows == AttemptStore::kRows);

// Addresses stand behind accounts.
constexpr std::int32_t kFirstAddress =
    static_cast<std::int32_t>(AttemptSketch::kRows) * AttemptSketch::kAccountCells;

SharedAttempts::Answer shared(const AttemptStore::Answer& answer) {
  switch (answer.kind) {
    case AttemptStore::Answer::Kind::taken:
      return SharedAttempts::Taken{.place = answer.number};
    case AttemptStore::Answer::Kind::busy:
      return SharedAttempts::Busy{};
    case AttemptStore::Answer::Kind::refused:
      break;
  }
  return SharedAttempts::Refused{.wait = std::chrono::milliseconds{answer.number}};
}

}  // namespace

StoredAttempts::StoredAttempts(Options options, AttemptStore& store, const Clock& clock,
                               boost::asio::any_io_executor executor)
    : options_{std::move(options)},
      sketch_{options_.deployment_key},
      store_{store},
      clock_{clock},
      executor_{std::move(executor)} {
  check_shared_limits(options_.limits);
  if (options_.limits.window != AttemptStore::kWindow)
    throw std::invalid_argument("the window of attempts is another one in the database");
}

AttemptStore::Cells StoredAttempts::cells(const Who& who) const {
  AttemptStore::Cells cells{.account = sketch_.account(who.account),
                            .address = sketch_.address(who.address)};
  for (std::int32_t& cell : cells.address) cell += kFirstAddress;
  return cells;
}

Task<std::optional<SharedAttempts::Answer>> StoredAttempts::take(Who who, Deadline deadline) {
  const Deadline soon{std::min(deadline.at, clock_.now() + options_.longest_wait)};
  const AttemptStore::Take wanted{.cells = cells(who),
                                  .account_limit = options_.limits.failures_per_account,
                                  .address_limit = options_.limits.failures_per_address};
  const Result<AttemptStore::Answer> answer = co_await store_.take(wanted, soon);
  if (!answer) co_return std::nullopt;
  co_return shared(*answer);
}

void StoredAttempts::end(const Who& who, Taken place, Outcome outcome) {
  const AttemptStore::End ended{
      .cells = cells(who), .taken = place.place, .failed = outcome == Outcome::failed};
  const auto until = Deadline::after(clock_, options_.longest_end);
  boost::asio::co_spawn(executor_, store_.end(ended, until), boost::asio::detached);
}

}  // namespace um

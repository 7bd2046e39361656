#include "auth/attempts/local_attempt_limiter.hpp"

#include <algorithm>
#include <list>
#include <mutex>
#include <stdexcept>

#include "async/handoff.hpp"
#include "auth/attempts/failure_window.hpp"

namespace um {

struct LocalAttemptLimiter::State {
  struct Names {
    FailureWindow::Name account;
    FailureWindow::Name address;
  };
  enum class Answer { place, wait, refuse };

  State(const LocalAttemptLimiterOptions& o, const Clock& c)
      : options{o},
        clock{c},
        accounts{
            {.window = o.limits.window, .cells_per_row = o.account_cells, .key = SipKey::random()}},
        addresses{
            {.window = o.limits.window, .cells_per_row = o.address_cells, .key = SipKey::random()}},
        account_limit{.failures = static_cast<std::uint32_t>(o.limits.failures_per_account)},
        address_limit{.failures = static_cast<std::uint32_t>(o.limits.failures_per_address)} {}

  // All below: REQUIRES the lock.
  Answer ask(const Names& names) {
    const BootTime now = clock.now();
    const auto account = accounts.count(names.account, now);
    const auto address = addresses.count(names.address, now);
    if (account.failures >= account_limit.failures || address.failures >= address_limit.failures) {
      return Answer::refuse;
    }
    if (account.total >= account_limit.failures || address.total >= address_limit.failures) {
      return Answer::wait;
    }
    accounts.begin(names.account);
    addresses.begin(names.address);
    ++stats.taken;
    return Answer::place;
  }

  Error refusal(const Names& names) {
    const BootTime now = clock.now();
    const auto wait = std::max(accounts.until_below(names.account, account_limit, now),
                               addresses.until_below(names.address, address_limit, now));
    return refuse_for(std::chrono::ceil<std::chrono::seconds>(wait));
  }

  Error refuse_for(std::chrono::seconds wait) {
    ++stats.refused;
    return too_many_failures(wait);
  }

  // A place came free: the sign-ins that wait for one like it ask again, on their own event loops.
  void wake(const Names& names) {
    for (const auto& [place_free, wanted] : waiting) {
      if (wanted.account.shares_cell_with(names.account) ||
          wanted.address.shares_cell_with(names.address)) {
        place_free.wake();
      }
    }
  }

  void end(const Names& names, bool failed) {
    const std::lock_guard lock{mutex};
    accounts.end(names.account);
    addresses.end(names.address);
    if (failed) {
      const BootTime now = clock.now();
      accounts.add_failure(names.account, now);
      addresses.add_failure(names.address, now);
      ++stats.failures;
    }
    wake(names);
  }

  const LocalAttemptLimiterOptions options;
  const Clock& clock;
  std::mutex mutex;
  FailureWindow accounts;
  FailureWindow addresses;
  const FailureWindow::Limit account_limit;
  const FailureWindow::Limit address_limit;
  std::list<std::pair<Handoff, Names>> waiting;
  Stats stats;
};

class LocalAttemptLimiter::TakenPlace final : public Place {
 public:
  TakenPlace(std::shared_ptr<State> state, State::Names names)
      : state_{std::move(state)}, names_{names} {}
  ~TakenPlace() override { give_back(false); }
  void succeeded() override { give_back(false); }
  void failed() override { give_back(true); }

 private:
  void give_back(bool failed) {
    if (const auto state = std::exchange(state_, nullptr)) state->end(names_, failed);
  }
  std::shared_ptr<State> state_;
  State::Names names_;
};

// One sign-in in the list of those that wait, until its coroutine goes on or is destroyed.
class LocalAttemptLimiter::Waiting {
 public:
  // REQUIRES the lock.
  Waiting(std::shared_ptr<State> state, const State::Names& names)
      : state_{std::move(state)},
        entry_{state_->waiting.emplace(state_->waiting.end(), Handoff{}, names)} {}
  ~Waiting() {
    const std::lock_guard lock{state_->mutex};
    state_->waiting.erase(entry_);
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  const Handoff& place_free() const { return entry_->first; }

 private:
  std::shared_ptr<State> state_;
  decltype(State::waiting)::iterator entry_;
};

LocalAttemptLimiter::LocalAttemptLimiter(LocalAttemptLimiterOptions options, const Clock& clock) {
  const AttemptLimits& limits = options.limits;
  if (limits.failures_per_account < 1 || limits.failures_per_address < 1 ||
      limits.window < std::chrono::minutes{1}) {
    throw std::invalid_argument("the limits of attempts must be positive");
  }
  state_ = std::make_shared<State>(options, clock);
}
LocalAttemptLimiter::~LocalAttemptLimiter() = default;

Task<Result<std::unique_ptr<AttemptLimiter::Place>>> LocalAttemptLimiter::take(Subject subject,
                                                                               Deadline deadline) {
  const std::shared_ptr<State> state = state_;
  const State::Names names{.account = state->accounts.name(subject.account),
                           .address = state->addresses.name(address_group(subject.address))};
  for (;;) {
    std::unique_ptr<Waiting> waiting;
    {
      const std::lock_guard lock{state->mutex};
      switch (state->ask(names)) {
        case State::Answer::place:
          co_return std::make_unique<TakenPlace>(state, names);
        case State::Answer::refuse:
          co_return fail(state->refusal(names));
        case State::Answer::wait:
          break;
      }
      if (state->waiting.size() >= state->options.waiters) {
        co_return fail(state->refuse_for(std::chrono::seconds{1}));
      }
      waiting = std::make_unique<Waiting>(state, names);
    }
    const Handoff::End end =
        co_await waiting->place_free().wait_while_wanted(deadline, state->clock);
    if (end == Handoff::End::cancelled) {
      co_return fail(client_disconnected());
    }
    if (end == Handoff::End::deadline_passed) {
      co_return fail(waited_too_long());
    }
  }
}

LocalAttemptLimiter::Stats LocalAttemptLimiter::stats() const {
  const std::lock_guard lock{state_->mutex};
  Stats stats = state_->stats;
  stats.waiting = state_->waiting.size();
  return stats;
}

}  // namespace um

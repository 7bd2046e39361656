#include "auth/passwords/password_hasher.hpp"

#include <stdexcept>

#include <fmt/format.h>

#include "auth/passwords/bcrypt.hpp"

namespace um {

static_assert(PasswordHasher::kMaxCost == bcrypt::kMaxCost);

namespace {

const PasswordHasherOptions& checked(const PasswordHasherOptions& options) {
  if (options.cost < bcrypt::kMinCost || options.cost > bcrypt::kMaxCost) {
    throw std::invalid_argument(
        fmt::format("password cost: {} to {}", bcrypt::kMinCost, bcrypt::kMaxCost));
  }
  if (options.threads == 0 || options.queue == 0) {
    throw std::invalid_argument("password hashing needs a thread and a queue");
  }
  return options;
}

// Cost 10 takes about 50 ms, and each step of it doubles that.
std::chrono::milliseconds typical_work(const PasswordHasherOptions& options) {
  return std::chrono::milliseconds{(50LL << (options.cost - bcrypt::kMinCost)) >>
                                   (10 - bcrypt::kMinCost)};
}

// Has no state, so one object serves every hasher that was constructed without a clock.
const SystemClock kSystemClock{};

}  // namespace

PasswordHasher::PasswordHasher(PasswordHasherOptions options)
    : PasswordHasher{options, kSystemClock} {}

PasswordHasher::PasswordHasher(PasswordHasherOptions options, const Clock& clock)
    : options_{checked(options)},
      unmatchable_{bcrypt::unmatchable(options.cost)},
      pool_{{.threads = options.threads,
             .queue = options.queue,
             .typical_work = typical_work(options)},
            clock} {}

PasswordHasher::~PasswordHasher() = default;

// The result lives on the heap: a thread may still write it when the caller is gone.
Task<Result<Secret>> PasswordHasher::hash(Secret password, Deadline deadline) {
  const auto outcome = std::make_shared<Result<Secret>>();
  std::function<void()> work = [outcome, password = std::move(password), cost = options_.cost] {
    *outcome = bcrypt::hash(password, cost);
  };
  const std::shared_ptr<Counters> counters = counters_;
  const Result<void> done = co_await pool_.run(std::move(work), deadline);
  if (!done) co_return fail(done.error());
  counters->hashed.add();
  co_return std::move(*outcome);
}

Task<Result<bool>> PasswordHasher::verify(Secret password, std::optional<Secret> stored_hash,
                                          Deadline deadline) {
  const bool checkable = stored_hash && bcrypt::supported_cost(stored_hash->reveal()).has_value();
  Secret against = unmatchable_;
  if (checkable) against = std::move(*stored_hash);
  const auto matches = std::make_shared<bool>(false);
  const std::shared_ptr<Counters> counters = counters_;
  std::function<void()> work = [matches, counters, cost = options_.cost,
                                password = std::move(password), against = std::move(against)] {
    *matches = bcrypt::verify(password, against);
    const int own_cost = *bcrypt::supported_cost(against.reveal());
    counters->rounds.add(1ULL << own_cost);
    if (!*matches) make_up(password, {.from = own_cost, .to = cost}, *counters);
  };
  const Result<void> done = co_await pool_.run(std::move(work), deadline);
  if (!done) co_return fail(done.error());
  counters->verified.add();
  co_return checkable && *matches;
}

// A refusal must take as long for a cheap stored hash as for an unknown user: 2^from rounds are
// done, and those of from, from + 1, …, to - 1 together are the rest of 2^to. The additional time
// of a more expensive hash cannot be hidden without making every refusal that expensive.
void PasswordHasher::make_up(const Secret& password, Costs costs, Counters& counters) {
  for (int cost = costs.from; cost < costs.to; ++cost) {
    [[maybe_unused]] const bool never = bcrypt::verify(password, bcrypt::unmatchable(cost));
    counters.rounds.add(1ULL << cost);
  }
}

bool PasswordHasher::needs_rehash(const Secret& hash) const {
  return !hash.reveal().starts_with("$2b$") ||
         bcrypt::supported_cost(hash.reveal()) != options_.cost;
}

PasswordHasherStats PasswordHasher::stats() const {
  const WorkPool::Stats pool = pool_.stats();
  PasswordHasherStats stats = read_counters(*counters_);
  stats.queued = pool.queued;
  stats.refused = pool.refused;
  stats.cancelled = pool.cancelled;
  return stats;
}

bool is_supported_hash(std::string_view hash) {
  return bcrypt::supported_cost(hash).has_value();
}

}  // namespace um

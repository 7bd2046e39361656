#include "auth/attempts/shared_attempt_limiter.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include "async/waiter.hpp"

namespace um {
namespace {

std::unexpected<Error> refuse_for(std::chrono::seconds wait) {
  return fail(Error{.code = ErrorCode::too_many_attempts,
                    .detail = "too many failed attempts to sign in",
                    .fields = {},
                    .retry_after = std::max(wait, std::chrono::seconds{1})});
}

}  // namespace

// The way from a place to the shared attempts, cut when the limiter goes: a place may sit in the
// frame of a coroutine that goes with its event loop, after everything else.
struct SharedAttemptLimiter::Link {
  explicit Link(SharedAttempts& attempts) : shared{&attempts} {}
  std::mutex mutex;
  SharedAttempts* shared;  // guarded by mutex, for places only
};

class SharedAttemptLimiter::SharedPlace final : public Place {
 public:
  struct Parts {
    std::unique_ptr<Place> local;
    std::shared_ptr<Link> link;
    Who who;
    SharedAttempts::Taken taken;
  };
  explicit SharedPlace(Parts parts) : parts_{std::move(parts)} {}
  ~SharedPlace() override { end(SharedAttempts::Outcome::succeeded); }
  void succeeded() override {
    parts_.local->succeeded();
    end(SharedAttempts::Outcome::succeeded);
  }
  void failed() override {
    parts_.local->failed();
    end(SharedAttempts::Outcome::failed);
  }

 private:
  void end(SharedAttempts::Outcome outcome) {
    const auto link = std::exchange(parts_.link, nullptr);
    if (!link) return;
    const std::lock_guard lock{link->mutex};
    if (link->shared != nullptr) link->shared->end(parts_.who, parts_.taken, outcome);
  }
  Parts parts_;
};

class SharedAttemptLimiter::Waiting {
 public:
  explicit Waiting(std::atomic<std::size_t>& count) : count_{count}, before_{count_.fetch_add(1)} {}
  ~Waiting() { count_.fetch_sub(1); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  std::size_t before() const { return before_; }

 private:
  std::atomic<std::size_t>& count_;
  const std::size_t before_;
};

SharedAttemptLimiter::SharedAttemptLimiter(AttemptLimiter& local, SharedAttempts& shared,
                                           const Clock& clock, SharedAttemptOptions options)
    : local_{local}, link_{std::make_shared<Link>(shared)}, clock_{clock}, options_{options} {}

SharedAttemptLimiter::~SharedAttemptLimiter() {
  const std::lock_guard lock{link_->mutex};
  link_->shared = nullptr;
}

Task<Result<std::unique_ptr<AttemptLimiter::Place>>> SharedAttemptLimiter::take(Who who,
                                                                                Deadline deadline) {
  Result<std::unique_ptr<Place>> local = co_await local_.take(who, deadline);
  if (!local) co_return local;
  who.address = address_group(who.address);
  std::unique_ptr<Waiting> waiting;
  for (;;) {
    const std::optional<SharedAttempts::Answer> answer =
        co_await link_->shared->take(who, deadline);
    if (!answer) {
      unshared_.fetch_add(1, std::memory_order_relaxed);
      co_return local;
    }
    if (const auto* taken = std::get_if<SharedAttempts::Taken>(&*answer)) {
      taken_.fetch_add(1, std::memory_order_relaxed);
      SharedPlace::Parts parts{
          .local = std::move(*local), .link = link_, .who = std::move(who), .taken = *taken};
      co_return std::make_unique<SharedPlace>(std::move(parts));
    }
    if (const auto* refused = std::get_if<SharedAttempts::Refused>(&*answer)) {
      refused_.fetch_add(1, std::memory_order_relaxed);
      co_return refuse_for(std::chrono::ceil<std::chrono::seconds>(refused->wait));
    }
    if (!waiting) waiting = std::make_unique<Waiting>(waiting_);
    if (waiting->before() >= options_.waiters) co_return refuse_for(std::chrono::seconds{1});
    const std::chrono::nanoseconds left = deadline.at - clock_.now();
    if (left.count() <= 0)
      co_return fail(ErrorCode::timeout, "other sign-ins of this account take too long");
    const auto nobody = std::make_shared<Waiter>();
    const std::chrono::nanoseconds pause = std::min<std::chrono::nanoseconds>(options_.pause, left);
    const Waiter::Outcome outcome = co_await Waiter::wait_while_wanted(nobody, pause);
    if (outcome == Waiter::Outcome::gone)
      co_return fail(ErrorCode::cancelled, "the client has gone");
  }
}

SharedAttemptLimiter::Stats SharedAttemptLimiter::stats() const {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  return {.shared = taken_.load(kRelaxed),
          .local = unshared_.load(kRelaxed),
          .refused = refused_.load(kRelaxed),
          .waiting = waiting_.load(kRelaxed)};
}

}  // namespace um

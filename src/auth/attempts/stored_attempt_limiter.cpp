#include "auth/attempts/stored_attempt_limiter.hpp"

#include <algorithm>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "async/handoff.hpp"
#include "async/task_group.hpp"
#include "auth/attempts/attempt_sketch.hpp"

namespace um {
namespace {

void check(const AttemptLimits& limits) {
  for (const int limit : {limits.failures_per_account, limits.failures_per_address}) {
    if (limit < 1 || limit > AttemptStore::kHighestLimit)
      throw std::invalid_argument("a limit of attempts is out of range");
  }
  if (limits.window != AttemptStore::kWindow)
    throw std::invalid_argument("the window of attempts is another one in the database");
}

}  // namespace

// Between a sign-in that waits for a place and the call of the store, which goes on without it.
class StoredAttemptLimiter::Question {
 public:
  // False: the sign-in does not wait any more.
  bool answer(const Result<AttemptStore::Answer>& answer) {
    const std::lock_guard lock{mutex_};
    if (given_up_) return false;
    if (answer) answer_ = *answer;
    answered_.wake();
    return true;
  }
  // nullopt: no answer has come.
  std::optional<AttemptStore::Answer> give_up() {
    const std::lock_guard lock{mutex_};
    given_up_ = true;
    return answer_;
  }
  const Handoff& answered() const { return answered_; }

 private:
  const Handoff answered_;
  std::mutex mutex_;
  std::optional<AttemptStore::Answer> answer_;
  bool given_up_ = false;
};

// The state that places and calls under way share: a place may sit in the frame of a coroutine that
// is destroyed with its event loop, after the limiter.
class StoredAttemptLimiter::Shared : public std::enable_shared_from_this<Shared> {
 public:
  Shared(const StoredAttemptOptions& options, const Parts& parts)
      : limits_{options.limits},
        longest_wait_{options.longest_wait},
        longest_call_{options.longest_call},
        sketch_{options.deployment_key},
        store_{parts.store},
        clock_{parts.clock},
        loop_{parts.loop} {}

  AttemptStore::Cells cells(const Subject& subject) const { return sketch_.cells(subject); }

  // nullopt: the store did not answer in time.
  Task<std::optional<AttemptStore::Answer>> ask(AttemptStore::Cells cells, Deadline deadline) {
    const auto question = std::make_shared<Question>();
    const boost::asio::any_io_executor executor = co_await boost::asio::this_coro::executor;
    if (!tasks_.spawn(executor, call(shared_from_this(), question, cells))) co_return std::nullopt;
    const Deadline until = deadline.no_later_than(clock_.now() + longest_wait_);
    co_await question->answered().wait(until, clock_);
    co_return question->give_up();
  }
  void end(const AttemptStore::End& end) {
    tasks_.spawn(loop_.get_executor(), call_end(shared_from_this(), end));
  }
  void close() { tasks_.close(); }
  // REQUIRES: no take() begins any more. The group stays open until its calls have ended: a call
  // that is answered late starts the one that gives its place back.
  void join() {
    tasks_.join_blocking(loop_, 2 * longest_call_ + std::chrono::seconds{1});
    tasks_.close();
  }

  StoredAttemptNumbers<Counter> counters;

 private:
  static Task<void> call(std::shared_ptr<Shared> self, std::shared_ptr<Question> question,
                         AttemptStore::Cells cells) {
    const AttemptStore::Take take{.cells = cells,
                                  .account_limit = self->limits_.failures_per_account,
                                  .address_limit = self->limits_.failures_per_address};
    const auto deadline = Deadline::after(self->clock_, self->longest_call_);
    const Result<AttemptStore::Answer> answer = co_await self->store_.take(take, deadline);
    if (question->answer(answer)) co_return;
    if (answer && answer->kind == AttemptStore::Answer::Kind::taken)
      self->end({.cells = cells, .taken = answer->number, .failed = false});
  }
  static Task<void> call_end(std::shared_ptr<Shared> self, AttemptStore::End end) {
    const auto deadline = Deadline::after(self->clock_, self->longest_call_);
    [[maybe_unused]] const Result<void> ignored = co_await self->store_.end(end, deadline);
  }

  const AttemptLimits limits_;
  const std::chrono::milliseconds longest_wait_;
  const std::chrono::milliseconds longest_call_;
  const AttemptSketch sketch_;
  AttemptStore& store_;
  const Clock& clock_;
  boost::asio::io_context& loop_;
  TaskGroup tasks_;
};

class StoredAttemptLimiter::StoredPlace final : public Place {
 public:
  struct Parts {
    std::unique_ptr<Place> local;
    std::shared_ptr<Shared> shared;
    AttemptStore::Cells cells;
    std::int64_t taken;
  };
  explicit StoredPlace(Parts parts) : parts_{std::move(parts)} {}
  ~StoredPlace() override { end(false); }
  void succeeded() override {
    parts_.local->succeeded();
    end(false);
  }
  void failed() override {
    parts_.local->failed();
    end(true);
  }

 private:
  void end(bool failed) {
    const auto shared = std::exchange(parts_.shared, nullptr);
    if (shared) shared->end({.cells = parts_.cells, .taken = parts_.taken, .failed = failed});
  }
  Parts parts_;
};

class StoredAttemptLimiter::Waiting {
 public:
  explicit Waiting(std::shared_ptr<Shared> shared)
      : shared_{std::move(shared)}, before_{shared_->counters.waiting.add()} {}
  ~Waiting() { shared_->counters.waiting.remove(); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  std::uint64_t before() const { return before_; }

 private:
  const std::shared_ptr<Shared> shared_;
  const std::uint64_t before_;
};

StoredAttemptLimiter::StoredAttemptLimiter(StoredAttemptOptions options, Parts parts)
    : local_{parts.local},
      clock_{parts.clock},
      options_{std::move(options)},
      shared_{std::make_shared<Shared>(options_, parts)} {
  check(options_.limits);
}

StoredAttemptLimiter::~StoredAttemptLimiter() {
  shared_->close();
}

void StoredAttemptLimiter::stop() {
  shared_->join();
}

StoredAttemptLimiter::Stats StoredAttemptLimiter::stats() const {
  return read_counters(shared_->counters);
}

Task<Result<std::unique_ptr<AttemptLimiter::Place>>> StoredAttemptLimiter::take(Subject subject,
                                                                                Deadline deadline) {
  using Kind = AttemptStore::Answer::Kind;
  Result<std::unique_ptr<Place>> local = co_await local_.take(subject, deadline);
  if (!local) co_return local;
  subject.address = address_group(subject.address);
  const AttemptStore::Cells cells = shared_->cells(subject);
  std::unique_ptr<Waiting> waiting;
  for (;;) {
    const std::optional<AttemptStore::Answer> answer = co_await shared_->ask(cells, deadline);
    if (!answer) {
      shared_->counters.local.add();
      co_return local;
    }
    if (answer->kind == Kind::taken) {
      shared_->counters.shared.add();
      StoredPlace::Parts place{
          .local = std::move(*local), .shared = shared_, .cells = cells, .taken = answer->number};
      co_return std::make_unique<StoredPlace>(std::move(place));
    }
    if (answer->kind == Kind::refused) {
      shared_->counters.refused.add();
      const std::chrono::milliseconds wait{answer->number};
      co_return fail(too_many_failures(std::chrono::ceil<std::chrono::seconds>(wait)));
    }
    if (!waiting) waiting = std::make_unique<Waiting>(shared_);
    if (waiting->before() >= options_.waiters)
      co_return fail(too_many_failures(std::chrono::seconds{1}));
    if (deadline.passed(clock_.now())) co_return fail(waited_too_long());
    const Handoff pause;  // nothing wakes it, but the client may disconnect
    const Deadline until = deadline.no_later_than(clock_.now() + options_.pause);
    const Handoff::End end = co_await pause.wait_while_wanted(until, clock_);
    if (end == Handoff::End::cancelled) co_return fail(client_disconnected());
  }
}

}  // namespace um

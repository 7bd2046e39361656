#include "auth/tokens/key_reloads.hpp"

#include <algorithm>

namespace um {

// Ends the reload, also when its coroutine is cancelled or destroyed.
class KeyReloads::Running {
 public:
  explicit Running(std::shared_ptr<State> state) : state_{std::move(state)} {}
  ~Running() {
    const std::lock_guard lock{state_->mutex};
    state_->running = false;
    for (const Handoff& waiting : state_->waiting) waiting.wake();
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  std::shared_ptr<State> state_;
};

// A request that waits for a reload to end.
class KeyReloads::Queued {
 public:
  // REQUIRES the lock.
  explicit Queued(std::shared_ptr<State> state) : state_{std::move(state)} {
    state_->waiting.push_back(ended_);
  }
  ~Queued() {
    const std::lock_guard lock{state_->mutex};
    std::erase(state_->waiting, ended_);
  }
  Queued(const Queued&) = delete;
  Queued& operator=(const Queued&) = delete;
  const Handoff& ended() const { return ended_; }

 private:
  std::shared_ptr<State> state_;
  const Handoff ended_;
};

KeyReloads::KeyReloads(Reload reload, const Clock& clock)
    : reload_{std::move(reload)}, clock_{clock} {}

Task<Result<void>> KeyReloads::next(Pace pace, Deadline deadline) {
  const std::shared_ptr<State> state = state_;
  const BootTime now = clock_.now();
  if (deadline.passed(now)) co_return fail(ErrorCode::timeout, "no time left");
  BootTime wait_until = deadline.at;
  std::unique_ptr<Queued> queued;
  {
    const std::lock_guard lock{state->mutex};
    const bool at_once = pace == Pace::at_once || state->begun == BootTime::min();
    if (!state->running && (at_once || now >= state->begun + kPause)) {
      state->running = true;
      state->begun = now;
    } else {
      if (!state->running) wait_until = state->begun + kPause;
      if (wait_until > deadline.at || state->waiting.size() >= kMaxWaiting) {
        co_return fail(ErrorCode::overloaded, "the signing keys cannot be read so soon again");
      }
      queued = std::make_unique<Queued>(state);
    }
  }
  if (queued) {
    const auto end = co_await queued->ended().wait(Deadline{.at = wait_until}, clock_);
    if (end != Handoff::End::woken && deadline.passed(clock_.now())) {
      co_return fail(ErrorCode::timeout, "reading the signing keys takes too long");
    }
    co_return Result<void>{};
  }
  const Running running{state};
  const Result<void> result = co_await reload_(deadline);
  co_return result;
}

}  // namespace um

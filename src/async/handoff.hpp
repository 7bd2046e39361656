// Handoff: one coroutine waits until something else wakes it: another thread, or another coroutine
// on any event loop. The result travels beside the hand-off: the other side writes it before it
// calls wake(), the coroutine reads it when the wait ended with `woken`.
//
// A wake-up is not lost: if no wait is under way, it ends the next wait at once. Several wake-ups
// before a wait count as one, so a coroutine that waits for a condition checks it again.
//
// Thread safety: wake() from any thread, before, during and after a wait. One wait at a time, on an
// executor that runs one handler at a time (an event loop or a strand); the coroutine resumes
// there. If the coroutine is destroyed while it waits, with its event loop for example, wake() has
// no effect. A Handoff is a handle: copies share one state, which lives as long as any of them.
#pragma once

#include <functional>
#include <memory>

#include "async/task.hpp"
#include "base/deadline.hpp"

namespace um {

class Handoff {
 public:
  // `cancelled`: the coroutine was cancelled and nothing woke it. A wake-up that came before the
  // coroutine resumed has priority.
  enum class End { woken, deadline_passed, cancelled };

  Handoff();

  void wake() const;

  // Until woken, or until `deadline` passed on `clock`. With a manual clock the wait ends when real
  // time has run as long as the clock had left: such a caller checks its clock. A terminal
  // cancellation ends the wait; the coroutine then throws at its next co_await, as usual.
  Task<End> wait(Deadline deadline, const Clock& clock) const;

  // The same for a place in a queue that is worthless once the client has disconnected: a
  // cancellation of the type total (drivers/http/handler.hpp) ends this wait as well. Before and
  // after it the coroutine hears terminal cancellations only, because nothing else may be
  // interrupted, least of all a write to the database. The cancellation is used up: the caller
  // gives up by itself.
  Task<End> wait_while_wanted(Deadline deadline, const Clock& clock) const;

  // Until woken, whatever happens. A cancellation calls `on_cancel` once, which asks the other side
  // to finish soon; the coroutine throws at its next co_await after this one.
  Task<void> wait_for_answer(std::function<void()> on_cancel) const;

  bool operator==(const Handoff&) const = default;

 private:
  struct State;
  class Attached;
  static Task<End> wait_on(std::shared_ptr<State> state, Deadline deadline, const Clock* clock);
  static Task<End> wait_while_wanted_on(std::shared_ptr<State> state, Deadline deadline,
                                        const Clock* clock);
  static Task<void> wait_for_answer_on(std::shared_ptr<State> state,
                                       std::function<void()> on_cancel);

  std::shared_ptr<State> state_;
};

}  // namespace um

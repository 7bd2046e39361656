// Call: a unit with a coroutine that waits for its outcome.
//
// The outcome is written once, on the loop of the group, before complete() posts the waiting
// coroutine to its own executor; from then on the outcome is the waiter's. What arrives for the
// unit later is discarded with the unit.
//
// Thread safety: `outcome` and `lease` belong to the group's loop until complete(), then to the
// waiter; everything else to the group's loop.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <vector>

#include "base/deadline.hpp"
#include "async/task.hpp"
#include "drivers/pg/unit.hpp"

namespace um::pg {

class Group;
class Lease;

struct Call final : Unit, std::enable_shared_from_this<Call> {
  // What is lost with a connection that was lost before the answer.
  enum class Effect {
    none,    // nothing can have been committed
    commits  // it may have been
  };
  // Whether the whole unit may be sent again when a prepared statement was found to be outdated.
  enum class Stale { send_again, report };
  enum class Wants {
    answer,     // and nothing afterwards
    connection  // keeps the connection for the units that follow: `lease`
  };
  enum class Place { fresh, queued, sent, finished };

  struct Spec {
    std::vector<Command> commands;
    Deadline deadline;
    Effect effect = Effect::none;
    Stale stale = Stale::send_again;
    Wants wants = Wants::answer;
    std::shared_ptr<Lease> lease{};  // where it must run; otherwise anywhere
  };
  explicit Call(Spec spec);
  ~Call() override;

  void complete();

  const Deadline deadline;
  const Effect effect;
  const Stale stale;
  const Wants wants;
  Outcome<std::vector<Rows>> outcome;
  std::shared_ptr<Lease> lease;

  Place place = Place::fresh;
  bool sent_again = false;
  int tried = 0;  // connections that were found lost before it was sent
  std::list<std::shared_ptr<Call>>::iterator queued_at{};
  std::multimap<BootTime, std::shared_ptr<Call>>::iterator expires_at{};
  bool expires = false;

 private:
  friend Task<void> perform(std::shared_ptr<Group> group, std::shared_ptr<Call> call);
  struct Waiter;
  std::unique_ptr<Waiter> waiter_;
};

// Submits the call on the group's loop and waits until it is complete. Cancellation completes it
// like a deadline that passed.
Task<void> perform(std::shared_ptr<Group> group, std::shared_ptr<Call> call);

}  // namespace um::pg

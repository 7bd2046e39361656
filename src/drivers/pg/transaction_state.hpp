// What a Transaction keeps between its statements.
#pragma once

#include <memory>
#include <optional>

#include "drivers/pg/group.hpp"
#include "drivers/pg/transaction.hpp"

namespace um::pg {

struct Transaction::State {
  std::shared_ptr<Group> group;
  Deadline deadline;
  std::shared_ptr<Lease> lease{};  // from the first statement on
  std::optional<Failure> failure{};

  // Sends the commands in one round trip, BEGIN before the first of all.
  Task<Outcome<std::vector<Rows>>> perform(std::vector<Command> commands, Call::Effect effect);
};

}  // namespace um::pg

// Batch: statements that the server runs in one transaction, sent in one round trip
// (Client::batch).
//
// There is no BEGIN and no COMMIT: the server commits at the Sync that ends the batch (PostgreSQL
// documentation, 55.2.3, implicit transactions). An error in any statement, or in the commit, rolls
// everything back.
//
// Thread safety: values.
#pragma once

#include <optional>
#include <vector>

#include "drivers/pg/failure.hpp"
#include "drivers/pg/query.hpp"
#include "drivers/pg/rows.hpp"

namespace um::pg {

struct Batch {
  std::vector<Statement> statements{};
  // Unless null, only a connection with an equal session note (Rows::session_note) runs the batch.
  // One with another note is replaced, as by Client::renew(). If the note of a connection that was
  // opened after the call differs too, the batch is what is outdated: it fails with `elsewhere`.
  Rows::Note required_note{};
};

struct BatchOutcome {
  Outcome<std::vector<Rows>> rows;  // one for each statement
  // The rows of the first statement, if they arrived although the batch failed. The server sends
  // them before it runs the others: after unknown_outcome they may tell the id of the transaction.
  std::optional<Rows> first{};
  // The process in the server that the batch was sent to last; 0: nothing was sent.
  int server_process = 0;
};

}  // namespace um::pg

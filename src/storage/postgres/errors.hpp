// What a failure of PostgreSQL means to the callers of the stores. The one place that knows
// SQLSTATEs and the names of constraints.
//
// Thread safety: pure.
#pragma once

#include "base/error.hpp"
#include "drivers/pg/failure.hpp"

namespace um {

// email_taken, username_taken and conflict by the constraint; invalid for values that the schema
// does not take; unavailable (with retry_after), timeout, overloaded, unknown_outcome by what
// became of the connection; internal for the rest.
Error postgres_error(const pg::Failure& failure);

// A row that breaks the rules of this program: reported, never answered.
Error broken_row(std::string_view what, std::int64_t id);

}  // namespace um

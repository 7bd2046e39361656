// Users as the lines of a file that an import reads back without a loss. No export has passwords or
// their hashes. Pure; any thread.
#pragma once

#include <string>

#include "user/user.hpp"

namespace um {

// RFC 4180: quoted where needed, CRLF. What is null is an empty cell; free text is guarded against
// spreadsheets (transfer/formula_guard.hpp).
void append_csv_header(std::string& out);
void append_csv(std::string& out, const User& user);

// The representation that answers have, one a line.
void append_jsonl(std::string& out, const UserRecord& user);

}  // namespace um

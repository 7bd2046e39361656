// Users as lines of a file, which an import reads back without a loss. Exports have neither
// passwords nor their hashes. Pure; thread safety: any.
#pragma once

#include <string>

#include "user/user.hpp"

namespace um {

// RFC 4180 with CRLF. null is an empty field; free text is guarded against spreadsheets
// (guard_formula() in csv.hpp).
void append_csv_header(std::string& out);
void append_csv(std::string& out, const User& user);

// The user as answers of the HTTP interface have it, and a line feed.
void append_jsonl(std::string& out, const UserRecord& user);

}  // namespace um

// How a user is answered: the prepared representation is shared, never copied, and the headers are
// the same everywhere.
#pragma once

#include "api/call.hpp"
#include "storage/user_store.hpp"

namespace um::api {

// Answers about users are for the caller alone and are to be asked for again each time, which
// If-None-Match makes cheap.
inline constexpr std::string_view kUserHeaders =
    "Cache-Control: private, no-cache\r\n"
    "Vary: Authorization\r\n";

// "Cache-Status: …" (RFC 9211) and, if the answer is stale, Age; complete lines.
void append_cache_status(std::string& headers, const UserReading& reading,
                         const ReadOptions& options);

// 200, 304 or user_not_found.
Answer answer_user(Call& call, const UserReading& reading, const ReadOptions& options);
// The record with its ETag and the status that is set, without conditions.
void answer_record(Call& call, const UserRef& user);

}  // namespace um::api

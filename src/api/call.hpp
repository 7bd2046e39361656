// Call: one request on its way through the API, with what has been found out about it so far.
//
// Lives on the stack of Api::answer_now or in the frame of Api::answer, which outlive every
// handler. Not shared between threads.
#pragma once

#include <expected>
#include <string_view>

#include "api/problem.hpp"
#include "api/request_id.hpp"
#include "api/routes.hpp"
#include "base/deadline.hpp"
#include "service/principal.hpp"
#include "service/user_input.hpp"
#include "storage/reading.hpp"

namespace um::api {

class Call {
 public:
  Call(const http::Request& request_in, http::Response& response_in)
      : request{request_in}, response{response_in} {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  const http::Request& request;
  http::Response& response;
  const Route* route = nullptr;
  std::string_view argument{};    // of the path, raw
  std::string_view request_id{};  // as sent, or new_id
  RequestId new_id{};
  Caller caller{};
  Deadline deadline{};

  // Precondition: the route's rule asks for a caller.
  const Principal& principal() const { return *caller; }
  // The argument as the id of a user. Text that cannot be one is the id of nobody: user_not_found.
  std::expected<UserId, Problem> user_id() const;
  // What the request's Cache-Control asks for (RFC 9111, section 5.2.1): no-cache goes to the
  // primary, max-stale=N tolerates an old answer while the database is away.
  ReadOptions read_options() const;
};

// The body as the members of T's table. Checks the Content-Type first (unsupported_media_type).
std::expected<JsonValue, Problem> read_json(const Call& call);
std::expected<UserInput, Problem> read_user_input(const Call& call);

// If-Match: nullopt if it was not sent; malformed_request if it is no list of entity tags. Tags
// that this service cannot have given match nothing.
std::expected<std::optional<RevisionMatch>, Problem> read_if_match(const Call& call);
// Does If-None-Match name this entity tag (with its quotes)? An unreadable field names nothing.
bool if_none_match(const http::Request& request, std::string_view etag);

// Answers.
void answer_json(Call& call, unsigned status, std::string body);
void answer_message(Call& call, std::string_view message);

}  // namespace um::api

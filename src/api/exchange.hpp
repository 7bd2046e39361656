// Exchange: one request and its response, with the facts that the API has established about the
// request so far.
//
// Lives on the stack of Api::answer_now or in the frame of Api::answer, which outlive every
// handler. Used by one thread at a time.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "api/problem.hpp"
#include "api/request_id.hpp"
#include "api/routes.hpp"
#include "base/deadline.hpp"
#include "service/principal.hpp"
#include "service/user_rules.hpp"
#include "storage/reading.hpp"

namespace um::api {

class Exchange {
 public:
  Exchange(const http::Request& request_in, http::Response& response_in)
      : request{request_in}, response{response_in} {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  const http::Request& request;
  http::Response& response;
  const Route* route = nullptr;   // null: no route matches
  std::string_view argument{};    // of the path, raw
  std::string_view request_id{};  // as sent, or new_id
  RequestId new_id{};
  Caller caller{};
  Deadline deadline{};

  // REQUIRES: the route's access rule asks for a caller.
  const Principal& principal() const { return *caller; }
  // The argument as the id of a user. Text that cannot be an id names no user: user_not_found.
  std::expected<UserId, Problem> user_id() const;
  // The argument as an e-mail address, percent-decoded; nullopt if it cannot be one.
  std::optional<Email> email() const;
  // The options that the request's Cache-Control asks for (RFC 9111, section 5.2.1): no-cache reads
  // from the primary, max-stale=N accepts an old answer while the database is unavailable.
  ReadOptions read_options() const;
};

// The body as JSON. Checks the Content-Type first (unsupported_media_type).
std::expected<JsonValue, Problem> read_json(const Exchange& exchange);
std::expected<UserInput, Problem> read_user_input(const Exchange& exchange);

// If-Match: nullopt if it was not sent; malformed_request if it is no list of entity tags. A tag
// that this service cannot have given matches nothing.
std::expected<std::optional<RevisionMatch>, Problem> read_if_match(const Exchange& exchange);
// Does If-None-Match name this entity tag (with its quotes)? An unreadable field names nothing.
bool if_none_match(const http::Request& request, std::string_view etag);

// Answers with this JSON text.
void answer_json(Exchange& exchange, unsigned status, std::string body);
// 200 with {"message": …}, kept by no cache.
void answer_message(Exchange& exchange, std::string_view message);

}  // namespace um::api

// Access rules: which callers may use a route. A rule is one word in the route table. The decision
// needs the rule, the caller and whether the path names the caller, but never the user that the
// path names: so the answer does not tell a stranger whether that user exists. Pure. Thread safety:
// any.
#pragma once

#include <string_view>

#include "service/principal.hpp"

namespace um::api {

enum class Access {
  anyone,            // a token is ignored
  anyone_known,      // no token needed; one that is sent must be valid
  registrant,        // the same for new users; a service creates none
  signed_in,         // any valid token
  self_or_admin,     // for changes: the user, an administrator; a service changes not even itself
  self_or_reader,    // the user, an administrator, a service; anyone_known if reading is public
  reader,            // an administrator, a service; anyone_known if reading is public
  admin_or_service,  // the same, never public
  admin,
};
std::string_view to_string(Access access);  // for people, in the OpenAPI document

enum class ReadAccess { private_, public_ };

// Does the rule look at the caller, and must there be one?
enum class TokenUse { ignored, optional, required };
TokenUse token_use(Access access, ReadAccess reading);

enum class Self { no, yes };  // does the path name the caller?
// REQUIRES: a caller if token_use() is required.
bool allows(Access access, ReadAccess reading, const Caller& caller, Self self);

// The token of an Authorization field: the text after the scheme Bearer (RFC 6750; without case),
// or the whole field, as clients of the Go program send it. Empty if there is none.
std::string_view token_of(std::string_view authorization);

}  // namespace um::api

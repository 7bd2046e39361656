// Every body and answer as a table of members (json_body.hpp): the handlers read bodies by it,
// the OpenAPI document describes it, and tests compare real answers with it. The limits in it are
// the constants that the service checks. Thread safety: any thread; constant after the first call.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/json_body.hpp"

namespace um::api {

std::span<const Field<UserInput>> user_fields();

struct LoginBody {
  Member<std::string> email{};
  Member<Secret> password{};
};
std::span<const Field<LoginBody>> login_fields();

struct UsageBody {
  Member<std::string> usd{};
};
std::span<const Field<UsageBody>> usage_fields();

// The schemas by name. `user_*` are made from user_fields().
enum class Schema {
  none,  // no body
  user,
  user_list,
  user_create,
  user_replace,
  user_patch,
  user_change,  // the answer to PUT and PATCH
  message,
  login,
  signed_in,
  session_list,
  usage,
  usage_totals,
  any_object,  // described elsewhere: keys, statistics, this document
  status,
  text,
};
std::string_view name_of(Schema schema);  // "User", "UserList", …

struct SchemaMember {
  Property property;
  bool required = false;
};
// The members of one object of that schema (of one element, for lists); empty for any_object and
// text.
std::vector<SchemaMember> members_of(Schema schema);

// For the OpenAPI document, as JSON Schema 2020-12: every schema by name, "Problem" included, and a
// reference to one of them: {"$ref":"#/components/schemas/User"}.
std::string schema_components();
std::string schema_reference(std::string_view name);
// The keyword that describes the id of a session.
std::string session_id_pattern();

}  // namespace um::api

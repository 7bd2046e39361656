// Which statuses an operation answers with besides its success, by rules over what the route table
// says, and how the OpenAPI document describes them. Those that the server itself gives to what is
// hardly a request (408, 414, 431, 501, …) are the document's "default". Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/routes.hpp"

namespace um::api {

struct RouteFacts {
  const Route& route;
  ReadAccess reading = ReadAccess::private_;
  unsigned success = 200;
  bool conditional_read = false;    // If-None-Match
  bool conditional_write = false;   // If-Match
  bool checked_parameters = false;  // of the query, or a header field that may be invalid
};
// In ascending order.
std::vector<unsigned> other_statuses(const RouteFacts& facts);

// The member "responses" of the components, without its name: one for each status that
// other_statuses() can name, and "default".
std::string response_components();
// A reference to one of them: {"$ref":"#/components/responses/404"}.
std::string response_reference(std::string_view name);

}  // namespace um::api

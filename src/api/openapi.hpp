// The OpenAPI 3.1 description of the interface, made from the route table and the schemas, so that
// it cannot differ from the interface. Pure.
#pragma once

#include <string>

#include "api/access.hpp"

namespace um::api {

std::string openapi_document(ReadAccess reading);

}  // namespace um::api

// The schemas of the OpenAPI document (JSON Schema 2020-12). Pure.
#pragma once

#include <string>

#include "api/schemas.hpp"

namespace um::api {

// The member "components" of the document, without its name.
std::string openapi_components();
// A reference to one of them: {"$ref":"#/components/schemas/User"}.
std::string schema_reference(std::string_view name);

}  // namespace um::api

// Writing small JSON answers by hand; strings are escaped by append_json_string (user/text.hpp).
#pragma once

#include <string>
#include <string_view>

#include "user/text.hpp"

namespace um::api {

// Appends `"name":` with a comma before it unless an object or array has just been opened.
void append_json_key(std::string& out, std::string_view name);

}  // namespace um::api

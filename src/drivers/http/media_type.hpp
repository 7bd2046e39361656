// Is a Content-Type JSON? Pure; the grammar is RFC 9110 section 8.3.1.
#pragma once

#include <string_view>

namespace um::http {

// True for "application/json", with at most one parameter, which must be charset=utf-8 (quoted or
// not; names and charset without case).
bool is_json_content_type(std::string_view content_type);

}  // namespace um::http

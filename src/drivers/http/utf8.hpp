// Is a text well-formed UTF-8 (RFC 3629 section 4)? Pure; overlong forms, surrogates and values
// above U+10FFFF are not.
#pragma once

#include <string_view>

namespace um::http {

bool is_utf8(std::string_view text);

}  // namespace um::http

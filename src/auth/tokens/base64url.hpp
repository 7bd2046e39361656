// base64url without padding (RFC 4648 section 5, as RFC 7515 section 2 uses it).
//
// Decoding is strict, so that every value has exactly one text: no padding, no white space, no
// other characters, and the unused bits of the last character are zero. Thread safety: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace um {

std::string base64url_encode(std::string_view bytes);
std::optional<std::string> base64url_decode(std::string_view text);

}  // namespace um

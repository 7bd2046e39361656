// HMAC-SHA-256 (RFC 2104). Pure; thread safety: any. Throws std::runtime_error if OpenSSL fails
// (out of memory).
#pragma once

#include <string>
#include <string_view>

namespace um {

struct HmacInput {
  std::string_view key;
  std::string_view text;
};
std::string hmac_sha256(HmacInput input);  // 32 bytes

}  // namespace um

#include "app/token_secret.hpp"

#include "auth/tokens/jws_key.hpp"
#include "config/referenced_file.hpp"

namespace um {

Result<std::optional<Secret>> read_token_secret(const Config& config) {
  if (!config.jwt_hs256_secret_file) return std::nullopt;
  const auto content = read_referenced_file(
      {.setting = "jwt-hs256-secret-file", .path = *config.jwt_hs256_secret_file});
  if (!content) return std::unexpected(content.error());
  Result<Secret> secret = read_hs256_secret(*content);
  if (!secret) return fail(ErrorCode::invalid, "jwt-hs256-secret-file: " + secret.error().detail);
  return std::optional{std::move(*secret)};
}

}  // namespace um

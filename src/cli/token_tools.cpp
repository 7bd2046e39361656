#include "cli/token_tools.hpp"

#include "auth/hs256_secret.hpp"
#include "cli/messages.hpp"
#include "ops/setting_file.hpp"

namespace um {
namespace {

Result<Secret> read_secret_file(const std::string& path) {
  const auto content = read_setting_file({.setting = "jwt-hs256-secret-file", .path = path});
  if (!content) return std::unexpected(content.error());
  auto secret = read_hs256_secret(*content);
  if (!secret) return misuse("jwt-hs256-secret-file: " + secret.error().detail);
  return secret;
}

}  // namespace

Result<std::unique_ptr<TokenAuthority>> make_token_authority(const Context& context,
                                                             Storage& storage) {
  TokenAuthorityOptions options{.issuer = context.config.issuer};
  if (context.config.jwt_hs256_secret_file) {
    auto secret = read_secret_file(*context.config.jwt_hs256_secret_file);
    if (!secret) return fail(std::move(secret.error()));
    options.hs256_secret = *std::move(secret);
  }
  return std::make_unique<TokenAuthority>(storage.signing_keys(), context.io.clock,
                                          std::move(options));
}

}  // namespace um

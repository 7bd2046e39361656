#include "cli/token_tools.hpp"

#include "app/token_secret.hpp"

namespace um {

Result<std::unique_ptr<TokenAuthority>> make_token_authority(const Context& context,
                                                             Storage& storage) {
  auto secret = read_token_secret(context.config);
  if (!secret) return fail(std::move(secret.error()));
  TokenAuthorityOptions options{.issuer = context.config.issuer,
                                .hs256_secret = *std::move(secret)};
  return std::make_unique<TokenAuthority>(storage.signing_keys(), context.io.clock,
                                          std::move(options));
}

}  // namespace um

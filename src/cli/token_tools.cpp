#include "cli/token_tools.hpp"

#include <fstream>
#include <iterator>

#include "auth/hs256_secret.hpp"
#include "cli/messages.hpp"

namespace um {
namespace {

constexpr std::streamsize kMaxSecretBytes = 64 * 1024;

Result<Secret> read_secret_file(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  std::string bytes(static_cast<std::size_t>(kMaxSecretBytes), '\0');
  if (in) in.read(bytes.data(), kMaxSecretBytes);
  if (!in.eof()) {
    return misuse("jwt-hs256-secret-file: cannot read " + shown(path) + ", or it is over 64 KiB");
  }
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  auto secret = read_hs256_secret(Secret{std::move(bytes)});
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

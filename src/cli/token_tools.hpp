// A TokenAuthority for the commands about tokens and keys.
#pragma once

#include <memory>

#include "auth/tokens/token_authority.hpp"
#include "cli/command.hpp"
#include "storage/storage.hpp"

namespace um {

// With the issuer and the HS256 secret of the settings. Its keys are not read yet.
// ErrorCode::invalid: the file of the secret cannot be read or holds a weak one.
Result<std::unique_ptr<TokenAuthority>> make_token_authority(const Context& context,
                                                             Storage& storage);

}  // namespace um

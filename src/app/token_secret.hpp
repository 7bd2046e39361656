// The secret of HS256 tokens, if the settings name its file.
#pragma once

#include <optional>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "config/config.hpp"

namespace um {

// invalid: with a line that names the setting.
Result<std::optional<Secret>> read_token_secret(const Config& config);

}  // namespace um

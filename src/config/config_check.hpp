// What one setting alone cannot say: contradictions between settings.
#pragma once

#include "config/config.hpp"

namespace um {

// ErrorCode::invalid with one line that names the settings and where they were set.
Result<void> check_config(const Config& config);

}  // namespace um

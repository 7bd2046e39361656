// The e-mail address in a path. Text that cannot be one is the address of nobody: nullopt.
#pragma once

#include <optional>
#include <string_view>

#include "user/email.hpp"

namespace um::api {

std::optional<Email> email_in_path(std::string_view raw_segment);

}  // namespace um::api

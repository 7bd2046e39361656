// Hides passwords in database URLs before anybody sees them.
#pragma once

#include <string>
#include <string_view>

namespace um {

// "postgresql://ann:secret@h/db?sslpassword=x" -> "postgresql://ann:***@h/db?sslpassword=***".
// Errs on the side of hiding: everything between the first colon and the last @ is taken for the
// password, as people put unescaped characters there, and user information without a colon as well.
std::string mask_url(std::string_view url);

}  // namespace um

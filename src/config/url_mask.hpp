// Masks passwords in database URLs, for messages and the log.
#pragma once

#include <string>
#include <string_view>

namespace um {

// "postgresql://ann:secret@h/db?sslpassword=x" -> "postgresql://ann:***@h/db?sslpassword=***".
// Masks too much rather than too little: everything between the first colon and the last @ counts
// as the password, because people put unescaped characters there; so does user information without
// a colon.
std::string mask_url(std::string_view url);

}  // namespace um

// The status lines of answers.
#pragma once

#include <string_view>

namespace um::http {

// "HTTP/1.1 200 OK\r\n". Pure; the reason is empty for a status HTTP does not know.
std::string_view status_line(unsigned status);

}  // namespace um::http

#include "drivers/http/media_type.hpp"

#include "drivers/http/characters.hpp"

namespace um::http {

bool is_json_content_type(std::string_view content_type) {
  content_type = trim(content_type);
  const std::size_t semicolon = content_type.find(';');
  if (!equal_without_case(trim(content_type.substr(0, semicolon)), "application/json")) {
    return false;
  }
  if (semicolon == std::string_view::npos) return true;
  const std::string_view parameter = trim(content_type.substr(semicolon + 1));
  if (parameter.empty()) return true;  // a trailing ';', which RFC 9110 tolerates
  return equal_without_case(parameter, "charset=utf-8") ||
         equal_without_case(parameter, "charset=\"utf-8\"");
}

}  // namespace um::http

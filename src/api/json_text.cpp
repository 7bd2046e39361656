#include "api/json_text.hpp"

namespace um::api {

void append_json_key(std::string& out, std::string_view name) {
  if (!out.empty() && out.back() != '{' && out.back() != '[') out += ',';
  append_json_string(out, name);
  out += ':';
}

}  // namespace um::api

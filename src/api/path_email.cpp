#include "api/path_email.hpp"

#include "drivers/http/query.hpp"

namespace um::api {

std::optional<Email> email_in_path(std::string_view raw_segment) {
  const auto text = http::decode_path_segment(raw_segment);
  if (!text) return std::nullopt;
  return Email::parse(*text);
}

}  // namespace um::api

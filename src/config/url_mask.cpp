#include "config/url_mask.hpp"

#include <algorithm>
#include <charconv>

#include "base/printable.hpp"

namespace um {
namespace {

constexpr std::string_view kMask = "***";

std::string mask_user_info(std::string_view rest) {
  const auto at = rest.rfind('@');
  if (at == std::string_view::npos) return std::string{rest};
  const auto colon = rest.substr(0, at).find(':');
  std::string out;
  if (colon != std::string_view::npos) out = rest.substr(0, colon + 1);
  return out.append(kMask).append(rest.substr(at));
}

// Decodes %xx, in lower case.
std::string plain(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    unsigned code = 0;
    const char* digits = name.data() + i + 1;
    const bool escaped = name[i] == '%' && i + 2 < name.size() &&
                         std::from_chars(digits, digits + 2, code, 16).ptr == digits + 2;
    const char c = escaped ? static_cast<char>(code) : name[i];
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (escaped) i += 2;
  }
  return out;
}

// Every parameter with "password" in its name, wherever the parameters may begin.
std::string mask_parameters(std::string url) {
  auto start = url.find_first_of("?&");
  while (start != std::string::npos) {
    const auto end = std::min(url.find('&', start + 1), url.size());
    const auto equals = url.find('=', start);
    if (equals < end && plain(url.substr(start, equals - start)).contains("pass")) {
      url.replace(equals + 1, end - equals - 1, kMask);
    }
    start = url.find_first_of("?&", start + 1);
  }
  return url;
}

}  // namespace

std::string mask_url(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::string{kMask};
  const auto authority = scheme + 3;
  // The parameters first: a user info that is not escaped may seem to reach into them.
  const std::string rest = mask_parameters(std::string{url.substr(authority)});
  return printable(std::string{url.substr(0, authority)} + mask_user_info(rest));
}

}  // namespace um

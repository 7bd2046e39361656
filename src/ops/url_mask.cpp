#include "ops/url_mask.hpp"

#include "ops/printable.hpp"

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

// Every parameter whose name speaks of a password.
std::string mask_parameters(std::string url) {
  auto start = url.find('?');
  while (start != std::string::npos) {
    const auto end = std::min(url.find('&', start + 1), url.size());
    const auto equals = url.find('=', start);
    if (equals < end && url.substr(start, equals - start).find("pass") != std::string::npos) {
      url.replace(equals + 1, end - equals - 1, kMask);
    }
    start = url.find('&', start + 1);
  }
  return url;
}

}  // namespace

std::string mask_url(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::string{kMask};
  const auto authority = scheme + 3;
  return printable(mask_parameters(std::string{url.substr(0, authority)} +
                                   mask_user_info(url.substr(authority))));
}

}  // namespace um

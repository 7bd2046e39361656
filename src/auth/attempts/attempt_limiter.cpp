#include "auth/attempts/attempt_limiter.hpp"

#include <algorithm>

#include "base/ip_network.hpp"

namespace um {

std::string address_group(std::string_view address) {
  // The zone of a link-local address ("fe80::1%eth0") is not the client's.
  const auto parsed = IpAddress::parse(address.substr(0, address.find('%')));
  if (!parsed) return std::string{address.substr(0, 64)};
  if (parsed->is_v4()) return parsed->text();
  const auto& bytes = parsed->bytes();
  return {bytes.begin(), bytes.begin() + 8};
}

Error too_many_failures(std::chrono::seconds retry_after) {
  return {.code = ErrorCode::too_many_attempts,
          .detail = "too many failed attempts to sign in",
          .fields = {},
          .retry_after = std::max(retry_after, std::chrono::seconds{1})};
}

Error waited_too_long() {
  return {.code = ErrorCode::timeout, .detail = "other sign-ins of this account take too long"};
}

Error client_disconnected() {
  return {.code = ErrorCode::cancelled, .detail = "the client has gone"};
}

}  // namespace um

// The address of a client: the peer of the connection, or the address that trusted proxies report.
//
// X-Forwarded-For is a list to which every proxy appends the address from which it got the request.
// Only entries that a trusted proxy wrote are reliable. So the list is read from the right, as long
// as the author of an entry is trusted; the first address that is not a trusted proxy's is the
// client's. Values. Thread safety: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ip_network.hpp"
#include "drivers/http/message.hpp"

namespace um::api {

class TrustedProxies {
 public:
  TrustedProxies() = default;
  explicit TrustedProxies(std::vector<IpNetwork> networks) : networks_{std::move(networks)} {}

  std::string client_address(const http::Request& request) const;
  struct Claim {
    std::string_view peer;           // of the connection
    std::string_view forwarded_for;  // the field, joined if it was sent several times
  };
  std::string client_address(const Claim& claim) const;

 private:
  bool trusts(const IpAddress& address) const;
  std::vector<IpNetwork> networks_;
};

}  // namespace um::api

// Where a request comes from: the peer of the connection, or what proxies that we trust say.
//
// X-Forwarded-For is a list to which every proxy appends the address it got the request from; only
// what trusted proxies wrote can be believed. So it is read from the right while the one who wrote
// an entry is trusted; the first address that is not a trusted proxy's is the client's. Values.
// Thread safety: any.
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

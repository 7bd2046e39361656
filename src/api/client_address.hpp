// Where a request comes from: the peer of the connection, or what proxies that we trust say.
//
// X-Forwarded-For is a list to which every proxy appends the address it got the request from; only
// what trusted proxies wrote can be believed. So it is read from the right while the one who wrote
// an entry is trusted; the first address that is not a trusted proxy's is the client's. Values.
// Thread safety: any.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/http/message.hpp"

namespace um::api {

// An IPv4 or IPv6 address. IPv4 is held as ::ffff:a.b.c.d, so both ways to write one are equal.
class IpAddress {
 public:
  // "192.0.2.1", "2001:db8::1"; no brackets, port or zone.
  static std::optional<IpAddress> parse(std::string_view text);

  std::string text() const;  // the shortest form; mapped addresses as IPv4
  bool is_v4() const;
  const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  bool operator==(const IpAddress&) const = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

class Network {
 public:
  // "10.0.0.0/8", "2001:db8::/32", or one address. nullopt also if bits behind the prefix are set:
  // that is a mistake more often than an intention.
  static std::optional<Network> parse(std::string_view text);
  bool contains(const IpAddress& address) const;

 private:
  Network(IpAddress address, unsigned bits) : address_{address}, bits_{bits} {}
  IpAddress address_;
  unsigned bits_;  // of the 128
};

class TrustedProxies {
 public:
  TrustedProxies() = default;
  explicit TrustedProxies(std::vector<Network> networks) : networks_{std::move(networks)} {}

  std::string client_address(const http::Request& request) const;
  struct Claim {
    std::string_view peer;           // of the connection
    std::string_view forwarded_for;  // the field, joined if it was sent several times
  };
  std::string client_address(const Claim& claim) const;

 private:
  bool trusts(const IpAddress& address) const;
  std::vector<Network> networks_;
};

}  // namespace um::api

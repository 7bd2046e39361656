#include "api/client_address.hpp"

#include <algorithm>

#include "drivers/http/characters.hpp"

namespace um::api {
namespace {

constexpr int kMaxHops = 32;

// An entry of X-Forwarded-For: an address, perhaps with a port ("192.0.2.1:80",
// "[2001:db8::1]:80").
std::optional<IpAddress> parse_entry(std::string_view entry) {
  entry = http::trim(entry);
  if (entry.starts_with('[')) {
    const std::size_t close = entry.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    return IpAddress::parse(entry.substr(1, close - 1));
  }
  if (std::ranges::count(entry, ':') == 1) entry = entry.substr(0, entry.find(':'));
  return IpAddress::parse(entry);
}

}  // namespace

bool TrustedProxies::trusts(const IpAddress& address) const {
  return std::ranges::any_of(networks_, [&](const IpNetwork& n) { return n.contains(address); });
}

std::string TrustedProxies::client_address(const http::Request& request) const {
  if (networks_.empty()) return std::string{request.peer_address};
  return client_address({request.peer_address, request.header("X-Forwarded-For")});
}

std::string TrustedProxies::client_address(const Claim& claim) const {
  const auto peer = IpAddress::parse(claim.peer);
  if (!peer) return std::string{claim.peer};
  IpAddress client = *peer;
  std::string_view rest = claim.forwarded_for;
  // An unreadable entry ends the walk: the proxy that passed it on is the last known address.
  for (int hop = 0; hop < kMaxHops && !rest.empty() && trusts(client); ++hop) {
    const std::size_t comma = rest.rfind(',');
    const auto entry = parse_entry(comma == std::string_view::npos ? rest : rest.substr(comma + 1));
    if (!entry) break;
    client = *entry;
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(0, comma);
  }
  return client.text();
}

}  // namespace um::api

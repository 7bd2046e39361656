#include "api/client_address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>

#include "drivers/http/characters.hpp"

namespace um::api {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr unsigned kMappedBits = 96;
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

bool bit_is_set(const IpAddress& address, unsigned bit) {
  return (address.bytes()[bit / 8] & (0x80U >> (bit % 8))) != 0;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  char buffer[INET6_ADDRSTRLEN + 1] = {};
  if (text.size() > INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos)
    return std::nullopt;
  text.copy(buffer, sizeof buffer - 1);
  IpAddress address;
  if (::inet_pton(AF_INET6, buffer, address.bytes_.data()) == 1) return address;
  std::ranges::copy(kMappedPrefix, address.bytes_.begin());
  if (::inet_pton(AF_INET, buffer, address.bytes_.data() + kMappedPrefix.size()) == 1) {
    return address;
  }
  return std::nullopt;
}

bool IpAddress::is_v4() const {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes_.begin());
}

std::string IpAddress::text() const {
  char buffer[INET6_ADDRSTRLEN] = {};
  if (is_v4()) {
    ::inet_ntop(AF_INET, bytes_.data() + kMappedPrefix.size(), buffer, sizeof buffer);
  } else {
    ::inet_ntop(AF_INET6, bytes_.data(), buffer, sizeof buffer);
  }
  return buffer;
}

std::optional<Network> Network::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const bool written_as_v4 = text.substr(0, slash).find(':') == std::string_view::npos;
  const unsigned skipped = written_as_v4 ? kMappedBits : 0;
  unsigned bits = 128 - skipped;
  if (slash != std::string_view::npos) {
    const std::string_view number = text.substr(slash + 1);
    unsigned given = 0;
    const char* const end = number.data() + number.size();
    const auto parsed = std::from_chars(number.data(), end, given);
    if (parsed.ec != std::errc{} || parsed.ptr != end || given > bits) return std::nullopt;
    bits = given;
  }
  const Network network{*address, bits + skipped};
  for (unsigned bit = network.bits_; bit < 128; ++bit) {
    if (bit_is_set(*address, bit)) return std::nullopt;
  }
  return network;
}

bool Network::contains(const IpAddress& address) const {
  const std::size_t whole = bits_ / 8;
  const auto& ours = address_.bytes();
  const auto& theirs = address.bytes();
  if (!std::equal(ours.begin(), ours.begin() + static_cast<std::ptrdiff_t>(whole),
                  theirs.begin())) {
    return false;
  }
  if (bits_ % 8 == 0) return true;
  const unsigned mask = 0xFFU << (8 - bits_ % 8);
  return ((ours[whole] ^ theirs[whole]) & mask & 0xFFU) == 0;
}

bool TrustedProxies::trusts(const IpAddress& address) const {
  return std::ranges::any_of(networks_, [&](const Network& n) { return n.contains(address); });
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
  // What cannot be read ends the walk: the proxy that passed it on is the last thing that is sure.
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

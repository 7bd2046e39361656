#include "ops/ip_network.hpp"

#include <algorithm>

#include <boost/asio/ip/address.hpp>

#include "ops/units.hpp"

namespace um {
namespace {

using Bytes = std::array<std::uint8_t, 16>;

// Without a zone ("%eth0"): a network is no place on a link.
std::optional<boost::asio::ip::address> parse_address(std::string_view text) {
  if (text.find('%') != std::string_view::npos || text.size() > 45) return std::nullopt;
  boost::system::error_code error;
  auto address = boost::asio::ip::make_address(text, error);
  if (error) return std::nullopt;
  return address;
}

Bytes mapped(const boost::asio::ip::address& address) {
  if (address.is_v6()) return address.to_v6().to_bytes();
  return boost::asio::ip::make_address_v6(boost::asio::ip::v4_mapped, address.to_v4()).to_bytes();
}

bool same_prefix(const Bytes& a, const Bytes& b, unsigned bits) {
  for (std::size_t i = 0; i < a.size() && bits > 0; ++i) {
    const unsigned here = std::min(bits, 8U);
    const unsigned mask = (0xFF00U >> here) & 0xFFU;
    if ((a[i] & mask) != (b[i] & mask)) return false;
    bits -= here;
  }
  return true;
}

bool zero_behind(const Bytes& address, unsigned bits) {
  Bytes cut = address;
  for (unsigned i = bits; i < 128; ++i) {
    cut[i / 8] = static_cast<std::uint8_t>(cut[i / 8] & ~(0x80U >> (i % 8)));
  }
  return cut == address;
}

}  // namespace

std::optional<IpNetwork> IpNetwork::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return std::nullopt;
  const unsigned width = address->is_v4() ? 32 : 128;
  unsigned bits = width;
  if (slash != std::string_view::npos) {
    const auto given = parse_whole_number(text.substr(slash + 1));
    if (!given || *given > width || text.size() - slash > 4) return std::nullopt;
    bits = static_cast<unsigned>(*given);
  }
  const Bytes bytes = mapped(*address);
  const unsigned prefix_bits = bits + (128 - width);
  if (!zero_behind(bytes, prefix_bits)) return std::nullopt;
  return IpNetwork{std::string{text}, bytes, prefix_bits};
}

bool IpNetwork::contains(std::string_view address) const {
  const auto parsed = parse_address(address);
  return parsed && same_prefix(mapped(*parsed), address_, prefix_bits_);
}

}  // namespace um

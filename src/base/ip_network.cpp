#include "base/ip_network.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>

namespace um {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr unsigned kMappedBits = 96;

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

std::optional<IpNetwork> IpNetwork::parse(std::string_view text) {
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
    if (parsed.ec != std::errc{} || parsed.ptr != end || given > bits || number.size() > 3)
      return std::nullopt;
    bits = given;
  }
  IpNetwork network{std::string{text}, *address, bits + skipped};
  for (unsigned bit = network.bits_; bit < 128; ++bit) {
    if (bit_is_set(*address, bit)) return std::nullopt;
  }
  return network;
}

bool IpNetwork::contains(const IpAddress& address) const {
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

}  // namespace um

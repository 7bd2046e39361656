// IpNetwork: a block of IPv4 or IPv6 addresses ("10.0.0.0/8", "::1"), for the proxies that are
// trusted. IPv4 is held as IPv4-mapped IPv6 (RFC 4291, section 2.5.5.2), so that both forms of a
// client's address match. A value; thread safety: as any value.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace um {

class IpNetwork {
 public:
  // An address, or an address and a prefix length; bits behind the prefix must be zero.
  static std::optional<IpNetwork> parse(std::string_view text);

  // False for what is not an address.
  bool contains(std::string_view address) const;
  const std::string& text() const { return text_; }
  bool operator==(const IpNetwork&) const = default;

 private:
  using Bytes = std::array<std::uint8_t, 16>;
  IpNetwork(std::string text, Bytes address, unsigned prefix_bits)
      : text_{std::move(text)}, address_{address}, prefix_bits_{prefix_bits} {}

  std::string text_;
  Bytes address_;
  unsigned prefix_bits_;  // 0 to 128
};

}  // namespace um

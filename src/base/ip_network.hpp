// IpAddress and IpNetwork: addresses of both families, and blocks of them ("10.0.0.0/8", "::1").
//
// IPv4 is held as IPv4-mapped IPv6 (RFC 4291, section 2.5.5.2), so that both ways to write an
// address are equal and match the same networks. Values; thread safety: as any value.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace um {

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

class IpNetwork {
 public:
  // An address, or an address and a prefix length. nullopt also if bits behind the prefix are set:
  // that is a mistake more often than an intention.
  static std::optional<IpNetwork> parse(std::string_view text);

  bool contains(const IpAddress& address) const;
  const std::string& text() const { return text_; }  // as it was written
  bool operator==(const IpNetwork&) const = default;

 private:
  IpNetwork(std::string text, IpAddress address, unsigned bits)
      : text_{std::move(text)}, address_{address}, bits_{bits} {}

  std::string text_;
  IpAddress address_;
  unsigned bits_;  // of the 128
};

}  // namespace um

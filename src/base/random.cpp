#include "base/random.hpp"

#include <array>
#include <stdexcept>

#include <openssl/rand.h>

namespace um {

void fill_random(std::span<std::byte> out) {
  auto* bytes = reinterpret_cast<unsigned char*>(out.data());
  if (RAND_bytes(bytes, static_cast<int>(out.size())) != 1) {
    throw std::runtime_error("the random generator failed");
  }
}

std::uint64_t random_u64() {
  std::uint64_t value = 0;
  fill_random(std::as_writable_bytes(std::span{&value, 1}));
  return value;
}

std::string random_hex(std::size_t bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string raw(bytes, '\0');
  fill_random(std::as_writable_bytes(std::span{raw}));
  std::string out;
  out.reserve(2 * bytes);
  for (char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
  return out;
}

}  // namespace um

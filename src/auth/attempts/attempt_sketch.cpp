#include "auth/attempts/attempt_sketch.hpp"

#include <stdexcept>

#include "base/hmac.hpp"

namespace um {
namespace {

constexpr unsigned kBitsPerRow = 16;  // of one 64-bit hash

std::uint64_t word(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8U | static_cast<unsigned char>(c);
  return value;
}

SipKey sip_key(const Secret& deployment_key) {
  const std::string bytes =
      hmac_sha256({.key = deployment_key.reveal(), .text = "user-manager attempts"});
  const std::string_view view = bytes;
  return {.k0 = word(view.substr(0, 8)), .k1 = word(view.substr(8, 8))};
}

}  // namespace

AttemptSketch::AttemptSketch(const Secret& deployment_key) : key_{sip_key(deployment_key)} {}

AttemptSketch::Cells AttemptSketch::cells(std::string_view name, std::int32_t per_row) const {
  const std::uint64_t hash = siphash_2_4(key_, name);
  Cells cells{};
  for (std::size_t row = 0; row < kRows; ++row) {
    const auto cell = static_cast<std::int32_t>(hash >> (kBitsPerRow * row) & 0xffffU);
    cells[row] = static_cast<std::int32_t>(row) * per_row + (cell & (per_row - 1));
  }
  return cells;
}

void check_shared_limits(const AttemptLimits& limits) {
  for (const int limit : {limits.failures_per_account, limits.failures_per_address}) {
    if (limit < 1 || limit > AttemptSketch::kHighestLimit)
      throw std::invalid_argument("a limit of attempts is out of range");
  }
  if (limits.window < std::chrono::minutes{1})
    throw std::invalid_argument("the window of attempts must be positive");
}

}  // namespace um

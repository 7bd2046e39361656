#include "auth/attempts/attempt_sketch.hpp"

#include "base/hmac.hpp"

namespace um {
namespace {

constexpr unsigned kBitsPerRow = 16;  // of one 64-bit hash
constexpr auto kFirstAddress =
    static_cast<std::int32_t>(AttemptStore::kRows) * AttemptSketch::kAccountCells;

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

struct Rows {
  std::int32_t first;
  std::int32_t cells;  // per row
};

std::array<std::int32_t, AttemptStore::kRows> cells_of(std::uint64_t hash, Rows rows) {
  std::array<std::int32_t, AttemptStore::kRows> cells{};
  for (std::size_t row = 0; row < cells.size(); ++row) {
    const auto cell = static_cast<std::int32_t>(hash >> (kBitsPerRow * row) & 0xffffU);
    cells[row] =
        rows.first + static_cast<std::int32_t>(row) * rows.cells + (cell & (rows.cells - 1));
  }
  return cells;
}

}  // namespace

AttemptSketch::AttemptSketch(const Secret& deployment_key) : key_{sip_key(deployment_key)} {}

AttemptStore::Cells AttemptSketch::cells(const AttemptLimiter::Subject& subject) const {
  return {
      .account = cells_of(siphash_2_4(key_, subject.account), {.first = 0, .cells = kAccountCells}),
      .address = cells_of(siphash_2_4(key_, subject.address),
                          {.first = kFirstAddress, .cells = kAddressCells})};
}

}  // namespace um

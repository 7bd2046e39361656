#include "storage/postgres/snapshot.hpp"

#include <array>
#include <charconv>
#include <cstring>

#include <openssl/sha.h>

namespace um {
namespace {

// A number at the front of `text`, which is taken away. 0 is not a transaction.
std::optional<Xid> take_xid(std::string_view& text) {
  Xid xid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), xid);
  if (error != std::errc{} || xid == 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return xid;
}

bool take(std::string_view& text, char expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<Snapshot> parse_pg_snapshot(std::string_view text) {
  const auto xmin = take_xid(text);
  if (!xmin || !take(text, ':')) return std::nullopt;
  const auto xmax = take_xid(text);
  if (!xmax || *xmin > *xmax || !take(text, ':')) return std::nullopt;
  Snapshot snapshot{.xmax = *xmax, .xip = {}};
  while (!text.empty()) {
    if (!snapshot.xip.empty() && !take(text, ',')) return std::nullopt;
    const auto running = take_xid(text);
    if (!running || *running < *xmin || *running >= *xmax) return std::nullopt;
    snapshot.xip.push_back(*running);
  }
  std::ranges::sort(snapshot.xip);
  return snapshot;
}

std::string pg_snapshot_text(const Snapshot& snapshot) {
  const Xid xmin = snapshot.xip.empty() ? snapshot.xmax : snapshot.xip.front();
  std::string text = std::to_string(xmin) + ':' + std::to_string(snapshot.xmax) + ':';
  for (const Xid running : snapshot.xip) {
    if (text.back() != ':') text += ',';
    text += std::to_string(running);
  }
  return text;
}

Tau tau_of(std::string_view namespace_text) {
  if (namespace_text.empty()) return {};
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(namespace_text.data()), namespace_text.size(),
         digest.data());
  Tau tau;
  std::memcpy(&tau.high, digest.data(), sizeof tau.high);
  std::memcpy(&tau.low, digest.data() + sizeof tau.high, sizeof tau.low);
  return tau;
}

}  // namespace um

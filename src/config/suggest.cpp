#include "config/suggest.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace um {
namespace {

constexpr std::size_t kMaxEdits = 2;
constexpr std::size_t kMaxLength = 64;  // longer names are not typing errors

// Levenshtein's distance, one row at a time.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string suggestion(std::string_view name, std::span<const std::string> known) {
  if (name.size() > kMaxLength) return {};
  const std::string* best = nullptr;
  std::size_t best_distance = kMaxEdits + 1;
  for (const std::string& candidate : known) {
    const std::size_t edits = distance(name, candidate);
    if (edits < best_distance) {
      best = &candidate;
      best_distance = edits;
    }
  }
  return best == nullptr ? std::string{} : "; did you mean " + *best + "?";
}

}  // namespace um

#include "auth/attempts/failure_window.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>

namespace um {
namespace {

constexpr unsigned kWindowBitsPerRow = 16;  // of one 64-bit hash

void increase(std::uint16_t& count) {
  if (count < std::numeric_limits<std::uint16_t>::max()) ++count;
}

}  // namespace

FailureWindow::FailureWindow(Options options)
    : step_{options.window / (kSteps - 1)}, key_{options.key} {
  const std::uint64_t limit = 1U << kWindowBitsPerRow;
  const std::uint64_t cells = std::min(std::bit_ceil<std::uint64_t>(options.cells_per_row), limit);
  mask_ = cells - 1;
  cells_.resize(kRows * cells);
}

bool FailureWindow::Name::shares_cell_with(const Name& other) const {
  for (std::size_t row = 0; row < kRows; ++row) {
    if (cells[row] == other.cells[row]) return true;
  }
  return false;
}

FailureWindow::Name FailureWindow::name(std::string_view text) const {
  const std::uint64_t hash = siphash_2_4(key_, text);
  Name name;
  for (std::size_t row = 0; row < kRows; ++row) {
    name.cells[row] = static_cast<std::uint32_t>((hash >> (kWindowBitsPerRow * row)) & mask_);
  }
  return name;
}

std::uint32_t FailureWindow::step_of(BootTime now) const {
  return static_cast<std::uint32_t>(now.time_since_epoch() / step_);
}

FailureWindow::Cell& FailureWindow::cell(const Name& name, std::size_t row) {
  return cells_[row * (mask_ + 1) + name.cells[row]];
}

FailureWindow::Cell& FailureWindow::current(const Name& name, std::size_t row, std::uint32_t step) {
  Cell& found = cell(name, row);
  if (step - found.step >= kSteps) {
    found.failures.fill(0);
  } else {
    for (std::uint32_t s = found.step + 1; s != step + 1; ++s) found.failures[s % kSteps] = 0;
  }
  found.step = step;
  return found;
}

std::uint32_t FailureWindow::sum(const Cell& cell) {
  return std::accumulate(cell.failures.begin(), cell.failures.end(), std::uint32_t{0});
}

FailureWindow::Count FailureWindow::count(const Name& name, BootTime now) {
  const std::uint32_t step = step_of(now);
  constexpr auto most = std::numeric_limits<std::uint32_t>::max();
  Count least{.failures = most, .total = most};
  for (std::size_t row = 0; row < kRows; ++row) {
    const Cell& found = current(name, row, step);
    const std::uint32_t failures = sum(found);
    least.failures = std::min(least.failures, failures);
    least.total = std::min(least.total, failures + found.under_way);
  }
  return least;
}

std::chrono::nanoseconds FailureWindow::until_below(const Name& name, Limit limit, BootTime now) {
  const std::uint32_t step = step_of(now);
  std::uint32_t first = kSteps;  // steps to wait
  for (std::size_t row = 0; row < kRows; ++row) {
    const Cell& found = current(name, row, step);
    std::uint32_t left = sum(found);
    std::uint32_t steps = 0;
    // The step after the current one takes the place of the oldest that is counted.
    while (left >= limit.failures && steps < kSteps) {
      ++steps;
      left -= found.failures[(step + steps) % kSteps];
    }
    first = std::min(first, steps);
  }
  if (first == 0) return std::chrono::nanoseconds{0};
  const std::chrono::nanoseconds into_step = now.time_since_epoch() % step_;
  return step_ * first - into_step;
}

void FailureWindow::begin(const Name& name) {
  for (std::size_t row = 0; row < kRows; ++row) increase(cell(name, row).under_way);
}

void FailureWindow::end(const Name& name) {
  for (std::size_t row = 0; row < kRows; ++row) --cell(name, row).under_way;
}

void FailureWindow::add_failure(const Name& name, BootTime now) {
  const std::uint32_t step = step_of(now);
  for (std::size_t row = 0; row < kRows; ++row) {
    increase(current(name, row, step).failures[step % kSteps]);
  }
}

}  // namespace um

#include "cli/progress.hpp"

#include <algorithm>
#include <ostream>

#include <fmt/format.h>

namespace um {
namespace {

constexpr std::size_t kBarWidth = 30;

double seconds_between(BootTime a, BootTime b) {
  return std::chrono::duration<double>(b - a).count();
}

std::string bar(double fraction) {
  const auto full = static_cast<std::size_t>(fraction * static_cast<double>(kBarWidth));
  return std::string(full, '#') + std::string(kBarWidth - full, '.');
}

std::string remaining_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::min(seconds, 359'999.0));
  if (whole >= 3600) return fmt::format("{}h{:02}min left", whole / 3600, whole / 60 % 60);
  if (whole >= 60) return fmt::format("{}min{:02}s left", whole / 60, whole % 60);
  return fmt::format("{}s left", whole);
}

}  // namespace

std::string grouped(std::uint64_t number) {
  std::string out = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(out.size()) - 3; at > 0; at -= 3) {
    out.insert(static_cast<std::size_t>(at), ",");
  }
  return out;
}

std::string users_text(std::uint64_t number) {
  return grouped(number) + (number == 1 ? " user" : " users");
}

Progress::Progress(CliIo& io, std::string verb)
    : io_{io}, verb_{std::move(verb)}, start_{io.clock.now()}, last_{start_} {}

Progress::~Progress() {
  wipe();
}

void Progress::update(State state) {
  const BootTime now = io_.clock.now();
  const bool terminal = io_.err_is_terminal;
  if (now - last_ < (terminal ? std::chrono::nanoseconds{kBarInterval} : kLineInterval)) return;
  last_ = now;
  state.fraction = std::clamp(state.fraction, 0.0, 1.0);
  const std::string line = render(state, now);
  if (terminal) {
    io_.err << "\r\x1b[K[" << bar(state.fraction) << "] " << line << std::flush;
    drawn_ = true;
  } else {
    io_.err << line << std::endl;
  }
}

void Progress::wipe() {
  if (drawn_) io_.err << "\r\x1b[K" << std::flush;
  drawn_ = false;
}

std::string Progress::render(State state, BootTime now) const {
  const double elapsed = seconds_between(start_, now);
  const auto rate = static_cast<std::uint64_t>(static_cast<double>(state.users) / elapsed);
  std::string out = fmt::format("{:.0f} %, {} {}, {}/s", state.fraction * 100,
                                users_text(state.users), verb_, grouped(rate));
  if (state.fraction > 0.01) {
    out += ", " + remaining_text(elapsed / state.fraction * (1 - state.fraction));
  }
  return out;
}

}  // namespace um

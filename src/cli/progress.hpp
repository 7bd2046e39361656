// Progress: how far a long command is. On a terminal a bar that is drawn over itself, otherwise a
// plain line every few seconds; nothing for work that is over at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/io.hpp"

namespace um {

class Progress {
 public:
  struct State {
    double fraction = 0;      // of the work, 0 to 1
    std::uint64_t users = 0;  // done
  };
  static constexpr std::chrono::milliseconds kBarInterval{100};
  static constexpr std::chrono::seconds kLineInterval{5};

  // `verb`: "imported", "exported". `io` outlives it.
  Progress(CliIo& io, std::string verb);
  ~Progress();  // wipes the bar
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(State state);
  // To be called before another line is written to io.err.
  void wipe();

 private:
  std::string render(State state, BootTime now) const;

  CliIo& io_;
  std::string verb_;
  BootTime start_;
  BootTime last_;
  bool drawn_ = false;
};

// "1,234,567".
std::string grouped(std::uint64_t number);
// "1 user", "2,000 users".
std::string users_text(std::uint64_t number);

}  // namespace um

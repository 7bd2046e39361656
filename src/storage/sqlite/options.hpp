// How a SQLite database is opened.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string_view>

#include "base/clock.hpp"

namespace um {

struct SqliteOptions {
  std::filesystem::path file;  // its folder exists
  const Clock* clock;          // outlives the storage

  // serve: this process owns the file; a second one that wants to is refused. Other commands write
  // beside it and leave this off.
  bool exclusive_service = false;
  // Apply pending migrations, making the file if there is none. Off: a schema that is not the
  // newest is an error.
  bool migrate = true;

  std::size_t look_up_threads = 2;
  std::size_t scan_threads = 1;  // search, list, count: never before look-ups
  std::size_t look_up_queue = 4096;
  std::size_t scan_queue = 256;
  std::size_t write_queue = 4096;
  // P of docs/consistency.md: how often commits of other programs are looked for.
  std::chrono::nanoseconds poll_interval = std::chrono::milliseconds{75};
  // Gets one line when a trouble with the file begins and when it ends; from any thread. May be
  // empty.
  std::function<void(std::string_view)> log{};
  const char* vfs = nullptr;  // for tests: the name of a SQLite VFS
};

}  // namespace um

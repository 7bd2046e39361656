// serve: the application from start to stop, as the command of the same name runs it.
#pragma once

#include <iosfwd>

#include "config/config.hpp"

namespace um {

struct ServeStreams {
  std::ostream& out;  // for people: address, storage, cache, how to make an administrator
  std::ostream& err;  // one line if it cannot start
};

// Blocks until SIGTERM or SIGINT. The exit code: 0 stopped as asked, 1 failed, 2 badly configured.
// A second signal ends the process at once.
struct Serve {
  const Config& config;
  bool migrate = false;  // PostgreSQL: bring the schema up to date first
};
int serve(const Serve& what, ServeStreams streams);

}  // namespace um

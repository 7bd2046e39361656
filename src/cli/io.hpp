// CliIo: everything a command sees of the world outside: streams, environment, terminal, signals.
// Tests put their own in its place. Thread safety: one command at a time.
#pragma once

#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/secret.hpp"

namespace um {

// While it lives, Ctrl-C and SIGTERM do not end the process but are remembered.
class Interrupts {
 public:
  virtual ~Interrupts() = default;
  virtual bool requested() = 0;
};

struct CliIo {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  const Clock& clock;
  std::map<std::string, std::string> environment{};
  bool in_is_terminal = false;
  bool err_is_terminal = false;
  // Asks on the terminal without echo; nullopt: there is no terminal, or the question was
  // cancelled.
  std::function<std::optional<Secret>(std::string_view prompt)> ask_secret{};
  // To be called before threads are made, which inherit what it blocks.
  std::function<std::unique_ptr<Interrupts>()> watch_interrupts{};
};

}  // namespace um

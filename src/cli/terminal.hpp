// This process's terminal and signals.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/secret.hpp"
#include "cli/io.hpp"

namespace um {

// Reads a line from the controlling terminal without echo; backspace and Ctrl-U work. nullopt:
// there is none, or it was ended with Ctrl-C or Ctrl-D. At most 4 KiB; what is typed beyond that is
// dropped. A signal that ends the process does so after the terminal has its echo back. REQUIRES:
// no other threads, which would get the signal sooner.
std::optional<Secret> ask_on_terminal(std::string_view prompt);

// Blocks SIGINT and SIGTERM in this thread, and so in those it makes, and collects them. They are
// unblocked on destruction.
std::unique_ptr<Interrupts> watch_signals();

}  // namespace um

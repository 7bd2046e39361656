// This process's terminal and signals.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/secret.hpp"
#include "cli/io.hpp"

namespace um {

// Reads a line of at most 4 KiB from the controlling terminal without echo (readpassphrase of
// libbsd). nullopt: there is no terminal, or nothing was typed. Ctrl-C and other signals that end
// the process do so after the terminal has its echo back. REQUIRES: no other threads, which would
// receive the signal instead.
std::optional<Secret> ask_on_terminal(std::string_view prompt);

// Blocks SIGINT and SIGTERM in this thread, and so in those it makes, and collects them. They are
// unblocked on destruction.
std::unique_ptr<Interrupts> watch_signals();

}  // namespace um

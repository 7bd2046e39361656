// run_cli: the whole command line, from arguments to exit code.
#pragma once

#include <span>

#include "cli/backend.hpp"
#include "cli/io.hpp"

namespace um {

// `arguments` begins with the name of the program. 0 done, 1 failed, 2 used wrongly or badly
// configured; an error is one line on io.err: "user-manager: …". Throws nothing.
int run_cli(std::span<const char* const> arguments, CliIo& io, const CliBackend& backend);

// The same with this process's terminal, environment and signals, and the real backend.
int cli_main(std::span<const char* const> arguments);

}  // namespace um

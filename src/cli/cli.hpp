// run_cli: the whole command line, from arguments to exit code; and the parts of the real program.
#pragma once

#include <span>
#include <string>

#include "cli/io.hpp"

namespace um {

// `arguments` begins with the name of the program. 0 done, 1 failed, 2 used wrongly or badly
// configured; an error is one line on io.err: "user-manager: …". Throws nothing.
int run_cli(std::span<const char* const> arguments, CliIo& io, const CliBackend& backend);

// The same with this process's terminal, environment and signals, and the real backend.
int cli_main(std::span<const char* const> arguments);

// CliBackend::migrate of the real program. conflict, unavailable, invalid: see the migrators of
// storage/. Rows that do not fit are no error but part of the report; unless they are quarantined
// nothing was changed then.
Result<MigrateReport> migrate_database(const Config& config, const Clock& clock,
                                       MigrateRequest request);

// CliBackend::backup of the real program. conflict: `file` exists. unavailable: there is no
// database, or the copy cannot be written.
Result<void> back_up_database(const Config& config, const std::string& file);

}  // namespace um

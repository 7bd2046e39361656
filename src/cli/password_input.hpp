// Where commands get passwords from: the terminal or standard input, never the command line, which
// other users of the machine can read and the shell writes into its history.
#pragma once

#include "base/secret.hpp"
#include "cli/command.hpp"

namespace um {

class PasswordInput {
 public:
  // --password-stdin, and --password to refuse it with a reason.
  void declare(Options& options);
  // Whether --password-stdin was given.
  bool from_stdin() const { return from_stdin_; }
  // Asks twice on the terminal, or reads one line of standard input. ErrorCode::invalid: --password
  // was used, no terminal, nothing given, the two differ, longer than 4 KiB. What a password must
  // be like is checked elsewhere.
  Result<Secret> read(CliIo& io) const;

 private:
  bool from_stdin_ = false;
  std::optional<std::string> on_command_line_;
};

}  // namespace um

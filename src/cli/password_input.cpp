#include "cli/password_input.hpp"

#include <istream>

#include "cli/messages.hpp"

namespace um {
namespace {

constexpr std::size_t kMaxBytes = 4096;

Result<Secret> read_line(std::istream& in) {
  std::string line;
  line.reserve(kMaxBytes + 1);  // no copies of the password left behind by growing
  int c = in.get();
  while (c != std::istream::traits_type::eof() && c != '\n' && line.size() <= kMaxBytes) {
    line += static_cast<char>(c);
    c = in.get();
  }
  if (line.ends_with('\r')) line.pop_back();
  Secret password{std::move(line)};
  if (password.reveal().size() > kMaxBytes) return misuse("the password is longer than 4 KiB");
  if (password.empty()) return misuse("no password on standard input");
  return password;
}

Result<Secret> ask_twice(const CliIo& io) {
  const auto ask = [&](std::string_view prompt) -> std::optional<Secret> {
    return io.ask_secret ? io.ask_secret(prompt) : std::nullopt;
  };
  auto first = ask("New password: ");
  if (!first)
    return misuse(
        "no password was given: there is no terminal to ask on, or it was cancelled; use "
        "--password-stdin");
  const auto second = ask("The same again: ");
  if (!second || *second != *first) return misuse("the two passwords are not the same");
  return *std::move(first);
}

}  // namespace

void PasswordInput::declare(Options& options) {
  options.flag(
      {.name = "--password-stdin",
       .help = "read the password from the first line of standard input; without it, it is "
               "asked for on the terminal"},
      from_stdin_);
  options.hidden({.name = "--password", .help = ""}, on_command_line_);
}

Result<Secret> PasswordInput::read(CliIo& io) const {
  if (on_command_line_) {
    return misuse(
        "--password: a password is never taken from the command line, which other users and the "
        "shell's history see; leave it away to be asked, or use --password-stdin");
  }
  return from_stdin_ ? read_line(io.in) : ask_twice(io);
}

}  // namespace um

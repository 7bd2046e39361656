// user create, set-password: the commands that take a password
#include <istream>

#include "async/run_task.hpp"
#include "cli/command.hpp"
#include "cli/messages.hpp"
#include "cli/operator.hpp"
#include "user/validation.hpp"

namespace um {
namespace {

constexpr std::size_t kMaxPasswordLine = 4096;

Result<Secret> read_password_line(std::istream& in) {
  std::string line;
  line.reserve(kMaxPasswordLine + 1);  // no copies of the password left by growing
  int c = in.get();
  while (c != std::istream::traits_type::eof() && c != '\n' && line.size() <= kMaxPasswordLine) {
    line += static_cast<char>(c);
    c = in.get();
  }
  if (line.ends_with('\r')) line.pop_back();
  Secret password{std::move(line)};
  if (password.reveal().size() > kMaxPasswordLine)
    return misuse("the password is longer than 4 KiB");
  if (password.empty()) return misuse("no password on standard input");
  return password;
}

Result<Secret> ask_for_password_twice(const CliIo& io) {
  const auto ask = [&](std::string_view prompt) -> std::optional<Secret> {
    return io.ask_secret ? io.ask_secret(prompt) : std::nullopt;
  };
  auto first = ask("New password: ");
  if (!first)
    return misuse(
        "no password was given: there is no terminal to ask on, or nothing was typed; use "
        "--password-stdin");
  const auto second = ask("The same again: ");
  if (!second || *second != *first) return misuse("the two passwords are not the same");
  return *std::move(first);
}

// Where the commands below get a password from: the terminal or standard input, never the command
// line, which other users of the machine can read and the shell writes into its history.
class PasswordInput {
 public:
  // --password-stdin, and --password to refuse it with a reason.
  void declare(Options& options) {
    options.flag(
        {.name = "--password-stdin",
         .help = "read the password from the first line of standard input; without it, it is "
                 "asked for on the terminal"},
        from_stdin_);
    options.hidden({.name = "--password", .help = ""}, on_command_line_);
  }

  // Whether --password-stdin was given.
  bool from_stdin() const { return from_stdin_; }

  // Asks twice on the terminal, or reads one line of standard input. invalid: --password was used,
  // no terminal, nothing given, the two differ, longer than 4 KiB. `Users` checks what a password
  // must be like.
  Result<Secret> read(CliIo& io) const {
    if (on_command_line_) {
      return misuse(
          "--password: a password is never taken from the command line, which other users and the "
          "shell's history see; leave it out to be asked, or use --password-stdin");
    }
    return from_stdin_ ? read_password_line(io.in) : ask_for_password_twice(io);
  }

 private:
  bool from_stdin_ = false;
  std::optional<std::string> on_command_line_;
};

class UserCreate final : public Command {
 public:
  About about() const override {
    return {.name = "create",
            .summary = "create a user, also beside a running server",
            .examples =
                "  user-manager user create --email ann@example.org --role admin\n"
                "  user-manager user create --email bot@example.org --role service --no-password"};
  }

  void declare(Options& options) override {
    static_assert(kMinUsernameBytes == 3 && kMaxUsernameBytes == 64 && kMaxNameCharacters == 200,
                  "the help says so");
    options.required_text({"--email", "e-mail address, unique without case", "ADDRESS"}, email_);
    options.text(
        {"--username", "3 to 64 of a-z A-Z 0-9 . _ -, unique without case [default: none]", "NAME"},
        username_);
    options.text({"--first-name", "at most 200 characters [default: empty]", "NAME"}, first_name_);
    options.text({"--last-name", "at most 200 characters [default: empty]", "NAME"}, last_name_);
    options.text({"--role", "user, admin or service [default: user]", "ROLE"}, role_);
    options.text({"--quota-usd", "US dollars, at most 6 decimals [default: unlimited]", "AMOUNT"},
                 quota_);
    options.flag({"--no-password", "the user cannot sign in until a password is set"},
                 no_password_);
    password_.declare(options);
  }

  Result<ExitCode> run(const Context& context) override {
    if (no_password_ && password_.from_stdin())
      return misuse("--no-password and --password-stdin exclude each other");
    UserInput input = profile();
    if (!no_password_) {
      auto password = password_.read(context.io);
      if (!password) return fail(std::move(password.error()));
      input.password = member(*std::move(password));
    }
    // Before the database is opened, like everything else that is wrong with the arguments.
    const auto sound = plan_creation(input, {.by_admin = true, .password_optional = no_password_});
    if (!sound) return fail(sound.error());
    const auto users = OperatorUsers::open(context);
    if (!users) return fail(users.error());
    const auto made = um::run((*users)->create(std::move(input)));
    if (!made) return fail(made.error());
    const User& user = (*made)->user;
    return report_user(context, user,
                       "created user " + user.id.text() + " " + user.email.text() + " (" +
                           std::string{to_string(user.role)} + ")");
  }

 private:
  UserInput profile() const {
    UserInput out{.email = member(email_)};
    if (username_) out.username = member(*username_);
    if (first_name_) out.first_name = member(*first_name_);
    if (last_name_) out.last_name = member(*last_name_);
    if (role_) out.role = member(*role_);
    if (quota_) out.quota_usd = member(*quota_);
    return out;
  }

  std::string email_;
  std::optional<std::string> username_;
  std::optional<std::string> first_name_;
  std::optional<std::string> last_name_;
  std::optional<std::string> role_;
  std::optional<std::string> quota_;
  bool no_password_ = false;
  PasswordInput password_;
};

class UserSetPassword final : public Command {
 public:
  About about() const override {
    return {.name = "set-password",
            .summary = "set a user's password and end their sessions",
            .examples =
                "  user-manager user set-password ann@example.org\n"
                "  pass ann | user-manager user set-password ann@example.org --password-stdin"};
  }
  void declare(Options& options) override {
    options.positional({"USER", "id or e-mail address"}, who_);
    password_.declare(options);
  }
  Result<ExitCode> run(const Context& context) override {
    auto password = password_.read(context.io);
    if (!password) return fail(std::move(password.error()));
    const auto users = OperatorUsers::open(context);
    if (!users) return fail(users.error());
    UserInput input{.password = member(*std::move(password))};
    const auto user = um::run((*users)->change(who_, std::move(input)));
    if (!user) return fail(user.error());
    return report_user(context, (*user)->user,
                       (*user)->user.email.text() + " has a new password; all sessions have ended");
  }

 private:
  std::string who_;
  PasswordInput password_;
};

}  // namespace

std::unique_ptr<Command> make_user_create_command() {
  return std::make_unique<UserCreate>();
}
std::unique_ptr<Command> make_user_set_password_command() {
  return std::make_unique<UserSetPassword>();
}

}  // namespace um

// For tests: the command line in this process, over a SQLite file of its own in a temporary
// directory.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "cli/cli.hpp"
#include "storage/sqlite/storage.hpp"

namespace um {

class CliHarness : public testing::Test {
 protected:
  struct Ran {
    int code;
    std::string out;
    std::string err;
  };

  CliHarness() {
    std::string pattern = (std::filesystem::temp_directory_path() / "um-cli-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    directory_ = pattern;
    environment_ = {{"USER_MANAGER_PASSWORD_COST", "4"},
                    {"USER_MANAGER_DATABASE", "sqlite:" + file("users.db")}};
    backend_.open_storage = [this](const Config& config) {
      return open_sqlite({.file = config.database.path, .clock = &clock_});
    };
    backend_.migrate = [this](const Config& config, MigrateRequest request) {
      return migrate_database(config, clock_, request);
    };
    backend_.backup = back_up_database;
    backend_.serve = [this](const Config& config, ServeRequest, CliIo&) {
      served_ = config;
      return 0;
    };
  }
  ~CliHarness() override { std::filesystem::remove_all(directory_); }

  Ran um(std::vector<std::string> arguments, const std::string& input = {}) {
    std::vector<const char*> argv{"user-manager"};
    for (const auto& argument : arguments) argv.push_back(argument.c_str());
    std::istringstream in{input};
    std::ostringstream out;
    std::ostringstream err;
    CliIo io{.in = in,
             .out = out,
             .err = err,
             .clock = clock_,
             .environment = environment_,
             .in_is_terminal = in_is_terminal_,
             .err_is_terminal = false,
             .ask_secret = ask_secret_,
             .watch_interrupts = watch_interrupts_};
    const int code = run_cli(argv, io, backend_);
    return {.code = code, .out = out.str(), .err = err.str()};
  }

  // Creates a user; the id.
  std::string create(const std::string& email, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"user", "create", "--email", email, "--password-stdin"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto ran = um(arguments, "correct horse\n");
    EXPECT_EQ(ran.code, 0) << ran.err;
    std::istringstream words{ran.out};  // "created user 1 …"
    std::string id;
    words >> id >> id >> id;
    return id;
  }

  std::string file(const std::string& name) const { return (directory_ / name).string(); }
  std::string write_file(const std::string& name, std::string_view text) const {
    std::ofstream{file(name), std::ios::binary} << text;
    return file(name);
  }
  static std::string read_file(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream{path, std::ios::binary}.rdbuf();
    return text.str();
  }

  SystemClock clock_;
  CliBackend backend_;
  std::map<std::string, std::string> environment_;
  bool in_is_terminal_ = false;
  std::function<std::optional<Secret>(std::string_view)> ask_secret_;
  std::function<std::unique_ptr<Interrupts>()> watch_interrupts_;
  std::optional<Config> served_;

 private:
  std::filesystem::path directory_;
};

}  // namespace um

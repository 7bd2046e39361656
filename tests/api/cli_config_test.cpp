// Settings: where they come from, and that a wrong one stops the start with one clear line and
// code 2.
#include <gtest/gtest.h>

#include "support/json.hpp"
#include "support/server_under_test.hpp"

namespace um::e2e {
namespace {

using Arguments = std::vector<std::string>;
using Environment = std::map<std::string, std::string>;

class CliConfig : public ::testing::Test {
 protected:
  RunResult call(Arguments arguments, Environment environment = {}) const {
    return run({.program = program(),
                .arguments = std::move(arguments),
                .environment = std::move(environment),
                .working_directory = directory_.path().string()});
  }
  // `serve` ends at once with code 2 and one line that names `culprit`.
  void expect_refused(const Arguments& arguments, const Environment& environment,
                      const std::string& culprit) const {
    Arguments all{"serve", "--listen", "127.0.0.1:0"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    SCOPED_TRACE(culprit);
    const auto result = call(all, environment);
    EXPECT_EQ(result.code, 2) << result.out << result.err;
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    EXPECT_NE(result.err.find(culprit), std::string::npos) << result.err;
    EXPECT_EQ(result.out, "");
  }
  // Value and origin of one setting as `config` tells them.
  std::pair<std::string, std::string> effective(const std::string& name, Arguments arguments,
                                                Environment environment = {}) const {
    arguments.insert(arguments.begin(), "config");
    arguments.emplace_back("--json");
    const auto result = call(std::move(arguments), std::move(environment));
    EXPECT_EQ(result.code, 0) << result.err;
    const auto settings = parse_json(result.out);
    for (const auto& setting : settings.as_array()) {
      if (text_at(setting, "/setting") == name) {
        return {text_at(setting, "/value"), text_at(setting, "/source")};
      }
    }
    ADD_FAILURE() << name << " is not shown: " << result.out;
    return {};
  }

  test::TempDirectory directory_;
};

TEST_F(CliConfig, AFlagIsBeforeAVariableAndThatBeforeTheFile) {
  const auto file = directory_.write("um.toml", "threads = 3\ntoken-ttl = \"2h\"\n");
  using Effective = std::pair<std::string, std::string>;
  EXPECT_EQ(effective("threads", {"--config", file}).first, "3");
  EXPECT_EQ(effective("threads", {"--config", file}, {{"USER_MANAGER_THREADS", "4"}}).first, "4");
  EXPECT_EQ(
      effective("threads", {"--config", file, "--threads", "5"}, {{"USER_MANAGER_THREADS", "4"}})
          .first,
      "5");
  EXPECT_EQ(effective("password-cost", {"--config", file}), (Effective{"10", "default"}));
  EXPECT_EQ(effective("threads", {"--config", file}).second, "file");
  EXPECT_EQ(effective("threads", {}, {{"USER_MANAGER_CONFIG", file}}).first, "3");
}

TEST_F(CliConfig, EveryDefaultIsTheDocumentedOne) {
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"listen", "127.0.0.1:8080"},
                                                        {"cache-capacity", "256MiB"},
                                                        {"cache-ttl", "5min"},
                                                        {"consistency", "strict"},
                                                        {"staleness-bound", "500ms"},
                                                        {"stale-if-error", "0"},
                                                        {"access", "private"},
                                                        {"registration", "open"},
                                                        {"token-ttl", "24h"},
                                                        {"password-cost", "10"},
                                                        {"issuer", "user-manager"},
                                                        {"database-connections", "4"},
                                                        {"database-timeout", "2s"},
                                                        {"redis-timeout", "50ms"},
                                                        {"max-connections", "10000"},
                                                        {"change-retention", "15min"},
                                                        {"log-format", "text"},
                                                        {"log-level", "info"}}) {
    std::string shown = effective(name, {}).first;
    std::erase(shown, ' ');
    std::erase(shown, ',');
    EXPECT_TRUE(shown == value || shown == (name == "cache-ttl" ? "5m" : "15m") ||
                (name == "token-ttl" && shown == "1d") ||
                (name == "stale-if-error" && shown == "0s"))
        << name << " = " << shown;
  }
}

TEST_F(CliConfig, UnknownNamesAreRefused) {
  expect_refused({"--config", directory_.write("a.toml", "thread = 3\n")}, {}, "thread");
  expect_refused({"--config", directory_.write("b.toml", "[serve]\nthreads = 3\n")}, {}, "serve");
  expect_refused({}, {{"USER_MANAGER_THREAD", "3"}}, "USER_MANAGER_THREAD");
  expect_refused({"--thread", "3"}, {}, "--thread");
  expect_refused({}, {{"USER_MANAGER_", "3"}}, "USER_MANAGER_");
}

TEST_F(CliConfig, FilesThatCannotBeReadAreRefused) {
  expect_refused({"--config", directory_.file("absent.toml")}, {}, "absent.toml");
  expect_refused({"--config", directory_.write("bad.toml", "threads = = 3\n")}, {}, "bad.toml");
  expect_refused({"--config", directory_.write("twice.toml", "threads = 3\nthreads = 4\n")}, {},
                 "twice.toml");
  expect_refused({"--config", directory_.write("type.toml", "threads = [3]\n")}, {}, "threads");
  expect_refused(
      {"--tls-cert", directory_.file("none.pem"), "--tls-key", directory_.file("none.pem")}, {},
      "none.pem");
  const auto rubbish = directory_.write("rubbish.pem", "not a certificate");
  expect_refused({"--tls-cert", rubbish, "--tls-key", rubbish}, {}, "rubbish.pem");
  expect_refused({"--jwt-hs256-secret-file", directory_.file("none")}, {}, "none");
  expect_refused({"--jwt-hs256-secret-file", directory_.write("short", "secret-key")}, {},
                 "jwt-hs256-secret-file");
  expect_refused({"--jwt-hs256-secret-file",
                  directory_.write("known", "secret-keysecret-keysecret-keysecret-key\n")},
                 {}, "jwt-hs256-secret-file");
  const auto folder = directory_.path().string();
  const auto empty = directory_.write("empty", "");
  expect_refused({"--jwt-hs256-secret-file", folder}, {},
                 "jwt-hs256-secret-file: " + folder + " is a directory\n");
  expect_refused({"--jwt-hs256-secret-file", empty}, {},
                 "jwt-hs256-secret-file: " + empty + " is empty\n");
  expect_refused({"--tls-cert", folder, "--tls-key", rubbish}, {},
                 "tls-cert: " + folder + " is a directory\n");
  expect_refused({"--tls-cert", rubbish, "--tls-key", empty}, {},
                 "tls-key: " + empty + " is empty\n");
}

TEST_F(CliConfig, BadValuesAreRefused) {
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"threads", "0"},
                                                        {"threads", "-1"},
                                                        {"threads", "two"},
                                                        {"threads", "1.5"},
                                                        {"threads", ""},
                                                        {"threads", "99999999999999999999"},
                                                        {"cache-capacity", "1"},
                                                        {"cache-capacity", "-1MiB"},
                                                        {"cache-capacity", "much"},
                                                        {"cache-ttl", "0"},
                                                        {"cache-ttl", "-1s"},
                                                        {"consistency", "eventual"},
                                                        {"consistency", "Strict"},
                                                        {"staleness-bound", "1ms"},
                                                        {"staleness-bound", "soon"},
                                                        {"stale-if-error", "-1"},
                                                        {"access", "open"},
                                                        {"registration", "closed"},
                                                        {"token-ttl", "0s"},
                                                        {"password-cost", "3"},
                                                        {"password-cost", "15"},
                                                        {"password-cost", "10.0"},
                                                        {"trusted-proxies", "10.0.0.0/33"},
                                                        {"trusted-proxies", "proxy.example.test"},
                                                        {"database-connections", "0"},
                                                        {"database-timeout", "0"},
                                                        {"max-connections", "0"},
                                                        {"change-retention", "1s"},
                                                        {"log-format", "xml"},
                                                        {"log-level", "loud"},
                                                        {"listen", "8080"},
                                                        {"listen", "127.0.0.1:99999"},
                                                        {"listen", "127.0.0.1:-1"},
                                                        {"listen", "nowhere:80x"},
                                                        {"database", "mysql://x"},
                                                        {"database", "sqlite:"},
                                                        {"database", ""}}) {
    Arguments arguments{"serve", "--" + name + "=" + value};
    SCOPED_TRACE(name + " = " + value);
    const auto by_flag = call(arguments);
    EXPECT_EQ(by_flag.code, 2) << by_flag.err;
    EXPECT_EQ(std::ranges::count(by_flag.err, '\n'), 1) << by_flag.err;
    EXPECT_NE(by_flag.err.find(name), std::string::npos) << by_flag.err;

    std::string variable = "USER_MANAGER_" + name;
    for (char& c : variable) c = c == '-' ? '_' : static_cast<char>(std::toupper(c));
    const auto by_variable = call({"serve"}, {{variable, value}});
    EXPECT_EQ(by_variable.code, 2) << by_variable.err;
    EXPECT_NE(by_variable.err.find(variable), std::string::npos) << by_variable.err;
  }
}

TEST_F(CliConfig, ContradictionsAreRefused) {
  expect_refused({"--redis", "redis://127.0.0.1"}, {}, "redis");
  const auto pem = directory_.write("x.pem", "x");
  expect_refused({"--tls-cert", pem}, {}, "tls-key");
  expect_refused({"--tls-key", pem}, {}, "tls-cert");
  expect_refused({"--cache-ttl", "1h", "--change-retention", "10min"}, {}, "cache-ttl");
}

TEST_F(CliConfig, SecretsAreMasked) {
  const auto result = call({"config", "--redis", "redis://:hidden-Sesame@127.0.0.1:1/0",
                            "--database", "postgresql://me:hidden-Sesame@db/users"});
  EXPECT_EQ((result.out + result.err).find("hidden-Sesame"), std::string::npos)
      << result.out << result.err;
}

}  // namespace
}  // namespace um::e2e

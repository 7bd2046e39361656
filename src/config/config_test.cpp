#include "config/config.hpp"

#include <cstdio>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/setting.hpp"

namespace um {
namespace {

using testing::HasSubstr;

// A file that lives as long as the test.
class TempFile {
 public:
  explicit TempFile(std::string_view text) : path_{testing::TempDir() + "um_config_XXXXXX"} {
    const int fd = ::mkstemp(path_.data());
    if (fd >= 0) ::close(fd);
    std::ofstream{path_, std::ios::binary} << text;
  }
  ~TempFile() { std::remove(path_.c_str()); }
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Three values of each setting that are allowed and differ from the default and from each other.
struct Sample {
  std::string_view name;
  std::array<std::string_view, 3> values;
  ConfigInput needs{};  // the settings that it needs beside it
};

std::vector<Sample> samples() {
  return {
      {"listen", {"0.0.0.0:1", "[::1]:2", "127.0.0.1:3"}},
      {"database", {"sqlite:a.db", "sqlite:/b.db", "sqlite:c/d.db"}},
      {"threads", {"1000", "1001", "1002"}},
      {"cache-capacity", {"1MiB", "2GiB", "3MiB"}},
      {"cache-ttl", {"1s", "2min", "3min"}},
      {"consistency", {"bounded", "bounded", "bounded"}},
      {"staleness-bound", {"225ms", "1s", "2s"}},
      {"stale-if-error", {"1s", "2min", "3h"}},
      {"access", {"public", "public", "public"}},
      {"registration", {"admin", "admin", "admin"}},
      {"token-ttl", {"1min", "2d", "90d"}},
      {"password-cost", {"4", "12", "14"}},
      {"tls-cert", {"a.pem", "b.pem", "c.pem"}, {.flags = {{"tls-key", "key.pem"}}}},
      {"tls-key", {"a.pem", "b.pem", "c.pem"}, {.flags = {{"tls-cert", "cert.pem"}}}},
      {"jwt-hs256-secret-file", {"a", "b", "c"}},
      {"issuer", {"a", "b", "c"}},
      {"trusted-proxies", {"10.0.0.0/8", "::1", "10.0.0.0/8,::1"}},
      {"database-connections", {"1", "2", "100"}},
      {"database-timeout", {"10ms", "1s", "5min"}},
      {"redis-timeout", {"1ms", "2ms", "10s"}},
      {"max-connections", {"1", "2", "1000000"}},
      {"shutdown-delay", {"1s", "5s", "1min"}},
      {"change-retention", {"10min", "1h", "7d"}},
      {"log-format", {"json", "json", "json"}},
      {"log-level", {"debug", "warn", "error"}},
  };
}

EffectiveSetting effective(const Config& config, std::string_view name) {
  for (const auto& setting : config.effective) {
    if (setting.name == name) return setting;
  }
  ADD_FAILURE() << "no setting " << name;
  return {};
}

std::string refusal(const ConfigInput& input) {
  const auto config = load_config(input);
  if (config) return "accepted";
  EXPECT_EQ(config.error().code, ErrorCode::invalid);
  EXPECT_EQ(config.error().detail.find('\n'), std::string::npos);
  return config.error().detail;
}

TEST(Config, WithoutAnythingSetEveryValueIsItsDefault) {
  const auto config = load_config({});
  ASSERT_TRUE(config);
  const auto table = make_setting_table();
  ASSERT_EQ(config->effective.size(), table.size());
  for (std::size_t i = 0; i < table.size(); ++i) {
    EXPECT_EQ(config->effective[i].name, table[i].name);
    EXPECT_EQ(config->effective[i].source, ConfigSource::defaults);
    if (table[i].name == "threads") continue;
    EXPECT_EQ(config->effective[i].value.empty() ? "none" : config->effective[i].value,
              table[i].default_text);
  }
  EXPECT_GE(config->threads, 1U);
  EXPECT_EQ(config->cache_capacity_bytes, 256ULL << 20U);
}

TEST(Config, EverySettingHasASampleInTheseTests) {
  for (const Setting& setting : make_setting_table()) {
    if (setting.name == "redis") continue;  // needs PostgreSQL; below
    const auto all = samples();
    EXPECT_EQ(std::ranges::count(all, setting.name, &Sample::name), 1) << setting.name;
  }
}

TEST(Config, FlagsWinOverTheEnvironmentOverTheFileOverTheDefault) {
  const auto table = make_setting_table();
  for (const Sample& sample : samples()) {
    const auto setting = std::ranges::find(table, sample.name, &Setting::name);
    ASSERT_NE(setting, table.end());
    const auto [in_file, in_environment, in_flag] = sample.values;
    const TempFile file{std::string{sample.name} + " = \"" + std::string{in_file} + "\"\n"};

    ConfigInput input = sample.needs;
    input.config_file = file.path();
    const auto expect = [&](std::string_view value, ConfigSource source,
                            const std::string& origin) {
      const auto config = load_config(input);
      ASSERT_TRUE(config) << sample.name << ": " << config.error().detail;
      EXPECT_EQ(effective(*config, sample.name).value, value);
      EXPECT_EQ(effective(*config, sample.name).source, source);
      EXPECT_EQ(effective(*config, sample.name).origin, origin);
    };
    expect(in_file, ConfigSource::file, file.path() + ":1");
    input.environment[setting->variable()] = in_environment;
    expect(in_environment, ConfigSource::environment, "environment " + setting->variable());
    input.flags[std::string{sample.name}] = in_flag;
    expect(in_flag, ConfigSource::flag, "flag " + setting->flag());
  }
}

TEST(Config, WhatIsShownCanBeGivenAgain) {
  for (const Setting& setting : make_setting_table()) {
    if (setting.secret) continue;
    Config config;
    const std::string shown = setting.show(config);
    EXPECT_TRUE(setting.assign(config, shown)) << setting.name << " = " << shown;
    EXPECT_EQ(setting.show(config), shown);
  }
}

TEST(Config, ValuesArriveWithTheirTypes) {
  const auto config = load_config({.flags = {{"listen", "[::1]:0"},
                                             {"database", "sqlite:/srv/u.db"},
                                             {"cache-ttl", "2 min"},
                                             {"stale-if-error", "30"},
                                             {"access", "public"},
                                             {"trusted-proxies", "10.0.0.0/8,::1"}}});
  ASSERT_TRUE(config) << config.error().detail;
  EXPECT_EQ(config->listen.address, "::1");
  EXPECT_EQ(config->listen.port, 0);
  EXPECT_EQ(config->database.path, "/srv/u.db");
  EXPECT_EQ(config->cache_ttl, std::chrono::seconds{120});
  EXPECT_EQ(config->stale_if_error, std::chrono::seconds{30});
  EXPECT_EQ(config->access, AccessPolicy::public_access);
  EXPECT_EQ(config->trusted_proxies.size(), 2U);
}

TEST(Config, LocalhostIsTheLoopbackAddress) {
  const auto config = load_config({.flags = {{"listen", "localhost:80"}}});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->listen.text(), "127.0.0.1:80");
}

TEST(Config, TheFileMayAlsoBeNamedByTheEnvironmentAndTheFlagWins) {
  const TempFile one{"threads = 3\n"};
  const TempFile two{"threads = 5\n"};
  ConfigInput input{.environment = {{"USER_MANAGER_CONFIG", one.path()}}};
  EXPECT_EQ(load_config(input)->threads, 3U);
  input.config_file = two.path();
  EXPECT_EQ(load_config(input)->threads, 5U);
}

TEST(Config, AFileMayListStrings) {
  const TempFile file{"trusted-proxies = [\"10.0.0.0/8\", \"::1\"]\n"};
  const auto config = load_config({.config_file = file.path()});
  ASSERT_TRUE(config) << config.error().detail;
  EXPECT_EQ(config->trusted_proxies.size(), 2U);
}

TEST(Config, AnEmptyVariableUnsetsAPathOfTheFile) {
  const TempFile file{"jwt-hs256-secret-file = \"a\"\n"};
  const auto config = load_config(
      {.environment = {{"USER_MANAGER_JWT_HS256_SECRET_FILE", ""}}, .config_file = file.path()});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->jwt_hs256_secret_file, std::nullopt);
}

TEST(Config, ABadValueIsNamedWithItsSourceAndWhatIsAllowed) {
  EXPECT_EQ(
      refusal({.flags = {{"threads", "0"}}}),
      "threads (flag --threads): \"0\" is not allowed; allowed: a whole number from 1 to 1024");
  EXPECT_EQ(
      refusal({.environment = {{"USER_MANAGER_PASSWORD_COST", "15"}}}),
      "password-cost (environment USER_MANAGER_PASSWORD_COST): \"15\" is not allowed; allowed: a "
      "whole number from 4 to 14");
  EXPECT_EQ(
      refusal({.flags = {{"staleness-bound", "224ms"}}}),
      "staleness-bound (flag --staleness-bound): \"224ms\" is not allowed; allowed: a duration "
      "from 225ms to 1min in ms, s, min, h or d, such as 500ms");
  const TempFile file{"\nconsistency = \"eventual\"\n"};
  EXPECT_EQ(refusal({.config_file = file.path()}),
            "consistency (" + file.path() +
                ":2): \"eventual\" is not allowed; allowed: strict or bounded");
}

TEST(Config, ValuesOutOfTheirBoundsAreRefused) {
  const std::vector<std::pair<std::string, std::string>> bad{
      {"threads", "1025"},
      {"threads", "-1"},
      {"threads", "2 "},
      {"threads", ""},
      {"cache-capacity", "1023KiB"},
      {"cache-capacity", "256"},
      {"cache-capacity", "17TiB"},
      {"cache-ttl", "0s"},
      {"cache-ttl", "1500ms"},
      {"cache-ttl", "300"},
      {"staleness-bound", "61s"},
      {"stale-if-error", "-1"},
      {"shutdown-delay", "61s"},
      {"password-cost", "3"},
      {"token-ttl", "366d"},
      {"issuer", ""},
      {"issuer", "a\nb"},
      {"issuer", std::string(201, 'a')},
      {"trusted-proxies", "10.0.0.1/8"},
      {"trusted-proxies", "::1,"},
      {"trusted-proxies", ",::1"},
      {"listen", "8080"},
      {"listen", ":8080"},
      {"listen", "127.0.0.1"},
      {"listen", "127.0.0.1:65536"},
      {"listen", "::1:80"},
      {"listen", "example.org:80"},
      {"listen", "[127.0.0.1]:80"},
      {"database", "users.db"},
      {"database", "sqlite:"},
      {"database", "sqlite::memory:"},
      {"database", "sqlite://host/x"},
      {"database", "mysql://h/d"},
      {"redis", "http://h"},
      {"max-connections", "10,000"},
      {"log-level", "INFO"},
      {"access", ""},
  };
  for (const auto& [name, value] : bad) {
    EXPECT_THAT(refusal({.flags = {{name, value}}}), HasSubstr("is not allowed; allowed: "))
        << name << " = " << value;
  }
}

TEST(Config, AHostileValueStaysOnOneLineAndIsCut) {
  const auto line =
      refusal({.flags = {{"access", "x\nuser-manager: ready\x1b[2J" + std::string(5000, 'a')}}});
  EXPECT_THAT(line, HasSubstr("x\\nuser-manager: ready\\u001b[2J"));
  EXPECT_LT(line.size(), 300U);
}

TEST(Config, UnknownNamesAreRefusedEverywhere) {
  EXPECT_EQ(
      refusal({.environment = {{"USER_MANAGER_CACHETTL", "1min"}}}),
      "USER_MANAGER_CACHETTL (environment): unknown setting; did you mean USER_MANAGER_CACHE_TTL?; "
      "`user-manager config` lists them");
  EXPECT_THAT(refusal({.flags = {{"nonsense", "1"}}}), HasSubstr("--nonsense: unknown setting"));
  const TempFile file{"threads = 2\ncache_ttl = \"1min\"\n"};
  EXPECT_EQ(refusal({.config_file = file.path()}),
            "cache_ttl (" + file.path() +
                ":2): unknown setting; did you mean cache-ttl?; `user-manager config` lists them");
}

TEST(Config, VariablesOfOthersAreNotLookedAt) {
  EXPECT_TRUE(load_config({.environment = {{"PATH", "/bin"}, {"USER_MANAGERX", "1"}}}));
}

TEST(Config, AFileThatIsNoTomlIsNamedWithItsLine) {
  const TempFile file{"threads = 2\nthreads =\n"};
  EXPECT_THAT(refusal({.config_file = file.path()}), HasSubstr(file.path() + ":2: "));
  const TempFile twice{"threads = 2\nthreads = 3\n"};
  EXPECT_THAT(refusal({.config_file = twice.path()}), HasSubstr(twice.path() + ":2: "));
}

TEST(Config, AFileWithSectionsOrOtherTypesIsRefused) {
  const TempFile section{"[cache]\nttl = 3\n"};
  EXPECT_THAT(refusal({.config_file = section.path()}), HasSubstr("there are no sections"));
  for (const char* text : {"threads = 2.0\n", "threads = true\n", "trusted-proxies = [1]\n",
                           "trusted-proxies = [\"::1,::2\"]\n", "cache-ttl = 07:32:00\n"}) {
    const TempFile file{text};
    EXPECT_THAT(refusal({.config_file = file.path()}), HasSubstr("not a string, a whole number"))
        << text;
  }
}

TEST(Config, AFileThatCannotBeReadIsNamed) {
  EXPECT_THAT(refusal({.config_file = "/nonexistent/um.toml"}),
              HasSubstr("config: cannot read /nonexistent/um.toml: No such file"));
  EXPECT_THAT(refusal({.config_file = testing::TempDir()}), HasSubstr("config: cannot read"));
  EXPECT_THAT(refusal({.config_file = ""}), HasSubstr("config: cannot read"));
  const TempFile large{std::string((1U << 20U) + 1, '#')};
  EXPECT_THAT(refusal({.config_file = large.path()}), HasSubstr("over 1 MiB"));
}

TEST(Config, ContradictionsAreRefused) {
  EXPECT_EQ(refusal({.flags = {{"tls-cert", "a.pem"}}}),
            "tls-cert (flag --tls-cert): needs tls-key as well; allowed: both or neither");
  EXPECT_EQ(refusal({.flags = {{"tls-key", "a.pem"}}}),
            "tls-key (flag --tls-key): needs tls-cert as well; allowed: both or neither");
  EXPECT_THAT(refusal({.flags = {{"redis", "redis://h"}}}),
              HasSubstr("redis (flag --redis): needs PostgreSQL"));
  EXPECT_EQ(refusal({.flags = {{"database", "postgresql://u:hush@h/d"},
                               {"consistency", "strict"},
                               {"staleness-bound", "2s"}}}),
            "staleness-bound (flag --staleness-bound): 2s is too long for consistency (flag "
            "--consistency) = strict; allowed: at most 1s, or bounded");
  EXPECT_EQ(refusal({.flags = {{"cache-ttl", "14min"}}}),
            "cache-ttl (flag --cache-ttl): 14min with 10 % jitter is not below change-retention "
            "(default) = 15min; allowed: a shorter cache-ttl or a longer change-retention");
}

TEST(Config, WithPostgresqlWritesAreStrictUnlessTheyAreToBeBounded) {
  const auto config = load_config({.flags = {{"database", "postgresql://h/d"}}});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->consistency, Consistency::strict);
  EXPECT_TRUE(load_config({.flags = {{"database", "postgresql://h/d"},
                                     {"redis", "redis://h"},
                                     {"consistency", "bounded"},
                                     {"staleness-bound", "2s"}}}));
}

TEST(Config, PasswordsOfUrlsAreInNoMessage) {
  for (const ConfigInput& input :
       {ConfigInput{.flags = {{"database", "postgresql://u:hush@h/d"}, {"consistency", "x"}}},
        ConfigInput{.flags = {{"database", "mysql://u:hush@h/d"}}},
        ConfigInput{.environment = {{"USER_MANAGER_REDIS", "http://u:hush@h/d"}}},
        ConfigInput{.flags = {{"redis", "redis://:hush@h/d"}}}}) {
    EXPECT_EQ(refusal(input).find("hush"), std::string::npos) << refusal(input);
  }
  const auto table = make_setting_table();
  Config config;
  for (const Setting& setting : table) {
    if (setting.name == "redis") {
      EXPECT_TRUE(setting.assign(config, "rediss://:hush@h/0"));
    }
    if (setting.name == "database") {
      EXPECT_TRUE(setting.assign(config, "postgresql://u:hush@h/d"));
    }
    EXPECT_EQ(setting.show(config).find("hush"), std::string::npos);
  }
  EXPECT_EQ(config.redis->reveal(), "rediss://:hush@h/0");
  EXPECT_EQ(config.database.masked(), "postgresql://u:***@h/d");
}

TEST(Config, TheTableOfTheDocumentationIsValidMarkdown) {
  std::istringstream table{settings_markdown()};
  for (std::string line; std::getline(table, line);) {
    std::size_t bars = 0;
    for (std::size_t i = 0; i < line.size(); ++i)
      bars += line[i] == '|' && (i == 0 || line[i - 1] != '\\') ? 1U : 0U;
    EXPECT_EQ(bars, 5U) << line;
  }
}

TEST(Config, TheReadmeShowsTheTable) {
  std::ostringstream readme;
  readme << std::ifstream{UM_SOURCE_DIR "/README.md"}.rdbuf();
  ASSERT_NE(readme.str(), "");
  std::istringstream table{settings_markdown()};
  for (std::string line; std::getline(table, line);)
    EXPECT_THAT(readme.str(), HasSubstr(line + "\n"));
}

TEST(Config, TheTableOfTheDocumentationHasEverySetting) {
  const std::string table = settings_markdown();
  EXPECT_THAT(table, HasSubstr("| `cache-capacity` | 256MiB | "));
  EXPECT_THAT(table, HasSubstr("| `threads` | number of cores | "));
  EXPECT_EQ(std::ranges::count(table, '\n'),
            static_cast<std::ptrdiff_t>(make_setting_table().size() + 2));
}

}  // namespace
}  // namespace um

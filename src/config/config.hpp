// Config: every setting of the program, with its type, checked.
//
// A setting is a flag (--cache-ttl), an environment variable (USER_MANAGER_CACHE_TTL) and a key of
// the TOML file named by --config or USER_MANAGER_CONFIG (cache-ttl), in this order of precedence;
// then comes its default. The one table of them is setting_table.cpp; flags, variables, keys, help
// texts and the documentation are made from it.
//
// Config is a value: loaded once at start, then read by everyone. Thread safety: as any value.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/database_times.hpp"
#include "base/error.hpp"
#include "base/ip_network.hpp"
#include "base/log_options.hpp"
#include "base/secret.hpp"

namespace um {

enum class AccessPolicy { private_access, public_access };
enum class RegistrationPolicy { open, admin };

struct ListenAddress {
  std::string address = "127.0.0.1";  // numeric IPv4 or IPv6, without brackets
  std::uint16_t port = 8080;          // 0: any free one
  std::string text() const;           // "127.0.0.1:8080", "[::1]:8080"
};

struct DatabaseUrl {
  enum class Kind { sqlite, postgresql };
  Kind kind = Kind::sqlite;
  std::string path = "data/users.db";  // sqlite: relative to the working directory
  Secret url{};                        // postgresql: as given, with its password
  std::string masked() const;  // for people: "sqlite:data/users.db", "postgresql://u:***@h/d"
};

enum class ConfigSource { defaults, file, environment, flag };
std::string_view to_string(ConfigSource source);

// One setting as `user-manager config` shows it.
struct EffectiveSetting {
  std::string_view name;
  std::string value;  // in the form it is written in; passwords masked
  ConfigSource source = ConfigSource::defaults;
  std::string origin{};  // "flag --threads", "environment USER_MANAGER_THREADS", "um.toml:3"
};

struct Config {
  ListenAddress listen{};
  DatabaseUrl database{};
  std::optional<Secret> redis{};  // redis:// or rediss:// URL

  std::size_t threads = 1;  // event loops; the default is the number of cores
  std::uint64_t cache_capacity_bytes = 256ULL * 1024 * 1024;
  std::chrono::seconds cache_ttl{300};
  Consistency consistency = Consistency::strict;
  std::chrono::milliseconds staleness_bound{500};
  std::chrono::seconds stale_if_error{0};
  AccessPolicy access = AccessPolicy::private_access;
  RegistrationPolicy registration = RegistrationPolicy::open;
  std::chrono::seconds token_ttl{std::chrono::hours{24}};
  int password_cost = 10;
  std::optional<std::string> tls_cert{};  // paths of PEM files; both or none
  std::optional<std::string> tls_key{};
  std::optional<std::string> jwt_hs256_secret_file{};
  std::string issuer = "user-manager";
  std::vector<IpNetwork> trusted_proxies{};
  std::size_t database_connections = 4;  // per event loop
  std::chrono::milliseconds database_timeout{2000};
  std::chrono::milliseconds redis_timeout{50};
  std::size_t max_connections = 10'000;
  std::chrono::seconds shutdown_delay{0};
  std::chrono::seconds change_retention{std::chrono::minutes{15}};
  LogFormat log_format = LogFormat::text;
  LogLevel log_level = LogLevel::info;

  // In the order of the table. Empty in a Config that was not made by load_config().
  std::vector<EffectiveSetting> effective{};
};

// Where settings come from; the caller collects them so that tests can.
struct ConfigInput {
  std::map<std::string, std::string> flags{};        // by setting name: "cache-ttl" -> "5min"
  std::map<std::string, std::string> environment{};  // the whole environment
  std::optional<std::string> config_file{};          // --config; else USER_MANAGER_CONFIG
};

// The effective settings. ErrorCode::invalid with a `detail` of one line that names the setting,
// where it was set and what is allowed: unknown key in the file or unknown USER_MANAGER_ variable,
// unreadable file, bad value, contradiction between settings.
Result<Config> load_config(const ConfigInput& input);

// This process's environment as a map. Not to be called while another thread changes it.
std::map<std::string, std::string> process_environment();

}  // namespace um

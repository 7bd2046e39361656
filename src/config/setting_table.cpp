// The one table of settings. Defaults are the initialisers of Config.
#include <array>
#include <chrono>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/database_times.hpp"
#include "config/setting_kinds.hpp"

namespace um {
namespace {

using namespace setting_kinds;
using namespace std::chrono_literals;

constexpr std::uint64_t kMiB = 1ULL << 20U;
constexpr std::uint64_t kTiB = 1ULL << 40U;
constexpr std::chrono::milliseconds kDay = 24h;

constexpr std::array<std::pair<std::string_view, Consistency>, 2> kConsistency{
    {{"strict", Consistency::strict}, {"bounded", Consistency::bounded}}};
constexpr std::array<std::pair<std::string_view, AccessPolicy>, 2> kAccess{
    {{"private", AccessPolicy::private_access}, {"public", AccessPolicy::public_access}}};
constexpr std::array<std::pair<std::string_view, RegistrationPolicy>, 2> kRegistration{
    {{"open", RegistrationPolicy::open}, {"admin", RegistrationPolicy::admin}}};
constexpr std::array<std::pair<std::string_view, LogFormat>, 2> kLogFormat{
    {{"text", LogFormat::text}, {"json", LogFormat::json}}};
constexpr std::array<std::pair<std::string_view, LogLevel>, 4> kLogLevel{
    {{"debug", LogLevel::debug},
     {"info", LogLevel::info},
     {"warn", LogLevel::warn},
     {"error", LogLevel::error}}};

}  // namespace

std::vector<Setting> make_setting_table() {
  static const std::string kDatabaseTimeout =
      fmt::format("deadline of one call; look-ups have at most {}", format_duration(kLookUpTime));
  std::vector<Setting> table{
      listen_address({"listen", "where HTTP requests are taken"}),
      database_url({"database", "where the users are kept"}),
      redis_url({"redis", "cache shared by instances; needs PostgreSQL"}),
      number({"threads", "event loops"}, &Config::threads, {1, 1024}),
      bytes({"cache-capacity", "bound of the cache in memory"}, &Config::cache_capacity_bytes,
            {kMiB, 16 * kTiB}),
      duration({"cache-ttl", "lifetime of an entry in Redis, with 10 % jitter"}, &Config::cache_ttl,
               {1s, kDay}),
      choice({"consistency",
              "strict: reads and writes are linearizable; bounded: other instances follow within "
              "staleness-bound; the same on every instance"},
             &Config::consistency, kConsistency),
      duration({"staleness-bound", "T: no answer is older than this; the same on every instance"},
               &Config::staleness_bound, {3 * kPollInterval, 60s}),
      duration({"stale-if-error", "how old an answer may be while the database is away"},
               &Config::stale_if_error, {0s, kDay}, {.plain_seconds = true}),
      choice({"access",
              "public: reading, listing and searching users needs no token (one that is sent must "
              "be valid)"},
             &Config::access, kAccess),
      choice({"registration", "admin: only an administrator creates users"}, &Config::registration,
             kRegistration),
      duration({"token-ttl", "lifetime of the token a sign-in gives"}, &Config::token_ttl,
               {60s, 365 * kDay}),
      number({"password-cost", "bcrypt cost; each step doubles the time, 10 takes about 50 ms"},
             &Config::password_cost, {4, 14}),
      optional_path({"tls-cert", "PEM certificate chain; HTTPS when given with tls-key"},
                    &Config::tls_cert),
      optional_path({"tls-key", "PEM private key of tls-cert"}, &Config::tls_key),
      optional_path({"jwt-hs256-secret-file",
                     "sign with HS256 and the secret in this file (at least "
                     "32 bytes) instead of Ed25519"},
                    &Config::jwt_hs256_secret_file),
      issuer({"issuer", "`iss` of the tokens"}),
      networks({"trusted-proxies", "proxies trusted to write X-Forwarded-For"},
               &Config::trusted_proxies),
      number({"database-connections",
              "PostgreSQL: per event loop; scans have their own. SQLite has threads instead"},
             &Config::database_connections, {1, 100}),
      duration({"database-timeout", kDatabaseTimeout}, &Config::database_timeout, {10ms, 300s}),
      duration({"redis-timeout", "the most that Redis may add to a request"},
               &Config::redis_timeout, {1ms, 10s}),
      number({"max-connections", "HTTP connections at the same time"}, &Config::max_connections,
             {1, 1'000'000}),
      duration(
          {"shutdown-delay",
           "how long SIGTERM leaves the server answering, not ready any more, before it stops"},
          &Config::shutdown_delay, {0s, 60s}, {.plain_seconds = true}),
      duration({"change-retention", "how long changes and marks are kept; longer than cache-ttl"},
               &Config::change_retention, {60s, 7 * kDay}),
      choice({"log-format", "json: one object a line"}, &Config::log_format, kLogFormat),
      choice({"log-level", "the least important messages that are written"}, &Config::log_level,
             kLogLevel),
  };
  const Config defaults;
  for (Setting& setting : table) {
    setting.default_text = setting.show(defaults);
    if (setting.name == "threads") setting.default_text = "number of cores";
    if (setting.default_text.empty()) setting.default_text = "none";
  }
  return table;
}

std::string Setting::flag() const {
  return "--" + std::string{name};
}

std::string Setting::variable() const {
  std::string out{kVariablePrefix};
  for (const char c : name)
    out += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  return out;
}

// A bar would begin the next cell.
static std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string settings_markdown() {
  std::string out = "| setting | default | meaning | allowed |\n|---|---|---|---|\n";
  for (const Setting& setting : make_setting_table()) {
    out += fmt::format("| `{}` | {} | {} | {} |\n", setting.name, cell(setting.default_text),
                       cell(setting.help), cell(setting.allowed));
  }
  return out;
}

}  // namespace um

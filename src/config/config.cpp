#include "config/config.hpp"

#include <algorithm>
#include <numeric>
#include <span>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

#include "base/database_times.hpp"
#include "base/printable.hpp"
#include "config/config_file.hpp"
#include "config/setting.hpp"
#include "config/units.hpp"
#include "config/url_mask.hpp"

namespace um {
namespace {

using FileValues = std::map<std::string, FileValue>;

std::unexpected<Error> bad(std::string line) {
  return fail(ErrorCode::invalid, std::move(line));
}

// Where the value of one setting comes from.
struct Found {
  std::string text;
  ConfigSource source;
  std::string origin;
};

std::optional<Found> find_value(const Setting& setting, const ConfigInput& input,
                                const FileValues& file) {
  if (const auto it = input.flags.find(std::string{setting.name}); it != input.flags.end()) {
    return Found{it->second, ConfigSource::flag, "flag " + setting.flag()};
  }
  const std::string variable = setting.variable();
  if (const auto it = input.environment.find(variable); it != input.environment.end()) {
    return Found{it->second, ConfigSource::environment, "environment " + variable};
  }
  if (const auto it = file.find(std::string{setting.name}); it != file.end()) {
    return Found{it->second.text, ConfigSource::file, it->second.origin};
  }
  return std::nullopt;
}

std::unexpected<Error> refused(const Setting& setting, const Found& found) {
  const std::string value = setting.secret
                                ? "this value"
                                : fmt::format("\"{}\"", printable(found.text, {.max_bytes = 100}));
  return bad(fmt::format("{} ({}): {} is not allowed; allowed: {}", setting.name, found.origin,
                         value, setting.allowed));
}

constexpr std::size_t kMaxEdits = 2;
constexpr std::size_t kMaxLength = 64;  // longer names are not typing errors

// Levenshtein's distance, one row at a time.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

// "; did you mean cache-ttl?" if a known name is at most two edits away, else empty.
std::string suggestion(std::string_view name, std::span<const std::string> known) {
  if (name.size() > kMaxLength) return {};
  const std::string* best = nullptr;
  std::size_t best_distance = kMaxEdits + 1;
  for (const std::string& candidate : known) {
    const std::size_t edits = distance(name, candidate);
    if (edits < best_distance) {
      best = &candidate;
      best_distance = edits;
    }
  }
  return best == nullptr ? std::string{} : "; did you mean " + *best + "?";
}

Result<void> check_names(const std::vector<Setting>& table, const ConfigInput& input,
                         const FileValues& file) {
  std::vector<std::string> names;
  std::vector<std::string> variables{std::string{kConfigFileVariable}};
  for (const Setting& setting : table) {
    names.emplace_back(setting.name);
    variables.push_back(setting.variable());
  }
  for (const auto& [name, value] : input.flags) {
    if (std::ranges::find(names, name) == names.end()) {
      return bad(fmt::format("--{}: unknown setting{}", printable(name), suggestion(name, names)));
    }
  }
  for (const auto& [name, value] : input.environment) {
    if (name.starts_with(kVariablePrefix) &&
        std::ranges::find(variables, name) == variables.end()) {
      return bad(
          fmt::format("{} (environment): unknown setting{}; `user-manager config` lists them",
                      printable(name), suggestion(name, variables)));
    }
  }
  for (const auto& [name, value] : file) {
    if (std::ranges::find(names, name) == names.end()) {
      return bad(fmt::format("{} ({}): unknown setting{}; `user-manager config` lists them",
                             printable(name), value.origin, suggestion(name, names)));
    }
  }
  return {};
}

Result<FileValues> read_file(const ConfigInput& input) {
  if (input.config_file) return read_config_file(*input.config_file);
  const auto it = input.environment.find(std::string{kConfigFileVariable});
  if (it != input.environment.end()) return read_config_file(it->second);
  return FileValues{};
}

std::size_t number_of_cores() {
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 1024);
}

// "cache-ttl (um.toml:3)".
std::string named(const Config& config, std::string_view name) {
  const auto it = std::ranges::find(config.effective, name, &EffectiveSetting::name);
  return fmt::format("{} ({})", name, it == config.effective.end() ? "default" : it->origin);
}

bool is_given(const Config& config, std::string_view name) {
  const auto it = std::ranges::find(config.effective, name, &EffectiveSetting::name);
  return it != config.effective.end() && it->source != ConfigSource::defaults;
}

// Contradictions between settings, which no check of a single setting can find.
Result<void> check_config(const Config& config) {
  if (config.redis && config.database.kind == DatabaseUrl::Kind::sqlite) {
    return bad(named(config, "redis") +
               ": needs PostgreSQL; with SQLite there is one instance and its "
               "memory is the cache; allowed: no redis, or a postgresql:// database");
  }
  // A strict write may have to wait for as long as staleness-bound, and that has to fit into a
  // request.
  if (config.database.kind == DatabaseUrl::Kind::postgresql &&
      config.consistency == Consistency::strict && is_given(config, "consistency") &&
      config.staleness_bound > kLongestStrictBound) {
    return bad(fmt::format("{}: {} is too long for {} = strict; allowed: at most {}, or bounded",
                           named(config, "staleness-bound"),
                           format_duration(config.staleness_bound), named(config, "consistency"),
                           format_duration(kLongestStrictBound)));
  }
  if (config.tls_cert.has_value() != config.tls_key.has_value()) {
    return bad(fmt::format("{}: needs {} as well; allowed: both or neither",
                           named(config, config.tls_cert ? "tls-cert" : "tls-key"),
                           config.tls_cert ? "tls-key" : "tls-cert"));
  }
  // The jitter lengthens the lifetime of an entry by up to a tenth.
  if (config.cache_ttl * 11 >= config.change_retention * 10) {
    return bad(
        fmt::format("{}: {} with 10 % jitter is not below {} = {}; allowed: a shorter cache-ttl or "
                    "a longer change-retention",
                    named(config, "cache-ttl"), format_duration(config.cache_ttl),
                    named(config, "change-retention"), format_duration(config.change_retention)));
  }
  return {};
}

}  // namespace

Result<Config> load_config(const ConfigInput& input) {
  const auto file = read_file(input);
  if (!file) return fail(file.error());
  const auto table = make_setting_table();
  if (const auto known = check_names(table, input, *file); !known) return fail(known.error());

  Config config;
  config.threads = number_of_cores();
  for (const Setting& setting : table) {
    const auto found = find_value(setting, input, *file);
    if (found && !setting.assign(config, found->text)) return refused(setting, *found);
    config.effective.push_back(
        {.name = setting.name,
         .value = setting.show(config),
         .source = found ? found->source : ConfigSource::defaults,
         .origin = found ? found->origin : std::string{to_string(ConfigSource::defaults)}});
  }
  if (const auto sound = check_config(config); !sound) return fail(sound.error());
  return config;
}

std::map<std::string, std::string> process_environment() {
  std::map<std::string, std::string> out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view line{*entry};
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    out.emplace(line.substr(0, equals), line.substr(equals + 1));
  }
  return out;
}

std::string_view to_string(ConfigSource source) {
  switch (source) {
    case ConfigSource::defaults:
      return "default";
    case ConfigSource::file:
      return "file";
    case ConfigSource::environment:
      return "environment";
    case ConfigSource::flag:
      return "flag";
  }
  return "default";
}

std::string ListenAddress::text() const {
  const bool v6 = address.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", address, v6 ? "]" : "", port);
}

std::string DatabaseUrl::masked() const {
  return kind == Kind::sqlite ? "sqlite:" + path : mask_url(url.reveal());
}

}  // namespace um

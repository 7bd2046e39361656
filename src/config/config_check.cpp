#include "config/config_check.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "config/units.hpp"

namespace um {
namespace {

// "cache-ttl (um.toml:3)".
std::string named(const Config& config, std::string_view name) {
  const auto it = std::ranges::find(config.effective, name, &EffectiveSetting::name);
  return fmt::format("{} ({})", name, it == config.effective.end() ? "default" : it->origin);
}

bool is_given(const Config& config, std::string_view name) {
  const auto it = std::ranges::find(config.effective, name, &EffectiveSetting::name);
  return it != config.effective.end() && it->source != ConfigSource::defaults;
}

std::unexpected<Error> bad_combination(std::string line) {
  return fail(ErrorCode::invalid, std::move(line));
}

}  // namespace

Result<void> check_config(const Config& config) {
  if (config.redis && config.database.kind == DatabaseUrl::Kind::sqlite) {
    return bad_combination(named(config, "redis") +
               ": needs PostgreSQL; with SQLite there is one instance and its "
               "memory is the cache; allowed: no redis, or a postgresql:// database");
  }
  if (config.database.kind == DatabaseUrl::Kind::postgresql &&
      config.consistency == Consistency::strict && is_given(config, "consistency")) {
    return bad_combination(named(config, "consistency") +
               ": strict is not available with PostgreSQL; allowed: bounded");
  }
  if (config.tls_cert.has_value() != config.tls_key.has_value()) {
    return bad_combination(fmt::format("{}: needs {} as well; allowed: both or neither",
                           named(config, config.tls_cert ? "tls-cert" : "tls-key"),
                           config.tls_cert ? "tls-key" : "tls-cert"));
  }
  // The jitter lengthens the lifetime of an entry by up to a tenth.
  if (config.cache_ttl * 11 >= config.change_retention * 10) {
    return bad_combination(
        fmt::format("{}: {} with 10 % jitter is not below {} = {}; allowed: a shorter cache-ttl or "
                    "a longer change-retention",
                    named(config, "cache-ttl"), format_duration(config.cache_ttl),
                    named(config, "change-retention"), format_duration(config.change_retention)));
  }
  return {};
}

}  // namespace um

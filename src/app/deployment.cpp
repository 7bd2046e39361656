#include "app/deployment.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/database_times.hpp"
#include "storage/postgres/migrator.hpp"

namespace um {
namespace {

using std::chrono::duration_cast;

// What a strict write needs besides its wait.
constexpr CacheTimes::ms kStrictMargin{200};

// Where the setting was given; nullptr: it was not.
const EffectiveSetting* given(const Config& config, std::string_view name) {
  const auto it = std::ranges::find(config.effective, name, &EffectiveSetting::name);
  const bool found = it != config.effective.end() && it->source != ConfigSource::defaults;
  return found ? &*it : nullptr;
}

std::string milliseconds(CacheTimes::ms time) {
  return std::to_string(time.count()) + " ms";
}

// `here` and `stored`: as people read them.
Result<void> agree(const EffectiveSetting* setting, std::string_view here,
                   std::string_view stored) {
  if (setting == nullptr || here == stored) return {};
  return fail(ErrorCode::invalid,
              fmt::format("{} ({}): {}, but this database's instances use {}; leave it out, or "
                          "change it for all of them with `user-manager migrate` while none runs",
                          setting->name, setting->origin, here, stored));
}

Result<void> agree(const EffectiveSetting* setting, CacheTimes::ms here, CacheTimes::ms stored) {
  return agree(setting, milliseconds(here), milliseconds(stored));
}

CacheTimes::ms retention_of(const Config& config) {
  return duration_cast<CacheTimes::ms>(config.change_retention);
}

Result<void> agree(const Config& config, const CacheTimes& stored) {
  const auto mode =
      agree(given(config, "consistency"), to_string(config.consistency), to_string(stored.mode));
  if (!mode) return mode;
  const auto bound =
      agree(given(config, "staleness-bound"), config.staleness_bound, stored.staleness_bound);
  if (!bound) return bound;
  const auto retention =
      agree(given(config, "change-retention"), retention_of(config), stored.change_retention);
  if (!retention) return retention;
  const CacheTimes ours;
  if (stored.instance_lease != ours.instance_lease || stored.instance_reap != ours.instance_reap)
    return fail(ErrorCode::invalid,
                "this database's instances use other times for the registry of instances (" +
                    milliseconds(stored.instance_lease) + ", " +
                    milliseconds(stored.instance_reap) + ") than this version does");
  if (stored.staleness_bound < 3 * kPollInterval)
    return fail(ErrorCode::invalid, "the staleness bound of this database, " +
                                        milliseconds(stored.staleness_bound) +
                                        ", is less than three polls");
  if (stored.mode == Consistency::strict &&
      config.database_timeout < stored.staleness_bound + kStrictMargin)
    return fail(
        ErrorCode::invalid,
        fmt::format("database-timeout: {} is too short: a strict write may wait for the "
                    "staleness bound of this database, {}; allowed: at least {}",
                    milliseconds(config.database_timeout), milliseconds(stored.staleness_bound),
                    milliseconds(stored.staleness_bound + kStrictMargin)));
  return {};
}

Result<void> migrate_now(const Config& config) {
  const PostgresMigrator migrator{{.url = config.database.url, .times = times_to_store(config)}};
  const auto done = migrator.apply(Misfits::refuse);
  if (!done) return fail(done.error());
  return {};
}

}  // namespace

std::optional<CacheTimes> times_to_store(const Config& config) {
  const bool mode = given(config, "consistency") != nullptr;
  const bool bound = given(config, "staleness-bound") != nullptr;
  const bool retention = given(config, "change-retention") != nullptr;
  if (!mode && !bound && !retention) return std::nullopt;
  CacheTimes times = read_cache_times(config.database.url).value_or(CacheTimes{});
  if (mode) times.mode = config.consistency;
  if (bound) times.staleness_bound = config.staleness_bound;
  if (retention) times.change_retention = retention_of(config);
  return times;
}

Result<Deployment> join_deployment(const Config& config, MigrateFirst migrate) {
  Deployment deployment{.config = config};
  if (config.database.kind != DatabaseUrl::Kind::postgresql) return deployment;
  const auto url = check_postgres_url(config.database.url);
  if (!url) return fail(url.error());
  if (migrate == MigrateFirst::yes) {
    const auto migrated = migrate_now(config);
    if (!migrated) return fail(migrated.error());
  }
  auto stored = read_deployment(config.database.url);
  if (!stored && stored.error().code == ErrorCode::invalid)
    return fail(ErrorCode::invalid,
                stored.error().detail + "; run `user-manager migrate` or `serve --migrate`");
  if (!stored) return fail(stored.error());
  const auto agreed = agree(config, stored->times);
  if (!agreed) return fail(agreed.error());
  deployment.config.consistency = stored->times.mode;
  deployment.config.staleness_bound = stored->times.staleness_bound;
  deployment.config.change_retention =
      duration_cast<std::chrono::seconds>(stored->times.change_retention);
  deployment.deployment_key = std::move(stored->deployment_key);
  return deployment;
}

}  // namespace um

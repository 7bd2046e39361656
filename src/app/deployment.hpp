// Deployment: what an instance has to agree on with the others on its database before it serves.
// With SQLite there are no others.
#pragma once

#include <optional>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "config/config.hpp"
#include "storage/cache_times.hpp"

namespace um {

struct Deployment {
  // As given, with the times of the deployment where it says nothing of them.
  Config config;
  // PostgreSQL: what facts in Redis are sealed with.
  std::optional<Secret> fact_key{};
};

enum class MigrateFirst { no, yes };

// Blocks. invalid: the configuration says something else than the deployment, or the schema is not
// this program's; conflict, unavailable: see storage/postgres/migrator.hpp.
Result<Deployment> join_deployment(const Config& config, MigrateFirst migrate);

// The times that `migrate` stores: those that were configured, on top of what is stored. nullopt:
// none was. Blocks.
std::optional<CacheTimes> times_to_store(const Config& config);

}  // namespace um

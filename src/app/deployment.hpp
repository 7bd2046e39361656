// Deployment: the settings that all instances on one database have in common. An instance compares
// its own with them before it serves. With SQLite there is one instance.
#pragma once

#include <optional>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "config/config.hpp"
#include "storage/change_feed.hpp"

namespace um {

struct Deployment {
  // As given; the times of the deployment replace defaults.
  Config config;
  // PostgreSQL: see Application::Surroundings::deployment_key.
  std::optional<Secret> deployment_key{};
};

enum class MigrateFirst { no, yes };

// Blocks. invalid: the configuration contradicts the deployment, or the schema is not this
// program's; conflict, unavailable: see storage/postgres/migrator.hpp.
Result<Deployment> join_deployment(const Config& config, MigrateFirst migrate);

// The times that `migrate` stores: the configured ones, and the stored ones for the rest. nullopt
// if none was configured. Blocks.
std::optional<CacheTimes> times_to_store(const Config& config);

}  // namespace um

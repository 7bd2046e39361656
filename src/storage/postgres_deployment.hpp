// What every instance on one PostgreSQL database has in common: the times of the protocol and the
// key that facts outside of the database are sealed with. Kept in cache_settings; `migrate` writes
// the times, the key is made with the table.
//
// Blocks; for start-up and the command line. Errors: invalid (the schema is not ours), unavailable.
#pragma once

#include "base/error.hpp"
#include "base/secret.hpp"
#include "storage/cache_times.hpp"

namespace um {

struct PostgresDeployment {
  CacheTimes times;
  Secret fact_key;  // 32 bytes
};
// Errors: invalid, without quoting it. Nothing is connected to.
Result<void> check_postgres_url(const Secret& url);
Result<PostgresDeployment> read_deployment(const Secret& url);

}  // namespace um

// What every instance on one PostgreSQL database has in common: the times of the protocol and the
// key that facts outside of the database are sealed with. Kept in cache_settings; `migrate` writes
// the times, the key is made with the table.
//
// For start-up and the command line. Thread safety: any thread.
#pragma once

#include "base/error.hpp"
#include "base/secret.hpp"
#include "storage/cache_times.hpp"

namespace um {

struct PostgresDeployment {
  CacheTimes times;
  Secret fact_key;  // 32 bytes
};

// Can `url` be used, as far as can be told without connecting? invalid, with what is wrong but
// without quoting the URL.
Result<void> check_postgres_url(const Secret& url);

// Blocks while it connects and reads. invalid: the URL, or a schema that is not ours. unavailable,
// timeout: the server cannot be asked. internal: it refused a statement.
Result<PostgresDeployment> read_deployment(const Secret& url);

}  // namespace um

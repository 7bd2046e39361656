#include "storage/postgres/deployment.hpp"

#include "drivers/pg/connection_info.hpp"
#include "storage/postgres/migrator.hpp"
#include "storage/postgres/session.hpp"

namespace um {

Result<void> check_postgres_url(const Secret& url) {
  const auto info = pg::ConnectionInfo::parse(url);
  if (!info) return fail(info.error());
  return {};
}

Result<PostgresDeployment> read_deployment(const Secret& url) {
  const auto times = read_cache_times(url);
  if (!times) return fail(times.error());
  try {
    PostgresSession session{{.url = url}};
    const auto rows = session.run("SELECT mac_key FROM public.cache_settings");
    if (rows.empty()) return fail(ErrorCode::invalid, "the table cache_settings is empty");
    return PostgresDeployment{.times = *times, .fact_key = Secret{rows.bytes(0, 0)}};
  } catch (const PostgresError& error) {
    return fail(pg::to_error(error.failure()));
  } catch (const std::invalid_argument& error) {
    return fail(ErrorCode::invalid, error.what());
  }
}

}  // namespace um

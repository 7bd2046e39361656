#include "app/open_storage.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <unistd.h>

#include <climits>

#include "base/database_times.hpp"
#include "storage/postgres/storage.hpp"
#include "storage/sqlite/storage.hpp"

namespace um {
namespace {

std::function<void(std::string_view)> warnings_to(Logger& log) {
  return [&log](std::string_view line) { log.warn("database", {{"what", line}}); };
}

// "host:8080", for people who look for a slow instance.
std::string name_of_instance(const Config& config) {
  std::array<char, HOST_NAME_MAX + 1> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  return std::string{host.data()} + ':' + std::to_string(config.listen.port);
}

Result<std::unique_ptr<Storage>> open_postgresql(const OpenStorage& request) {
  const Config& config = request.config;
  CacheTimes times{.mode = config.consistency,
                   .staleness_bound = config.staleness_bound,
                   .change_retention = config.change_retention};
  return open_postgres({.url = config.database.url,
                        .clock = &request.clock,
                        .loops = request.loops,
                        .look_up_connections = config.database_connections,
                        .write_connections = config.database_connections,
                        .look_up_timeout = std::min(kLookUpTime, config.database_timeout),
                        .statement_timeout = config.database_timeout,
                        .times = times,
                        .instance_name = name_of_instance(config),
                        .log = warnings_to(request.log)});
}

Result<std::unique_ptr<Storage>> open_file(const OpenStorage& request) {
  const Config& config = request.config;
  // A mistyped path must not become an empty database: only `serve` and `migrate` make one.
  if (request.use == StorageUse::tool) {
    const auto there = check_database_exists(config.database);
    if (!there) return std::unexpected(there.error());
  }
  const bool serves = request.use != StorageUse::tool;
  if (serves) make_default_directory(config.database);
  SqliteOptions options{.file = config.database.path,
                        .clock = &request.clock,
                        .exclusive_service = serves,
                        .migrate = serves};
  // A tool reports the errors of its calls itself, once.
  if (serves) options.log = warnings_to(request.log);
  return open_sqlite(std::move(options));
}

}  // namespace

Result<void> check_database_exists(const DatabaseUrl& database) {
  std::error_code ignored;
  if (std::filesystem::exists(database.path, ignored)) return {};
  return fail(ErrorCode::unavailable,
              "there is no database at " + database.path + "; `serve` and `migrate` make one");
}

void make_default_directory(const DatabaseUrl& database) {
  const std::filesystem::path file{database.path};
  std::error_code ignored;
  if (file == std::filesystem::path{DatabaseUrl{}.path})
    std::filesystem::create_directories(file.parent_path(), ignored);
}

Result<std::unique_ptr<Storage>> open_storage(const OpenStorage& request) {
  switch (request.config.database.kind) {
    case DatabaseUrl::Kind::sqlite:
      return open_file(request);
    case DatabaseUrl::Kind::postgresql:
      return open_postgresql(request);
  }
  std::abort();
}

}  // namespace um

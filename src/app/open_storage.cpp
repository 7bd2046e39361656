#include "app/open_storage.hpp"

#include <filesystem>

#include "storage/sqlite_storage.hpp"

namespace um {
Result<std::unique_ptr<Storage>> open_storage(const OpenStorage& request) {
  const Config& config = request.config;
  if (config.database.kind != DatabaseUrl::Kind::sqlite)
    return fail(ErrorCode::invalid, "database: this build knows sqlite: only");
  // A mistyped path must not become an empty database: only `serve` and `migrate` make one.
  std::error_code ignored;
  if (request.use == StorageUse::tool && !std::filesystem::exists(config.database.path, ignored))
    return fail(ErrorCode::unavailable, "there is no database at " + config.database.path +
                                            "; `serve` and `migrate` make one");
  SqliteOptions options{.file = config.database.path,
                        .clock = &request.clock,
                        .exclusive_service = request.use == StorageUse::serve,
                        .migrate = request.use == StorageUse::serve,
                        .poll_interval = kPollInterval};
  options.log = [&log = request.log](std::string_view line) {
    log.warn("database", {{"what", line}});
  };
  return open_sqlite(std::move(options));
}

}  // namespace um

#include "app/open_storage.hpp"

#include <filesystem>

#include "storage/sqlite_storage.hpp"

namespace um {
namespace {

// The directory of the default path is made; any other must be there, because a mistyped one should
// not become an empty database.
void make_default_directory(const std::filesystem::path& file) {
  std::error_code ignored;
  if (file == std::filesystem::path{DatabaseUrl{}.path})
    std::filesystem::create_directories(file.parent_path(), ignored);
}

}  // namespace

Result<std::unique_ptr<Storage>> open_storage(const OpenStorage& request) {
  const Config& config = request.config;
  if (config.database.kind != DatabaseUrl::Kind::sqlite)
    return fail(ErrorCode::invalid, "database: this build knows sqlite: only");
  // A mistyped path must not become an empty database: only `serve` and `migrate` make one.
  std::error_code ignored;
  if (request.use == StorageUse::tool && !std::filesystem::exists(config.database.path, ignored))
    return fail(ErrorCode::unavailable, "there is no database at " + config.database.path +
                                            "; `serve` and `migrate` make one");
  const bool serves = request.use != StorageUse::tool;
  if (serves) make_default_directory(config.database.path);
  SqliteOptions options{.file = config.database.path,
                        .clock = &request.clock,
                        .exclusive_service = serves,
                        .migrate = serves,
                        .poll_interval = kPollInterval};
  options.log = [&log = request.log](std::string_view line) {
    log.warn("database", {{"what", line}});
  };
  return open_sqlite(std::move(options));
}

}  // namespace um

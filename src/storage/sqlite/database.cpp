#include "storage/sqlite/database.hpp"

#include "storage/sqlite/queries.hpp"

namespace um {

namespace {

// Readers wait inside SQLite only while the write-ahead log is recovered or reset.
constexpr std::chrono::milliseconds kReaderBusyTimeout{100};

sqlite::Connection::Options reader(const SqliteOptions& options, sqlite::QueryStats& stats) {
  return {.file = options.file,
          .mode = sqlite::Connection::Mode::read_only,
          .busy_timeout = kReaderBusyTimeout,
          .vfs = options.vfs,
          .stats = &stats,
          .clock = options.clock};
}

sqlite::Connection::Options writer(const SqliteOptions& options, sqlite::QueryStats& stats) {
  return {.file = options.file,
          .mode = sqlite::Connection::Mode::read_write,
          .vfs = options.vfs,
          .stats = &stats};
}

}  // namespace

std::vector<const sqlite::Query*> SqliteDatabase::queries() {
  std::vector<const sqlite::Query*> all{sqlite_queries::kAll.begin(), sqlite_queries::kAll.end()};
  const auto of_the_writer = sqlite::Writer::queries();
  all.insert(all.end(), of_the_writer.begin(), of_the_writer.end());
  return all;
}

SqliteDatabase::SqliteDatabase(const SqliteOptions& options)
    : clock_{*options.clock},
      stats_{queries()},
      feed_{clock_},
      watch_{clock_},
      writer_{{.connection = writer(options, stats_),
               .queue_capacity = options.write_queue,
               .tick_interval = options.poll_interval,
               .clock = &clock_,
               .observer = &feed_,
               .on_deadline = [this](Deadline deadline) { watch_.on_deadline(deadline); },
               .log = options.log}},
      look_ups_{{.connection = reader(options, stats_),
                 .threads = options.look_up_threads,
                 .queue_capacity = options.look_up_queue,
                 .clock = &clock_,
                 .on_deadline = [this](Deadline deadline) { watch_.on_deadline(deadline); },
                 .files = &writer_.files()}},
      scans_{{.connection = reader(options, stats_),
              .threads = options.scan_threads,
              .queue_capacity = options.scan_queue,
              .clock = &clock_,
              .on_deadline = [this](Deadline deadline) { watch_.on_deadline(deadline); },
              .files = &writer_.files()}} {
  feed_.on_start([this] { writer_.tick_soon(); });
  watch_.watch(writer_.queue());
  watch_.watch(look_ups_.queue());
  watch_.watch(scans_.queue());
  watch_.start();
  writer_.start();
  look_ups_.start();
  scans_.start();
}

SqliteDatabase::~SqliteDatabase() {
  look_ups_.stop();
  scans_.stop();
  writer_.stop();  // last: when no other connection is open, it moves the log into the file
  watch_.stop();
}

StorageStats SqliteDatabase::stats() const {
  StorageStats stats{read_counters(counters_)};
  for (const auto& [query, counters] : stats_.all()) {
    stats.queries[std::string{query->name}] = report_of(counters);
  }
  const auto writes = writer_.stats();
  stats.commits = writes.commits;
  stats.writes = writes.writes;
  stats.write_queue = writer_.queue().size();
  stats.read_queue = look_ups_.queue().size() + scans_.queue().size();
  stats.refused =
      writer_.queue().refused() + look_ups_.queue().refused() + scans_.queue().refused();
  return stats;
}

}  // namespace um

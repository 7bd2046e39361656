#include "drivers/sqlite/reader_pool.hpp"

namespace um::sqlite {

ReaderPool::ReaderPool(Options options)
    : options_{std::move(options)},
      queue_{{.capacity = options_.queue_capacity,
              .clock = options_.clock,
              .on_deadline = options_.on_deadline}} {}

void ReaderPool::start() {
  for (std::size_t i = 0; i < options_.threads; ++i) threads_.emplace_back(&ReaderPool::loop, this);
}

void ReaderPool::stop() {
  queue_.close();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

void ReaderPool::loop() {
  std::unique_ptr<Connection> db;  // opened by the first job that needs it
  while (true) {
    queue_.wait(BootTime::max());
    const auto jobs = queue_.take(1);
    if (jobs.empty() && queue_.closed() && queue_.empty()) return;
    for (const auto& job : jobs) {
      execute(static_cast<ReadJob&>(*job), db);
      job->complete();
    }
  }
}

void ReaderPool::execute(ReadJob& job, std::unique_ptr<Connection>& db) const {
  try {
    const OpenFiles* files = options_.files;
    if (files != nullptr && files->moved()) OpenFiles::throw_moved(options_.connection.file);
    if (!db) {
      db = std::make_unique<Connection>(options_.connection);
      db->execute("PRAGMA query_only = ON; PRAGMA cache_size = -16384;");
      if (files != nullptr) files->check_other(*db);
    }
    db->limit(job.deadline());
    job.execute(*db);
  } catch (const SqliteError& error) {
    job.fail(to_error(error));
    if (error.fault() == Fault::io) db.reset();
  } catch (const std::exception& error) {
    job.fail({.code = ErrorCode::internal, .detail = error.what()});
  }
}

}  // namespace um::sqlite

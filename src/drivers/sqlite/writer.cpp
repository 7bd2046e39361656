#include "drivers/sqlite/writer.hpp"

#include <algorithm>

namespace um::sqlite {

namespace {

constexpr Query kBegin{"begin", "BEGIN IMMEDIATE"};
constexpr Query kCommit{"commit", "COMMIT"};
constexpr Query kRollBack{"rollback", "ROLLBACK"};
constexpr Query kSavepoint{"savepoint", "SAVEPOINT job"};
constexpr Query kKeep{"release", "RELEASE job"};
constexpr Query kUndo{"undo", "ROLLBACK TO job"};
constexpr std::array kQueries{&kBegin, &kCommit, &kRollBack, &kSavepoint, &kKeep, &kUndo};

// Between two tries for the lock: short, because the wait that SQLite offers is a sleep as well.
constexpr std::chrono::milliseconds kLongestPause{16};
// Programs that write beside us hold the lock for milliseconds; longer is worth a line in the log.
constexpr std::chrono::milliseconds kBusyWorthALine{500};
// How long a stop waits for a lock that another connection holds before it fails the queued jobs.
constexpr std::chrono::seconds kLockPatienceAtStop{2};

}  // namespace

std::span<const Query* const> Writer::queries() {
  return kQueries;
}

Writer::Writer(Options options)
    : options_{std::move(options)},
      queue_{{.capacity = options_.queue_capacity,
              .clock = options_.clock,
              .on_deadline = options_.on_deadline}} {
  open();
  next_tick_ = options_.clock->now();
}

void Writer::start() {
  thread_ = std::thread{&Writer::loop, this};
}

void Writer::stop() {
  queue_.close();
  if (thread_.joinable()) thread_.join();
}

void Writer::tick_soon() {
  tick_now_ = true;
  queue_.wake();
}

void Writer::loop() {
  while (true) {
    queue_.wait(next_tick_);
    tick_if_due();
    if (!queue_.empty()) {
      run_group();
    } else if (queue_.closed()) {
      db_.reset();
      return;
    }
  }
}

void Writer::tick_if_due() {
  const bool now_wanted = tick_now_.exchange(false);
  if (now_wanted || options_.clock->now() >= next_tick_) tick();
}

void Writer::tick() {
  next_tick_ = options_.clock->now() + options_.tick_interval;
  try {
    use_files();
    options_.observer->tick(*db_);
  } catch (const SqliteError& error) {
    roll_back();
    // The lock file of a database that is being recovered is busy for a moment; the next tick
    // tries again.
    if (error.fault() != Fault::busy) handle(error);
    reopen_if_needed();
  }
}

void Writer::run_group() {
  try {
    begin();
  } catch (const SqliteError& error) {
    if (error.fault() == Fault::busy) return wait_for_lock(error);
    handle(error);
    reopen_if_needed();
    return queue_.fail_all(to_error(error));
  }
  const Group group = queue_.take(options_.max_group);
  const Outcome outcome = execute(group);
  if (outcome == Outcome::rolled_back && group.size() > 1) return retry_alone(group);
  answer(group, outcome);
}

void Writer::wait_for_lock(const SqliteError& busy) {
  // Real time, not the clock of the options: the lock is released outside this program.
  const BootTime now = BootClock::now();
  if (!busy_since_) busy_since_ = now;
  if (now - *busy_since_ > kBusyWorthALine) complain(to_error(busy).detail);
  queue_.set_obstacle(to_error(busy));
  if (queue_.closed() && now - *busy_since_ > kLockPatienceAtStop) {
    return queue_.fail_all(to_error(busy));
  }
  queue_.pause(pause_);
  pause_ = std::min(2 * pause_, kLongestPause);
}

void Writer::begin() {
  use_files();
  db_->run(kBegin).finish();
  if (busy_since_) {
    busy_since_.reset();
    pause_ = std::chrono::milliseconds{1};
    queue_.set_obstacle(std::nullopt);
  }
  try {
    options_.observer->begun(*db_);
  } catch (...) {
    roll_back();
    throw;
  }
}

Writer::Outcome Writer::execute(const Group& group) {
  changed_ = false;
  Transaction transaction{*db_, [this] {
                            if (options_.clock->now() < next_tick_) return;
                            next_tick_ = options_.clock->now() + options_.tick_interval;
                            if (files_are_there()) options_.observer->tick_in_transaction();
                          }};
  for (const auto& job : group) {
    if (!execute_one(static_cast<WriteJob&>(*job), transaction)) return Outcome::rolled_back;
  }
  keys_ = std::move(transaction.touched_);
  std::ranges::sort(keys_);
  keys_.erase(std::ranges::unique(keys_).begin(), keys_.end());
  if (!changed_ && keys_.empty()) {
    roll_back();
    return Outcome::nothing_to_commit;
  }
  return commit();
}

// False: the transaction is gone, and `failure_` says why.
bool Writer::execute_one(WriteJob& job, Transaction& transaction) {
  const std::size_t touched = transaction.touched_.size();
  const std::int64_t changes = db_->total_changes();
  transaction.discard_ = false;
  bool keep = false;
  try {
    db_->run(kSavepoint).finish();
    try {
      keep = job.execute(transaction) && !transaction.discard_;
    } catch (const SqliteError& error) {
      handle(error);
      job.fail(to_error(error));
      if (!db_->in_transaction()) throw;
    } catch (const std::exception& error) {
      job.fail({.code = ErrorCode::internal, .detail = error.what()});
    }
    if (!keep) db_->run(kUndo).finish();
    db_->run(kKeep).finish();
  } catch (const SqliteError& error) {
    failure_ = to_error(error);
    roll_back();
    return false;
  }
  if (keep) {
    changed_ = changed_ || db_->total_changes() != changes;
  } else {
    transaction.touched_.resize(touched);
  }
  return true;
}

Writer::Outcome Writer::commit() {
  try {
    options_.observer->committing(*db_, keys_);
  } catch (const SqliteError& error) {
    handle(error);
    failure_ = to_error(error);
    roll_back();
    return Outcome::rolled_back;
  }
  try {
    db_->run(kCommit).finish();
  } catch (const SqliteError& error) {
    handle(error);
    roll_back();
    if (error.fault() != Fault::io) {
      failure_ = to_error(error);
      options_.observer->rolled_back(keys_);
      return Outcome::rolled_back;
    }
    // The frame that commits may be in the log although its sync failed, and a crash before the
    // next commit could bring it back: neither "done" nor "not done" would be true.
    failure_ = {.code = ErrorCode::unknown_outcome,
                .detail = "the disk failed during a commit; it may have happened"};
    options_.observer->outcome_unknown(keys_);
    return Outcome::unknown;
  }
  commits_.fetch_add(1, std::memory_order_relaxed);
  options_.observer->committed(keys_);
  return Outcome::committed;
}

void Writer::roll_back() {
  if (!db_ || !db_->in_transaction()) return;
  try {
    db_->run(kRollBack).finish();
  } catch (const SqliteError&) {
    reopen_ = true;  // closing the connection is the rollback that cannot fail
  }
}

void Writer::retry_alone(const Group& group) {
  for (const auto& job : group) {
    Outcome outcome = Outcome::rolled_back;
    try {
      begin();
      outcome = execute({job});
    } catch (const SqliteError& error) {
      handle(error);
      failure_ = to_error(error);
    }
    answer({job}, outcome);
  }
}

void Writer::answer(const Group& group, Outcome outcome) {
  reopen_if_needed();
  if (outcome == Outcome::committed) {
    writes_.fetch_add(group.size(), std::memory_order_relaxed);
    if (!trouble_.empty() && options_.log) options_.log("the database can be written again");
    trouble_.clear();
    troubled_ = false;
  }
  for (const auto& job : group) {
    if (outcome == Outcome::rolled_back || outcome == Outcome::unknown) job->fail(failure_);
    job->complete();
  }
}

void Writer::handle(const SqliteError& error) {
  const std::string about = to_error(error).detail + " (" + error.what() + ")";
  switch (error.fault()) {
    case Fault::io:
    case Fault::read_only:
      reopen_ = true;
      [[fallthrough]];
    case Fault::moved:  // the file that has the name now must not be opened
    case Fault::full:
    case Fault::busy:
    case Fault::interrupted:
      return complain(about);
    case Fault::constraint:
    case Fault::bug:
      break;
  }
  if (std::exchange(bug_, about) != about && options_.log) options_.log(about);
}

void Writer::complain(const std::string& about) {
  troubled_ = true;
  if (std::exchange(trouble_, about) != about && options_.log) options_.log(about);
}

void Writer::reopen_if_needed() {
  if (std::exchange(reopen_, false)) db_.reset();
}

void Writer::use_files() {
  if (!db_) return open();
  were_moved_ = were_moved_ || files_.moved();
  files_.check(*db_);
  if (!were_moved_) return;
  // Another program may have written to them meanwhile, unseen.
  options_.observer->opened(*db_);
  were_moved_ = false;
}

bool Writer::files_are_there() {
  try {
    files_.check(*db_);
    return true;
  } catch (const SqliteError&) {
    return false;  // the next tick complains
  }
}

void Writer::open() {
  auto db = std::make_unique<Connection>(options_.connection);
  files_.opened(*db);
  // FULL: a commit that was answered survives a loss of power. The log is copied into the file by
  // this connection, at the commit that makes it longer than 1000 pages (4 MiB).
  db->execute(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
      "PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 1000;"
      "PRAGMA journal_size_limit = 67108864;");
  db->integer("PRAGMA schema_version");
  files_.log_opened();
  options_.observer->opened(*db);
  were_moved_ = false;
  db_ = std::move(db);
}

}  // namespace um::sqlite

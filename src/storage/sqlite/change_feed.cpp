#include "storage/sqlite/change_feed.hpp"

#include "base/random.hpp"
#include "storage/sqlite/queries.hpp"

namespace um {

namespace {

std::int64_t one_integer(sqlite::Connection& db, const sqlite::Query& query) {
  auto run = db.run(query);
  return run.next() ? run.integer(0) : 0;
}

Xid commits_of(sqlite::Connection& db) {
  return static_cast<Xid>(one_integer(db, sqlite_queries::kCommits));
}

}  // namespace

SqliteChangeFeed::SqliteChangeFeed(const Clock& clock) : clock_{clock} {
  renew_tau();
}

void SqliteChangeFeed::start(ChangeListener& listener) {
  {
    const std::scoped_lock lock{listener_mutex_};
    listener_ = &listener;
  }
  if (poll_soon_) poll_soon_();
}

void SqliteChangeFeed::stop() {
  const std::scoped_lock lock{listener_mutex_};
  listener_ = nullptr;
}

Tau SqliteChangeFeed::tau() const {
  const std::scoped_lock lock{tau_mutex_};
  return tau_;
}

void SqliteChangeFeed::renew_tau() {
  const Tau fresh{.high = random_u64(), .low = random_u64()};
  const std::scoped_lock lock{tau_mutex_};
  tau_ = fresh;
}

void SqliteChangeFeed::opened(sqlite::Connection& db) {
  const BootTime sent_at = clock_.now();
  db.run(sqlite_queries::kBeginRead).finish();
  data_version_ = one_integer(db, sqlite_queries::kDataVersion);
  commits_ = commits_of(db);
  db.run(sqlite_queries::kEndRead).finish();
  if (!std::exchange(opened_before_, true)) return;
  // data_version is a value of one connection: commits between the two connections are unknown.
  renew_tau();
  apply({.sent_at = sent_at, .flush_reason = "reconnected"});
}

void SqliteChangeFeed::begun(sqlite::Connection& db) {
  begun_at_ = clock_.now();
  const std::int64_t version = one_integer(db, sqlite_queries::kDataVersion);
  if (version == data_version_) return;
  data_version_ = version;
  commits_ = commits_of(db);
  renew_tau();
  apply({.sent_at = begun_at_, .flush_reason = "foreign_commit"});
}

void SqliteChangeFeed::committing(sqlite::Connection& db, std::span<const std::string> keys) {
  next_commit_ = static_cast<Xid>(one_integer(db, sqlite_queries::kNextCommit));
  const std::scoped_lock lock{listener_mutex_};
  held_ = listener_ != nullptr && !keys.empty();
  if (held_) listener_->hold(keys);
}

void SqliteChangeFeed::committed(std::span<const std::string> keys) {
  commits_ = next_commit_;
  settle(keys, next_commit_);
}

void SqliteChangeFeed::rolled_back(std::span<const std::string> keys) {
  settle(keys, std::nullopt);
}

void SqliteChangeFeed::outcome_unknown(std::span<const std::string> keys) {
  // The commit is either visible in this process by now or never will be. A flush into a new
  // namespace is right in both cases. The flush is as old as the beginning of the transaction.
  renew_tau();
  apply({.sent_at = begun_at_, .flush_reason = "commit_outcome_unknown"});
  settle(keys, std::nullopt);
}

void SqliteChangeFeed::tick(sqlite::Connection& db) {
  const BootTime sent_at = clock_.now();
  // One read transaction, so that data_version and the counter belong to the same state.
  db.run(sqlite_queries::kBeginRead).finish();
  const std::int64_t version = one_integer(db, sqlite_queries::kDataVersion);
  const Xid commits = commits_of(db);
  db.run(sqlite_queries::kEndRead).finish();
  const bool foreign = version != data_version_;
  data_version_ = version;
  commits_ = commits;
  if (!foreign) return apply({.sent_at = sent_at});
  renew_tau();
  apply({.sent_at = sent_at, .flush_reason = "foreign_commit"});
}

void SqliteChangeFeed::tick_in_transaction() {
  apply({.sent_at = clock_.now()});
}

void SqliteChangeFeed::settle(std::span<const std::string> keys, std::optional<Xid> xid) {
  const std::scoped_lock lock{listener_mutex_};
  if (std::exchange(held_, false) && listener_ != nullptr) listener_->settle(keys, xid);
}

void SqliteChangeFeed::apply(Report report) {
  const Stamp stamp{.tau = tau(), .snapshot = {.xmax = commits_ + 1, .xip = {}}};
  Leftovers leftovers;  // freed after the lock was released
  const std::scoped_lock lock{listener_mutex_};
  if (listener_ == nullptr) return;
  leftovers = listener_->apply({.sent_at = report.sent_at,
                                .stamp = stamp,
                                .changes = {},
                                .holds = {},
                                .flush_reason = report.flush_reason,
                                .base = {},
                                .received_at = clock_.now()});
}

}  // namespace um

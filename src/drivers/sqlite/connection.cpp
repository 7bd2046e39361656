#include "drivers/sqlite/connection.hpp"

#include <sqlite3.h>

namespace um::sqlite {

namespace {

// Virtual machine steps between two looks at the clock: some tens of microseconds.
constexpr int kStepsPerCheck = 1000;

int flags_of(Connection::Mode mode) {
  // A connection belongs to one thread at a time, so its own mutex is not needed.
  constexpr int common = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
  switch (mode) {
    case Connection::Mode::create:
      return common | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    case Connection::Mode::read_write:
      return common | SQLITE_OPEN_READWRITE;
    case Connection::Mode::read_only:
      return common | SQLITE_OPEN_READONLY;
  }
  return common;
}

int length_of(std::string_view text) {
  return static_cast<int>(text.size());
}

void check_bound(sqlite3_stmt* statement, int code) {
  if (code != SQLITE_OK) throw SqliteError::of(::sqlite3_db_handle(statement), "bind");
}

}  // namespace

Run::Run(sqlite3_stmt* statement, QueryStats::Counters* counters)
    : statement_{statement}, counters_{counters}, started_{BootClock::now()} {}

Run::~Run() {
  ::sqlite3_reset(statement_);
  ::sqlite3_clear_bindings(statement_);
  if (counters_ != nullptr) counters_->add(BootClock::now() - started_, failed_);
}

void Run::bind(int index, std::int64_t value) {
  check_bound(statement_, ::sqlite3_bind_int64(statement_, index, value));
}

void Run::bind(int index, std::string_view value) {
  // SQLITE_TRANSIENT: the caller's text may be a temporary.
  const char* data = value.data() == nullptr ? "" : value.data();
  check_bound(statement_, ::sqlite3_bind_text(statement_, index, data, length_of(value),
                                              reinterpret_cast<sqlite3_destructor_type>(-1)));
}

void Run::bind(int index, Blob value) {
  check_bound(statement_,
              ::sqlite3_bind_blob(statement_, index, value.bytes.data(), length_of(value.bytes),
                                  reinterpret_cast<sqlite3_destructor_type>(-1)));
}

void Run::bind(int index, std::nullopt_t) {
  check_bound(statement_, ::sqlite3_bind_null(statement_, index));
}

bool Run::next() {
  switch (::sqlite3_step(statement_)) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      break;
  }
  failed_ = true;
  throw SqliteError::of(::sqlite3_db_handle(statement_), "step");
}

void Run::finish() {
  while (next()) {
  }
}

std::int64_t Run::integer(int column) const {
  return ::sqlite3_column_int64(statement_, column);
}

std::string_view Run::text(int column) const {
  const void* data = ::sqlite3_column_blob(statement_, column);
  const auto size = static_cast<std::size_t>(::sqlite3_column_bytes(statement_, column));
  return {static_cast<const char*>(data), size};
}

bool Run::null(int column) const {
  return ::sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::optional<std::string> Run::optional_text(int column) const {
  if (null(column)) return std::nullopt;
  return std::string{text(column)};
}

void Connection::CloseHandle::operator()(sqlite3* handle) const noexcept {
  ::sqlite3_close_v2(handle);
}

void Connection::Finalize::operator()(sqlite3_stmt* statement) const noexcept {
  ::sqlite3_finalize(statement);
}

Connection::Connection(const Options& options) : stats_{options.stats}, clock_{options.clock} {
  sqlite3* handle = nullptr;
  const int code =
      ::sqlite3_open_v2(options.file.c_str(), &handle, flags_of(options.mode), options.vfs);
  handle_.reset(handle);
  if (code != SQLITE_OK) throw SqliteError::of(handle, "open " + options.file.string());
  ::sqlite3_extended_result_codes(handle, 1);
  ::sqlite3_busy_timeout(handle, static_cast<int>(options.busy_timeout.count()));
  if (clock_ != nullptr) {
    ::sqlite3_progress_handler(handle, kStepsPerCheck, &Connection::check_deadline, this);
  }
}

Connection::~Connection() {
  statements_.clear();
}

int Connection::check_deadline(void* self) {
  const auto* connection = static_cast<const Connection*>(self);
  if (connection->deadline_.at == BootTime::max()) return 0;
  return connection->deadline_.passed(connection->clock_->now()) ? 1 : 0;
}

std::unique_ptr<sqlite3_stmt, Connection::Finalize> Connection::prepare(std::string_view sql,
                                                                        unsigned flags) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      ::sqlite3_prepare_v3(handle_.get(), sql.data(), length_of(sql), flags, &statement, nullptr);
  std::unique_ptr<sqlite3_stmt, Finalize> owned{statement};
  if (code != SQLITE_OK) throw SqliteError::of(handle_.get(), "prepare");
  return owned;
}

const Connection::Prepared& Connection::prepared(const Query& query) {
  const auto found = statements_.find(&query);
  if (found != statements_.end()) return found->second;
  auto statement = prepare(query.sql, SQLITE_PREPARE_PERSISTENT);
  Prepared entry{std::move(statement), stats_ == nullptr ? nullptr : stats_->find(query)};
  return statements_.emplace(&query, std::move(entry)).first->second;
}

void Connection::execute(const char* sql) {
  if (::sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    throw SqliteError::of(handle_.get(), "execute");
  }
}

std::int64_t Connection::integer(const char* sql) {
  const auto statement = prepare(sql, 0);
  Run run{statement.get(), nullptr};
  return run.next() ? run.integer(0) : 0;
}

std::string Connection::text(const char* sql) {
  const auto statement = prepare(sql, 0);
  Run run{statement.get(), nullptr};
  return run.next() ? std::string{run.text(0)} : std::string{};
}

std::int64_t Connection::total_changes() const {
  return ::sqlite3_total_changes64(handle_.get());
}

std::int64_t Connection::last_insert_rowid() const {
  return ::sqlite3_last_insert_rowid(handle_.get());
}

bool Connection::in_transaction() const {
  return ::sqlite3_get_autocommit(handle_.get()) == 0;
}

}  // namespace um::sqlite

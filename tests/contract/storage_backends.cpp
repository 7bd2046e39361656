#include "contract/storage_under_test.hpp"
#include "drivers/sqlite/connection.hpp"
#include "storage/postgres/storage.hpp"
#include "storage/sqlite/storage.hpp"
#include "support/postgres_database.hpp"
#include "support/temp_directory.hpp"

namespace um::test {

namespace {

constexpr sqlite::Query kRename{"rename", "UPDATE users SET last_name = ?2 WHERE id = ?1"};

class SqliteUnderTest final : public StorageUnderTest {
 public:
  SqliteUnderTest() {
    auto opened = open_sqlite({.file = file(),
                               .clock = &clock_,
                               .exclusive_service = true,
                               .poll_interval = std::chrono::milliseconds{5}});
    if (!opened) throw std::runtime_error(opened.error().detail);
    storage_ = std::move(*opened);
  }

  Storage& storage() override { return *storage_; }
  ManualClock& clock() override { return clock_; }

  void rename_elsewhere(UserId id, std::string last_name) override {
    sqlite::Connection other{{.file = file(),
                              .mode = sqlite::Connection::Mode::read_write,
                              .busy_timeout = std::chrono::seconds{10}}};
    other.run(kRename, id.value(), last_name).finish();
  }

 private:
  std::filesystem::path file() const { return directory_.path() / "users.db"; }

  TempDirectory directory_;
  ManualClock clock_;
  std::unique_ptr<Storage> storage_;
};

class PostgresUnderTest final : public StorageUnderTest {
 public:
  PostgresUnderTest() {
    shorten_waits(database_);
    auto opened = open_postgres({.url = Secret{database_.url()},
                                 .clock = &clock_,
                                 // Long enough for a machine that is busy with other tests.
                                 .look_up_timeout = std::chrono::seconds{60},
                                 .statement_timeout = std::chrono::seconds{60},
                                 .poll_interval = std::chrono::milliseconds{5},
                                 .times = {.staleness_bound = kShortBound}});
    if (!opened) throw std::runtime_error(opened.error().detail);
    storage_ = std::move(*opened);
  }

  Storage& storage() override { return *storage_; }
  ManualClock& clock() override { return clock_; }

  void rename_elsewhere(UserId id, std::string last_name) override {
    database_.session().run("UPDATE users SET last_name = $2 WHERE id = $1",
                            {id.value(), last_name});
  }

 private:
  TestDatabase database_;
  ManualClock clock_;
  std::unique_ptr<Storage> storage_;
};

}  // namespace

Backend sqlite_backend() {
  return {"file", [] { return std::make_unique<SqliteUnderTest>(); }};
}

Backend postgres_backend() {
  return {"database", [] { return std::make_unique<PostgresUnderTest>(); }};
}

}  // namespace um::test

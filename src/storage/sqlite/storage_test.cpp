#include "storage/sqlite/storage.hpp"

#include <set>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "drivers/sqlite/connection.hpp"
#include "drivers/sqlite/testing/fault_vfs.hpp"
#include "storage/sqlite/database.hpp"
#include "support/run_task.hpp"
#include "support/temp_directory.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

class SqliteStorageTest : public ::testing::Test {
 protected:
  SqliteOptions options() {
    return {.file = file_,
            .clock = &clock_,
            .log =
                [this](std::string_view line) {
                  const std::scoped_lock lock{mutex_};
                  lines_.emplace_back(line);
                },
            .vfs = vfs_.name()};
  }
  static std::unique_ptr<Storage> open(SqliteOptions options) {
    auto storage = open_sqlite(std::move(options));
    if (!storage) throw std::runtime_error(storage.error().detail);
    return std::move(*storage);
  }
  static NewUser named(std::string_view address) { return {.email = *Email::parse(address)}; }
  Deadline soon() { return Deadline::after(clock_, 50ms); }
  std::vector<std::string> lines() {
    const std::scoped_lock lock{mutex_};
    return lines_;
  }

  const test::TempDirectory directory_;
  const std::filesystem::path file_ = directory_.path() / "users.db";
  const SystemClock clock_;
  sqlite::FaultVfs vfs_;

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

TEST_F(SqliteStorageTest, IsStillThereAfterOpeningItAgain) {
  const auto user = test::run(open(options())->users().insert(named("a@x.org"), {}));
  ASSERT_TRUE(user);
  const auto found = test::run(open(options())->users().find((*user)->user.id, {}));
  EXPECT_EQ(found->value->etag, (*user)->etag);
}

TEST_F(SqliteStorageTest, HasOneServerAndAnyNumberOfCommandsBesideIt) {
  SqliteOptions serving = options();
  serving.exclusive_service = true;
  auto server = open(serving);
  const auto second = open_sqlite(serving);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::conflict);
  EXPECT_THAT(second.error().detail, HasSubstr(file_.string()));
  EXPECT_THAT(second.error().detail, HasSubstr(std::to_string(::getpid())));
  // The same file under another name.
  std::filesystem::create_symlink(directory_.path(), directory_.path() / "alias");
  serving.file = directory_.path() / "alias" / "users.db";
  EXPECT_FALSE(open_sqlite(serving));

  const auto command = open(options());
  const auto user = test::run(command->users().insert(named("a@x.org"), {}));
  ASSERT_TRUE(user);
  EXPECT_TRUE(test::run(server->users().find((*user)->user.id, {}))->value);
  server.reset();
  EXPECT_TRUE(open_sqlite(serving));
}

TEST_F(SqliteStorageTest, AFileWithAnotherNameIsRefusedUnderEachOfThem) {
  open(options()).reset();
  const auto other = directory_.path() / "other.db";
  std::filesystem::create_hard_link(file_, other);
  for (const auto& name : {file_, other}) {
    SqliteOptions linked = options();
    linked.file = name;
    for (const bool migrate : {false, true}) {
      linked.migrate = migrate;
      const auto refused = open_sqlite(linked);
      ASSERT_FALSE(refused);
      EXPECT_EQ(refused.error().code, ErrorCode::conflict);
      EXPECT_THAT(refused.error().detail, HasSubstr(name.string() + " has 2 names"));
    }
    EXPECT_FALSE(back_up_sqlite({.source = name, .target = directory_.path() / "copy.db"}));
  }
  EXPECT_FALSE(std::filesystem::exists(directory_.path() / "copy.db"));
  std::filesystem::remove(other);
  EXPECT_TRUE(open_sqlite(options()));
}

TEST_F(SqliteStorageTest, ADirectoryIsNoDatabase) {
  SqliteOptions wrong = options();
  wrong.file = directory_.path();
  wrong.exclusive_service = true;
  for (const bool migrate : {false, true}) {
    wrong.migrate = migrate;
    const auto refused = open_sqlite(wrong);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::invalid);
    EXPECT_THAT(refused.error().detail, HasSubstr(wrong.file.string() + " is a directory"));
  }
  EXPECT_FALSE(std::filesystem::exists(wrong.file.string() + ".lock"));
  EXPECT_FALSE(back_up_sqlite({.source = wrong.file, .target = directory_.path() / "copy.db"}));
}

TEST_F(SqliteStorageTest, TwoProcessesThatWriteDoNotLoseOrRepeatAnything) {
  const auto one = open(options());
  const auto two = open(options());
  std::vector<Task<Result<UserRef>>> writes;
  for (int i = 0; i < 50; ++i) {
    const auto address = std::to_string(i) + "@x.org";
    writes.push_back((i % 2 == 0 ? one : two)->users().insert(named(address), {}));
  }
  std::set<std::int64_t> versions;
  for (const auto& answer : test::run_all(std::move(writes))) {
    ASSERT_TRUE(answer) << answer.error().detail;
    versions.insert((*answer)->user.version);
  }
  EXPECT_THAT(versions, SizeIs(50));
  EXPECT_EQ(test::run(one->users().count("", {})).value(), 50);
}

TEST_F(SqliteStorageTest, WithoutMigrateAnOldSchemaIsAnError) {
  SqliteOptions as_it_is = options();
  as_it_is.migrate = false;
  const auto refused = open_sqlite(as_it_is);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid);
  EXPECT_FALSE(std::filesystem::exists(file_));
  open(options());
  EXPECT_TRUE(open_sqlite(as_it_is));
}

TEST_F(SqliteStorageTest, ALockOfAnotherProgramStopsWritesAndNotReads) {
  const auto storage = open(options());
  sqlite::Connection other{{.file = file_}};
  other.execute("BEGIN IMMEDIATE");
  // On a busy machine the writer may not even have tried in that time: that is a timeout.
  auto write = test::run(storage->users().insert(named("a@x.org"), soon()));
  for (int i = 0; i < 100 && !write && write.error().code == ErrorCode::timeout; ++i) {
    write = test::run(storage->users().insert(named("a@x.org"), soon()));
  }
  ASSERT_FALSE(write);
  EXPECT_EQ(write.error().code, ErrorCode::unavailable);
  EXPECT_THAT(write.error().detail, HasSubstr("locked"));
  EXPECT_TRUE(write.error().retry_after);
  EXPECT_FALSE(test::run(storage->ping(soon())));
  EXPECT_TRUE(test::run(storage->users().find(*UserId::from(1), {})));
  other.execute("COMMIT");
  EXPECT_TRUE(test::run(storage->users().insert(named("a@x.org"), {})));
  EXPECT_TRUE(test::run(storage->ping({})));
}

TEST_F(SqliteStorageTest, AFullDiskStopsWritesAndNotReadsAndIsLoggedOnce) {
  const auto storage = open(options());
  const auto user = test::run(storage->users().insert(named("a@x.org"), {}));
  ASSERT_TRUE(user);
  vfs_.fail_writes(SQLITE_FULL);
  for (int i = 0; i < 5; ++i) {
    const auto write = test::run(storage->users().insert(named("b@x.org"), {}));
    ASSERT_FALSE(write);
    EXPECT_EQ(write.error().code, ErrorCode::unavailable);
  }
  EXPECT_TRUE(test::run(storage->users().find((*user)->user.id, {}))->value);
  EXPECT_FALSE(test::run(storage->ping({})));
  EXPECT_THAT(lines(), SizeIs(1));
  vfs_.fail_writes(0);
  EXPECT_TRUE(test::run(storage->ping({})));
  EXPECT_TRUE(test::run(storage->users().insert(named("b@x.org"), {})));
  EXPECT_THAT(lines(), SizeIs(2));
}

TEST_F(SqliteStorageTest, AFileThatMayNotBeWrittenIsAClearErrorAtTheStart) {
  open(options());
  ASSERT_EQ(::chmod(file_.c_str(), 0400), 0);
  ASSERT_EQ(::chmod(directory_.path().c_str(), 0500), 0);
  const bool root = ::geteuid() == 0;
  constexpr uid_t kNobody = 65534;
  if (root && (::chown(directory_.path().c_str(), kNobody, kNobody) != 0 ||
               ::chown(file_.c_str(), kNobody, kNobody) != 0 || ::seteuid(kNobody) != 0)) {
    GTEST_SKIP() << "SKIPPED: root here cannot become another user";
  }
  const auto refused = open_sqlite(options());
  ASSERT_EQ(::seteuid(::getuid()), 0);
  ::chmod(directory_.path().c_str(), 0700);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
  EXPECT_THAT(refused.error().detail, HasSubstr(file_.string()));
}

TEST_F(SqliteStorageTest, ABackupOfARunningDatabaseOpensAndHasEverything) {
  const auto storage = open(options());
  ASSERT_TRUE(test::run(storage->users().insert(named("a@x.org"), {})));
  const auto copy = directory_.path() / "copy.db";
  const auto done = back_up_sqlite({.source = file_, .target = copy});
  ASSERT_TRUE(done) << done.error().detail;
  SqliteOptions of_copy = options();
  of_copy.file = copy;
  const auto restored = open(of_copy);
  EXPECT_EQ(test::run(restored->users().search("a@x", {}, {}))->size(), 1U);
}

TEST_F(SqliteStorageTest, RowsOfOtherProgramsGetAVersionASearchTextAndAnEnd) {
  const auto storage = open(options());
  sqlite::Connection other{{.file = file_, .busy_timeout = 5s}};
  other.execute("INSERT INTO users (email, first_name) VALUES ('Other@x.org', 'From Outside')");
  const auto found = test::run(storage->users().search("FROM out", {}, {})).value();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_GT(found[0]->user.version, 0);
  EXPECT_GT(found[0]->user.auth_epoch, 0);
  other.execute("UPDATE users SET first_name = 'Renamed', is_active = 0");
  const auto renamed = test::run(storage->users().search("renam", {}, {})).value();
  ASSERT_THAT(renamed, SizeIs(1));
  EXPECT_GT(renamed[0]->user.version, found[0]->user.version);
  EXPECT_GT(renamed[0]->user.auth_epoch, found[0]->user.auth_epoch);
}

TEST_F(SqliteStorageTest, ListingSessionsDoesNotWaitBehindScans) {
  SqliteOptions without_scans = options();
  without_scans.scan_threads = 0;
  const auto storage = open(without_scans);
  const auto user = test::run(storage->users().insert(named("a@x.org"), {})).value();
  EXPECT_FALSE(test::run(storage->users().list({}, soon())));
  EXPECT_TRUE(test::run(storage->sessions().list(user->user.id, Deadline::after(clock_, 5s))));
}

TEST_F(SqliteStorageTest, APasswordThatAnotherProgramSetEndsTheSessions) {
  const auto storage = open(options());
  NewUser wanted = named("a@x.org");
  wanted.password_hash = Secret{"old"};
  const auto id = test::run(storage->users().insert(std::move(wanted), {})).value()->user.id;
  const auto now = clock_.wall_now();
  ASSERT_TRUE(test::run(storage->sessions().create({.id = SessionId::random(),
                                                    .user_id = id,
                                                    .created_at = now,
                                                    .expires_at = now + 1h,
                                                    .verified_hash = Secret{"old"}},
                                                   {})));
  sqlite::Connection other{{.file = file_, .busy_timeout = 5s}};
  other.execute("UPDATE users SET password_hash = 'old'");
  EXPECT_THAT(test::run(storage->sessions().list(id, {})).value(), SizeIs(1));
  other.execute("UPDATE users SET password_hash = 'new'");
  EXPECT_THAT(test::run(storage->sessions().list(id, {})).value(), SizeIs(0));
}

TEST_F(SqliteStorageTest, TheProgramsOwnChangesOfAPasswordTakeOneEpochOrNone) {
  const auto storage = open(options());
  NewUser wanted = named("a@x.org");
  wanted.password_hash = Secret{"old"};
  const auto before = test::run(storage->users().insert(std::move(wanted), {})).value();
  const auto epoch = [&] {
    return test::run(storage->users().find(before->user.id, {})).value().value->user.auth_epoch;
  };
  ASSERT_TRUE(test::run(storage->users().rehash(
      {.id = before->user.id, .old_hash = Secret{"old"}, .new_hash = Secret{"same, dearer"}}, {})));
  EXPECT_EQ(epoch(), before->user.auth_epoch);
  UserChange change;
  change.password_hash = Secret{"new"};
  const auto changed =
      test::run(storage->users().update({.id = before->user.id, .change = change}, {})).value();
  EXPECT_GT(changed->user.auth_epoch, before->user.auth_epoch);
  EXPECT_EQ(epoch(), changed->user.auth_epoch);
}

TEST_F(SqliteStorageTest, ARowThatBreaksTheRulesIsReportedAndNotAnswered) {
  const auto storage = open(options());
  sqlite::Connection other{{.file = file_, .busy_timeout = 5s}};
  other.execute("INSERT INTO users (email) VALUES ('no address at all'), ('good@x.org')");
  const auto read = test::run(storage->users().find(*UserId::from(1), {}));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::internal);
  // The other rows are still listed.
  const auto listed = test::run(storage->users().list({.limit = 1}, {})).value();
  ASSERT_THAT(listed, SizeIs(1));
  EXPECT_EQ(listed[0]->user.id.value(), 2);
  EXPECT_THAT(test::run(storage->users().search("o", {}, {})).value(), SizeIs(1));
}

TEST(SqliteQueries, OnlyCredentialsSelectThePasswordHash) {
  int selecting = 0;
  for (const sqlite::Query* query : SqliteDatabase::queries()) {
    const bool reads = query->sql.starts_with("SELECT") || query->sql.find("RETURNING") < 9999;
    if (!reads || query->sql.find("password_hash") == std::string_view::npos) continue;
    const auto result = query->sql.starts_with("SELECT")
                            ? query->sql.substr(0, query->sql.find(" FROM "))
                            : query->sql.substr(query->sql.find("RETURNING"));
    if (result.find("password_hash") == std::string_view::npos) continue;
    EXPECT_THAT(std::string{query->name}, HasSubstr("credentials"));
    ++selecting;
  }
  EXPECT_EQ(selecting, 2);
}

TEST(SqliteQueries, EveryNameIsUsedOnce) {
  std::set<std::string_view> names;
  const auto all = SqliteDatabase::queries();
  for (const sqlite::Query* query : all) names.insert(query->name);
  EXPECT_EQ(names.size(), all.size());
}

}  // namespace
}  // namespace um

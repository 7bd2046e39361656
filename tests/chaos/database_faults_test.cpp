// A database that another program locked, or that is read-only, moved away, or on a full disk.
#include <csignal>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "support/database_probe.hpp"
#include "support/invariants.hpp"
#include "support/json.hpp"
#include "support/scenario.hpp"
#include "support/small_disk.hpp"

namespace um::e2e {
namespace {

// Makes a file immutable during its lifetime, even for processes that have it open. Only root may
// do that, and not on every file system.
class ImmutableFile {
 public:
  explicit ImmutableFile(const std::string& file) : file_{::open(file.c_str(), O_RDONLY)} {
    made_ = set(true);
  }
  ~ImmutableFile() {
    if (made_ && !set(false)) ADD_FAILURE() << "the file stays immutable";
    ::close(file_);
  }
  ImmutableFile(const ImmutableFile&) = delete;
  ImmutableFile& operator=(const ImmutableFile&) = delete;

  bool made() const { return made_; }

 private:
  bool set(bool immutable) const {
    int flags = 0;
    if (::ioctl(file_, FS_IOC_GETFLAGS, &flags) != 0) return false;
    flags = immutable ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
    return ::ioctl(file_, FS_IOC_SETFLAGS, &flags) == 0;
  }
  int file_;
  bool made_ = false;
};

HttpRequest patch_of(const Stage& stage, const std::string& name) {
  return {.method = "PATCH",
          .target = "/user/" + stage.known("ann"),
          .headers = {bearer(stage.token("ann"))},
          .body = R"({"last_name": ")" + name + R"("})"};
}

void expect_cached_reads(Stage& stage) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(stage.get("ann", "/user/<ann>").status, 200U);
    EXPECT_EQ(stage.get("ann", "/auth/me").status, 200U);
  }
}

void warm_up(Stage& stage) {
  EXPECT_TRUE(eventually([&] {
    return stage.get("ann", "/user/<ann>").header("Cache-Status") == "user-manager; hit; detail=L1";
  }));
}

// After `broken` writes fail with 503 and reads from memory succeed; after `repair` everything
// works.
void expect_outage(Stage& stage, const std::function<void()>& repair) {
  std::string last = text_at(stage.get("ann", "/user/<ann>").json(), "/last_name");
  std::size_t refused = 0;
  // Some writes may still fit.
  for (int i = 0; i < 400 && refused < 3; ++i) {
    const std::string name = "n" + std::to_string(i) + std::string(150, 'x');
    const auto answer = stage.send(patch_of(stage, name));
    if (answer.status == 200) last = name;
    if (answer.status != 200) {
      EXPECT_EQ(answer.status, 503U) << answer.text();
      ++refused;
    }
  }
  EXPECT_EQ(refused, 3U) << "the fault did not happen";
  expect_cached_reads(stage);
  EXPECT_EQ(text_at(stage.get("ann", "/user/<ann>").json(), "/last_name"), last);
  repair();
  EXPECT_TRUE(eventually([&] { return stage.send(patch_of(stage, "Repaired")).status == 200; }));
  EXPECT_EQ(text_at(stage.get("ann", "/user/<ann>").json(), "/last_name"), "Repaired");
  EXPECT_TRUE(eventually([&] { return stage.send({.target = "/readyz"}).status == 200; }));
  EXPECT_EQ(stage.server().stop().code, 0) << stage.server().process().all();
  DatabaseProbe probe{stage.server().database()};
  EXPECT_EQ(probe.integrity(), "ok");
  EXPECT_EQ(probe.value("SELECT last_name FROM users WHERE id = " + stage.known("ann")),
            "Repaired");
}

TEST(DatabaseFaults, LockedByAnotherProgram) {
  Stage stage{{.arguments = {"--database-timeout", "200ms"}}};
  stage.add({"ann", "bob"});
  warm_up(stage);
  auto lock = std::make_unique<HeldDatabase>(stage.server().database());
  // Every kind of write fails, and none is half done. Each fails within the time limit of one call;
  // the bound here is many times that.
  const auto begin = Steady::now();
  stage.run({
      {.who = "ann",
       .request = "PATCH /user/<ann>",
       .body = R"({"last_name": "No"})",
       .status = 503},
      {.who = "admin", .request = "POST /user/<ann>/usage", .body = R"({"usd": 1})", .status = 503},
      {.who = "bob", .request = "POST /auth/logout", .status = 503},
      {.request = "POST /auth/login",
       .body = R"({"email": "<ann.email>", "password": "open-Sesame-1"})",
       .status = 503},
      {.request = "POST /user/",
       .body = R"({"email": "no@example.test", "password": "open-Sesame-1"})",
       .status = 503},
      {.who = "ann", .request = "GET /user/<ann>", .json = R"({"last_name": "Example"})"},
  });
  EXPECT_LT(Steady::now() - begin, std::chrono::seconds{10});
  expect_outage(stage, [&] { lock.reset(); });
  stage.server().start();
  stage.client() = stage.server().client();
  stage.run({{.who = "bob", .request = "GET /auth/me"},
             {.who = "admin", .request = "GET /users/by-email/no@example.test", .status = 404},
             {.who = "admin", .request = "GET /user/<ann>", .json = R"({"used_usd": 0})"}});
}

TEST(DatabaseFaults, AFileThatMayNotGrow) {
  // Inherited: beyond the limit a write fails instead of ending the process.
  ::signal(SIGXFSZ, SIG_IGN);
  Stage stage;
  stage.add("ann");
  warm_up(stage);
  const rlimit small{.rlim_cur = 4096, .rlim_max = RLIM_INFINITY};
  const rlimit large{.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
  const auto pid = stage.server().process().pid();
  ASSERT_EQ(::prlimit(pid, RLIMIT_FSIZE, &small, nullptr), 0);
  expect_outage(stage, [&] { EXPECT_EQ(::prlimit(pid, RLIMIT_FSIZE, &large, nullptr), 0); });
}

TEST(DatabaseFaults, ADiskThatIsFull) {
  const test::SmallDisk disk{{}};
  if (!disk.mounted()) GTEST_SKIP() << "NOT TESTED: only root can mount a small disk";
  Stage stage{{.database = disk.file("users.db")}};
  stage.add("ann");
  warm_up(stage);
  disk.fill();
  expect_outage(stage, [&] { disk.empty(); });
}

TEST(DatabaseFaults, AReadOnlyDatabaseStopsTheStartWithOneLine) {
  const test::SmallDisk disk{{}};
  if (!disk.mounted()) GTEST_SKIP() << "NOT TESTED: only root can mount a read-only disk";
  const auto database = disk.file("users.db");
  {
    ServerUnderTest server{{.database = database}};
    create_admin(server);
    EXPECT_EQ(server.stop().code, 0);
  }
  if (!disk.make_read_only()) GTEST_SKIP() << "NOT TESTED: the disk cannot be made read-only";
  const auto result =
      run({.program = program(),
           .arguments = {"serve", "--listen", "127.0.0.1:0", "--database", "sqlite:" + database}});
  EXPECT_TRUE(result.code == 1 || result.code == 2) << result.out << result.err;
  EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
  EXPECT_NE(result.err.find("users.db"), std::string::npos) << result.err;
}

TEST(DatabaseFaults, AFileThatBecomesReadOnlyWhileItIsServed) {
  Stage stage;
  stage.add("ann");
  warm_up(stage);
  auto log = std::make_unique<ImmutableFile>(stage.server().database() + "-wal");
  auto database = std::make_unique<ImmutableFile>(stage.server().database());
  if (!log->made() || !database->made())
    GTEST_SKIP() << "NOT TESTED: only root can make a file immutable, and not everywhere";
  expect_outage(stage, [&] {
    EXPECT_TRUE(eventually([&] { return stage.send({.target = "/readyz"}).status == 503; }));
    log.reset();
    database.reset();
  });
}

TEST(DatabaseFaults, ADatabaseThatIsMovedAwayAndBack) {
  Stage stage;
  stage.add("ann");
  warm_up(stage);
  const auto& file = stage.server().database();
  const auto move = [&](const std::string& from, const std::string& to) {
    for (const char* part : {"", "-wal", "-shm"}) std::filesystem::rename(from + part, to + part);
  };
  move(file, file + ".gone");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(stage.send(patch_of(stage, "Lost")).status, 503U);
  // Another database in its place changes nothing: the server serves the file that it opened.
  DatabaseProbe{file, DatabaseProbe::Missing::create}.execute("CREATE TABLE t (i)");
  EXPECT_EQ(stage.send(patch_of(stage, "Lost")).status, 503U);
  std::string ready;  // a result of /readyz is reused for a moment
  EXPECT_TRUE(eventually([&] {
    const auto answer = stage.send({.target = "/readyz"});
    ready = answer.text();
    return answer.status == 503 && ready.find("moved") != std::string::npos;
  })) << ready;
  // The lease is valid for the staleness bound; after that no read succeeds.
  EXPECT_TRUE(eventually([&] { return stage.get("ann", "/user/<ann>").status == 503; }));
  EXPECT_EQ(stage.send({.target = "/healthz"}).status, 200U);
  std::filesystem::remove(file);
  move(file + ".gone", file);
  EXPECT_TRUE(eventually([&] { return stage.send({.target = "/readyz"}).status == 200; }));
  EXPECT_EQ(stage.send(patch_of(stage, "Back")).status, 200U);
  EXPECT_EQ(text_at(stage.get("ann", "/user/<ann>").json(), "/last_name"), "Back");
  EXPECT_EQ(stage.server().stop().code, 0);
  const std::string err = stage.server().process().err();
  const auto times = [&](const std::string& what) {
    std::size_t count = 0;
    for (auto at = err.find(what); at != std::string::npos; at = err.find(what, at + 1)) ++count;
    return count;
  };
  EXPECT_EQ(times("what=\"the database file was moved, replaced or deleted"), 1U) << err;
  EXPECT_EQ(times("can be written again"), 1U) << err;
  DatabaseProbe probe{file};
  EXPECT_EQ(probe.integrity(), "ok");
  EXPECT_EQ(probe.value("SELECT last_name FROM users WHERE id = " + stage.known("ann")), "Back");
}

TEST(DatabaseFaults, ReadyzTellsAboutALockThatStays) {
  Stage stage{{.arguments = {"--database-timeout", "200ms"}}};
  stage.add("ann");
  {
    const HeldDatabase lock{stage.server().database()};
    // A result of /readyz from before the lock is reused for a moment.
    EXPECT_TRUE(eventually([&] { return stage.send({.target = "/readyz"}).status == 503; }));
    EXPECT_EQ(stage.send({.target = "/healthz"}).status, 200U);
  }
  EXPECT_TRUE(eventually([&] { return stage.send({.target = "/readyz"}).status == 200; }));
}

}  // namespace
}  // namespace um::e2e

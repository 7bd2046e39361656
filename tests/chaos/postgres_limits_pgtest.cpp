// A PostgreSQL that is reachable but fails: locked, slow, read-only, without a free connection,
// with a full disk. Requests fail in time; requests that do not need it succeed; no restart is
// necessary.
#include <gtest/gtest.h>

#include "chaos/load.hpp"
#include "support/invariants.hpp"
#include "support/json.hpp"
#include "support/small_disk.hpp"

namespace um::e2e {
namespace {

using namespace std::chrono_literals;

constexpr auto kDatabaseTime = 700ms;        // the least for strict writes with T = 500 ms
constexpr auto kLookUpTime = kDatabaseTime;  // at most
// The limit for a request that waits for the database twice, on a busy machine.
constexpr auto kSoon = 2s;

class PostgresLimits : public ::testing::Test {
 protected:
  explicit PostgresLimits(FleetOptions options = impatient()) : fleet_{std::move(options)} {}
  static FleetOptions impatient() {
    return {.arguments = {"--database-timeout",
                          std::to_string(std::chrono::milliseconds{kDatabaseTime}.count()) + "ms"}};
  }

  void SetUp() override {
    fleet_.stage().add({"ann", "bob"});
    // Until every instance has applied the changes so far, which erases the changed keys.
    for (const auto begun = BootClock::now(); BootClock::now() < begun + kT;) {
      for (const auto* name : {"ann", "bob"}) ASSERT_TRUE(fleet_.warm_up(get(name)));
    }
  }

  HttpRequest get(const std::string& name) {
    return fleet_.as("admin", "GET /user/<" + name + ">");
  }
  HttpRequest patch(const std::string& name, const std::string& last_name) {
    return fleet_.as("admin", "PATCH /user/<" + name + ">",
                     R"({"last_name": ")" + last_name + R"("})");
  }

  // Sends a request to instance i and expects an answer in time.
  HttpResponse ask(std::size_t i, const HttpRequest& request) {
    const auto begin = BootClock::now();
    auto answer = fleet_.client(i).send(request);
    EXPECT_LT(BootClock::now() - begin, kSoon) << request.method << " " << request.target;
    expect_invariants(request, answer);
    return answer;
  }
  void expect_a_read(std::size_t i) {
    auto client = fleet_.client(i);
    EXPECT_EQ(send_patiently(client, get("ann")).status, 200U);
  }
  void expect_refused(const HttpRequest& request) {
    for (std::size_t i = 0; i < fleet_.size(); ++i) {
      const auto answer = ask(i, request);
      EXPECT_EQ(answer.status, 503U) << answer.text();
    }
  }
  void expect_memory_answers(const std::string& name) {
    for (std::size_t i = 0; i < fleet_.size(); ++i) {
      for (int n = 0; n < 20; ++n) {
        const auto answer = ask(i, get(name));
        EXPECT_EQ(answer.status, 200U) << answer.text();
        EXPECT_TRUE(is_hit(answer)) << answer.text();
      }
    }
  }
  void expect_healed(const std::string& what) {
    const auto healed = fleet_.time_to_heal("ann");
    EXPECT_LT(healed, kHealed);
    note_figure("healed after " + what, healed);
  }

  Fleet fleet_;
};

TEST_F(PostgresLimits, ARowThatSomebodyElseHasLocked) {
  auto lock = fleet_.database().session();
  lock.execute(fleet_.stage().fill_in("BEGIN; SELECT * FROM users WHERE id = <ann> FOR UPDATE"));
  expect_refused(patch("ann", "Locked"));
  expect_refused(fleet_.as("admin", "DELETE /user/<ann>"));
  for (std::size_t i = 0; i < fleet_.size(); ++i) {
    EXPECT_EQ(ask(i, patch("bob", "Free")).status, 200U);
    expect_a_read(i);
  }
  lock.execute("COMMIT");
  expect_healed("a locked row");
  EXPECT_EQ(fleet_.database().session().text(
                fleet_.stage().fill_in("SELECT count(*) FROM users WHERE id = <ann>")),
            "1");
}

TEST_F(PostgresLimits, ATableThatIsBeingAltered) {
  auto lock = fleet_.database().session();
  lock.execute("BEGIN; ALTER TABLE users ADD COLUMN shoe_size int");
  expect_refused(patch("bob", "Locked"));  // and his key is held, so that no memory answers it
  expect_refused(fleet_.as("admin", "GET /users"));
  expect_memory_answers("ann");
  lock.execute("ROLLBACK");
  expect_healed("an altered table");
}

TEST_F(PostgresLimits, AStatementThatTakesTooLong) {
  auto owner = fleet_.database().session();
  owner.execute(
      "CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS "
      "$$BEGIN PERFORM pg_sleep(30); RETURN new; END$$;"
      "CREATE TRIGGER nap BEFORE UPDATE ON users FOR EACH ROW WHEN (new.last_name = 'Slow')"
      " EXECUTE FUNCTION nap()");
  expect_healed("a new trigger");
  {
    // As many as there are connections for writes.
    std::vector<std::jthread> sleepers;
    for (int n = 0; n < 16; ++n) {
      sleepers.emplace_back([&, n] {
        const auto answer = ask(static_cast<std::size_t>(n) % fleet_.size(), patch("bob", "Slow"));
        EXPECT_EQ(answer.status, 503U) << answer.text();
      });
    }
    for (std::size_t i = 0; i < fleet_.size(); ++i) {
      for (int n = 0; n < 10; ++n) expect_a_read(i);
    }
  }
  expect_healed("slow statements");
}

TEST_F(PostgresLimits, ADatabaseThatTakesNoWrites) {
  auto administrator = fleet_.database().admin();
  const auto let_write = [&](const std::string& value) {
    administrator.execute("ALTER DATABASE " + fleet_.database().name() +
                          " SET default_transaction_read_only = " + value);
    // A connection keeps the setting of the moment when it was opened.
    administrator.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
        "current_database() AND pid <> pg_backend_pid()");
  };
  let_write("off");
  expect_healed("connections that were closed");
  let_write("on");
  for (std::size_t i = 0; i < fleet_.size(); ++i) {
    EXPECT_TRUE(eventually([&] { return ask(i, patch("ann", "No")).status == 503; }));
    for (int n = 0; n < 20; ++n) {
      expect_a_read(i);
      EXPECT_EQ(ask(i, patch("ann", "No")).status, 503U);
    }
  }
  let_write("off");
  expect_healed("a time without writes");
}

class PostgresWithoutRoom : public PostgresLimits {
 protected:
  PostgresWithoutRoom() : PostgresLimits{few_connections()} {}
  static FleetOptions few_connections() {
    auto options = impatient();
    options.server = FleetOptions::Server::own;
    options.settings = {"max_connections=" + std::to_string(kConnections),
                        "superuser_reserved_connections=" + std::to_string(kReserved)};
    return options;
  }
  // Until all are taken, and only superusers could get another.
  void take_all_connections() {
    constexpr std::size_t kAll = kConnections - kReserved - 1;  // one is the operator's
    EXPECT_TRUE(eventually([&] {
      operator_.run(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
          " WHERE application_name LIKE 'user-manager%'");
      try {
        while (true) others_.push_back(session("others", fleet_.database().url()));
      } catch (const PostgresError&) {
        return others_.size() == kAll;
      }
    }));
  }
  static BlockingConnection session(std::string name, const std::string& url) {
    return BlockingConnection{{.url = Secret{url}, .application_name = std::move(name)}};
  }

  static constexpr std::size_t kConnections = 24;
  static constexpr std::size_t kReserved = 3;
  BlockingConnection operator_ = session("operator", fleet_.database().url_as("postgres"));
  std::vector<BlockingConnection> others_;
};

TEST_F(PostgresWithoutRoom, OthersHaveAllTheConnections) {
  Load load{fleet_};
  load.wait_for_writes(10);
  take_all_connections();
  const auto taken = BootClock::now();
  load.wait_until(taken + kT + 2 * kLookUpTime);
  expect_refused(patch("ann", "No"));
  const auto given_back = BootClock::now();
  others_.clear();
  expect_healed("a server without room");
  load.wait_for_writes(10);
  load.stop();
  load.expect_kept_promises();
  for (std::size_t i = 0; i < fleet_.size(); ++i) {
    // A later request may have waited for a free connection.
    load.expect_silence(i, {.from = taken + kT, .to = given_back - kLookUpTime});
  }
  EXPECT_LT(load.slowest(), kSoon);
  note_figure("slowest answer", load.slowest());
}

class PostgresOnAFullDisk : public PostgresLimits {
 protected:
  PostgresOnAFullDisk() : PostgresLimits{on(disk())} {}
  static FleetOptions on(const test::SmallDisk& disk) {
    auto options = impatient();
    if (!disk.mounted()) return options;
    options.server = FleetOptions::Server::own;
    options.tablespace = disk.where();
    return options;
  }
  static test::SmallDisk& disk() {
    static test::SmallDisk disk{{.size = "24m", .owner = "postgres"}};
    return disk;
  }
};

TEST_F(PostgresOnAFullDisk, WritesAreRefusedUntilThereIsRoomAgain) {
  if (!disk().mounted()) GTEST_SKIP() << "NOT TESTED: only root can mount a small disk";
  disk().fill();
  std::size_t refused = 0;
  std::vector<std::string> made;
  // Some still fit.
  for (std::size_t n = 0; n < 2000 && refused < 5; ++n) {
    const auto email = "full" + std::to_string(n) + "@example.test";
    const auto answer =
        ask(n % fleet_.size(),
            fleet_.as("admin", "POST /user/",
                      R"({"email": ")" + email + R"(", "first_name": ")" + std::string(190, 'x') +
                          R"(", "password": "open-Sesame-1"})"));
    if (answer.status == 201) made.push_back(email);
    if (answer.status != 201) {
      EXPECT_EQ(answer.status, 503U) << answer.text();
      ++refused;
    }
  }
  EXPECT_EQ(refused, 5U) << "the disk is not full";
  expect_memory_answers("ann");
  disk().empty();
  expect_healed("a full disk");
  for (const auto& email : made) {
    EXPECT_EQ(ask(0, fleet_.as("admin", "GET /users/by-email/" + email)).status, 200U) << email;
  }
  EXPECT_EQ(
      fleet_.database().session().integer("SELECT count(*) FROM users WHERE email LIKE 'full%'"),
      static_cast<std::int64_t>(made.size()));
}

}  // namespace
}  // namespace um::e2e

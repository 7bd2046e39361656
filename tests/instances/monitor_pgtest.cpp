// `user-manager monitor` watches two instances that share a PostgreSQL database.
#include <gtest/gtest.h>

#include "support/monitor_run.hpp"
#include "support/postgres_database.hpp"
#include "support/stale_proxy.hpp"
#include "support/test_storage.hpp"

namespace um::e2e {
namespace {

class OneDatabase final : public TestStorage {
 public:
  explicit OneDatabase(std::string mode) : mode_{std::move(mode)} {
    const auto migrated =
        run({.program = program(),
             .arguments = {"migrate", "--consistency", mode_, "--database", database_.url()}});
    if (migrated.code != 0) throw std::runtime_error("migrate: " + migrated.err);
  }
  std::string database() const override { return database_.url(); }
  std::vector<std::string> serve_arguments() const override { return {"--consistency", mode_}; }
  void execute(const std::string& sql) override { database_.session().execute(sql); }

 private:
  test::TestDatabase database_;
  const std::string mode_;
};

class Monitored : public ::testing::Test {
 protected:
  explicit Monitored(const std::string& mode) : storage_{std::make_shared<OneDatabase>(mode)} {}
  std::string url_of(const ServerUnderTest& server) const {
    return base_url(server.endpoint().port);
  }
  const std::shared_ptr<TestStorage> storage_;
  Stage one_{ServeOptions{.storage = storage_}};
  ServerUnderTest other_{ServeOptions{.storage = storage_}};
};

struct MonitoredInstances : Monitored {
  MonitoredInstances() : Monitored{"strict"} {}
};
struct MonitoredBoundedInstances : Monitored {
  MonitoredBoundedInstances() : Monitored{"bounded"} {}
};

TEST_F(MonitoredInstances, KeepTheirPromise) {
  MonitorRun monitor{one_, {"--report-interval", "1s", url_of(one_.server()), url_of(other_)}};
  EXPECT_EQ(monitor.stop_after_writes(30), 0) << monitor.process().all();
  for (const ServerUnderTest* server : {&one_.server(), &other_}) {
    EXPECT_GT(monitor.count("reads", url_of(*server)), 20);
    EXPECT_GT(monitor.count("writes", url_of(*server)), 10);
  }
  EXPECT_EQ(monitor.count("broken"), 0) << monitor.process().out();
  EXPECT_LT(monitor.count("errors"), monitor.count("reads")) << monitor.process().out();
  EXPECT_TRUE(has_no_probes(one_));
}

TEST_F(MonitoredInstances, OneThatBreaksItIsNamedAndTheOtherIsNot) {
  const StaleProxy stale{other_.endpoint()};
  MonitorRun monitor{one_, {"--duration", "2s", url_of(one_.server()), base_url(stale.port())}};
  EXPECT_EQ(monitor.end(), 1) << monitor.process().all();
  EXPECT_GT(monitor.count("broken", base_url(stale.port())), 0);
  EXPECT_EQ(monitor.count("broken", url_of(one_.server())), 0) << monitor.process().out();
}

TEST_F(MonitoredInstances, OneThatIsKilledIsAnErrorAndNotBroken) {
  MonitorRun monitor{one_, {"--report-interval", "1s", url_of(one_.server()), url_of(other_)}};
  ASSERT_TRUE(monitor.wait_for_intervals(1)) << monitor.process().all();
  const std::string dead = url_of(other_);
  other_.kill();
  ASSERT_TRUE(monitor.wait_for_intervals(4)) << monitor.process().all();
  EXPECT_EQ(monitor.stop(), 0) << monitor.process().all();
  EXPECT_GT(monitor.count("errors", dead), 0);
  EXPECT_EQ(monitor.count("broken"), 0) << monitor.process().out();
  EXPECT_TRUE(has_no_probes(one_));
}

TEST_F(MonitoredBoundedInstances, KeepTheirPromiseToBeLateByTAtMost) {
  MonitorRun monitor{one_, {"--report-interval", "1s", url_of(one_.server()), url_of(other_)}};
  EXPECT_EQ(monitor.stop_after_writes(30), 0) << monitor.process().all();
  EXPECT_GT(monitor.count("reads", url_of(other_)), 20);
  EXPECT_EQ(monitor.count("broken"), 0) << monitor.process().out();
}

// The real program, and reads that are really late: the monitor sees them if they are not excused.
TEST_F(MonitoredBoundedInstances, AreFoundToBeLateByAMonitorThatExpectsStrictOnes) {
  MonitorRun monitor{
      one_, {"--bound", "0s", "--report-interval", "1s", url_of(one_.server()), url_of(other_)}};
  EXPECT_EQ(monitor.stop_after_writes(30), 1) << monitor.process().all();
  EXPECT_GT(monitor.count("broken"), 0);
  EXPECT_LT(monitor.summary().at("greatest_age_seconds").to_number<double>(), 0.6);
}

}  // namespace
}  // namespace um::e2e

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
  std::string database() const override { return database_.url(); }
  void execute(const std::string& sql) override { database_.session().execute(sql); }

 private:
  test::TestDatabase database_;
};

class MonitoredInstances : public ::testing::Test {
 protected:
  std::string url_of(const ServerUnderTest& server) const {
    return base_url(server.endpoint().port);
  }
  const std::shared_ptr<TestStorage> storage_ = std::make_shared<OneDatabase>();
  Stage one_{ServeOptions{.storage = storage_}};
  ServerUnderTest other_{ServeOptions{.storage = storage_}};
};

TEST_F(MonitoredInstances, KeepTheirPromise) {
  MonitorRun monitor{one_, {"--duration", "3s", url_of(one_.server()), url_of(other_)}};
  EXPECT_EQ(monitor.end(), 0) << monitor.process().all();
  for (const ServerUnderTest* server : {&one_.server(), &other_}) {
    EXPECT_GT(monitor.count("reads", url_of(*server)), 100);
    EXPECT_GT(monitor.count("writes", url_of(*server)), 10);
  }
  EXPECT_EQ(monitor.count("broken"), 0) << monitor.process().out();
  EXPECT_EQ(monitor.count("errors"), 0) << monitor.process().out();
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

}  // namespace
}  // namespace um::e2e

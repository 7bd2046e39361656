// `user-manager monitor` against a real server, alone and beside one that breaks its promise.
#include <csignal>

#include "support/json.hpp"
#include "support/monitor_run.hpp"
#include "support/self_signed.hpp"
#include "support/stage_test.hpp"
#include "support/stale_proxy.hpp"
#include "support/tcp_gate.hpp"

namespace um::e2e {
namespace {

class CliMonitor : public StageTest<CliMonitor> {
 protected:
  static std::string url() { return base_url(stage().server().endpoint().port); }
};

TEST_F(CliMonitor, AHealthyInstanceKeepsItsPromiseAndKeepsNoProbes) {
  MonitorRun monitor{stage(), {"--report-interval", "1s", url()}};
  EXPECT_EQ(monitor.stop_after_writes(30), 0) << monitor.process().all();
  EXPECT_GT(monitor.count("reads"), 20);
  EXPECT_EQ(monitor.count("broken"), 0) << monitor.process().out();
  EXPECT_LT(monitor.count("errors"), monitor.count("reads")) << monitor.process().out();
  EXPECT_TRUE(has_no_probes(stage()));
}

TEST_F(CliMonitor, AnInstanceThatAnswersWithOldStatesIsFoundAndNamed) {
  const StaleProxy stale{stage().server().endpoint()};
  MonitorRun monitor{stage(), {"--duration", "2s", url(), base_url(stale.port())}};
  EXPECT_EQ(monitor.end(), 1) << monitor.process().all();
  EXPECT_GT(monitor.count("broken", base_url(stale.port())), 0);
  EXPECT_EQ(monitor.count("broken", url()), 0);
  const auto broken = monitor.events("broken");
  ASSERT_FALSE(broken.empty());
  for (const auto& event : broken) {
    EXPECT_EQ(event.at("instance").as_string(), base_url(stale.port()));
    EXPECT_GT(event.at("age_seconds").to_number<double>(), 0);
  }
  EXPECT_GT(monitor.summary().at("greatest_age_seconds").to_number<double>(), 0.01);
}

TEST_F(CliMonitor, AnInstanceThatDoesNotAnswerIsAnErrorAndNotBroken) {
  // Connections to a gate whose server is gone end at once.
  const test::TcpGate nobody{1};
  const std::string dead = base_url(static_cast<std::uint16_t>(nobody.port()));
  MonitorRun monitor{stage(), {"--duration", "2s", dead, url()}};
  EXPECT_EQ(monitor.end(), 0) << monitor.process().all();
  EXPECT_GT(monitor.count("errors", dead), 0);
  EXPECT_EQ(monitor.count("reads", dead), 0);
  EXPECT_GT(monitor.count("reads", url()), 0);
  EXPECT_EQ(monitor.count("broken"), 0) << monitor.process().out();
}

TEST_F(CliMonitor, NoInstanceThatAnswersIsAFailure) {
  const test::TcpGate nobody{1};
  MonitorRun monitor{stage(), {base_url(static_cast<std::uint16_t>(nobody.port()))}};
  EXPECT_EQ(monitor.end(), 1);
  EXPECT_NE(monitor.process().err().find("no instance creates a probe user"), std::string::npos)
      << monitor.process().err();
}

TEST_F(CliMonitor, SigtermEndsItWithASummaryAndWithoutProbes) {
  MonitorRun monitor{stage(), {"--report-interval", "1s", url()}};
  ASSERT_TRUE(monitor.wait_for_intervals(1)) << monitor.process().all();
  EXPECT_FALSE(has_no_probes(stage()));
  EXPECT_EQ(monitor.stop(), 0) << monitor.process().all();
  EXPECT_GT(monitor.count("reads"), 0);
  EXPECT_TRUE(has_no_probes(stage()));
}

class CliMonitorLeftOvers : public CliMonitor {
 protected:
  // Leaves probes behind.
  static void kill_a_monitor() {
    MonitorRun killed{stage(), {"--report-interval", "1s", url()}};
    ASSERT_TRUE(killed.wait_for_intervals(1)) << killed.process().all();
    killed.process().send_signal(SIGKILL);
    ASSERT_TRUE(killed.process().wait());
    ASSERT_FALSE(has_no_probes(stage()));
  }
  static void run_a_monitor() {
    MonitorRun next{stage(), {"--duration", "500ms", url()}};
    EXPECT_EQ(next.end(), 0) << next.process().all();
  }
};

TEST_F(CliMonitorLeftOvers, AreLeftAloneWhileTheirMonitorMayRun) {
  kill_a_monitor();
  run_a_monitor();
  const auto left = stage().get("admin", "/users/search?keyword=monitor.invalid").json().as_array();
  EXPECT_FALSE(left.empty());
  for (const auto& user : left)
    stage().run(
        Step{.who = "admin",
             .request = "DELETE /user/" + std::to_string(user.at("id").to_number<std::int64_t>())});
}

// PostgreSQL sets updated_at itself.
TEST_F(CliMonitorLeftOvers, OnSqliteAreRemovedAfterAnHourAndOtherUsersAreNot) {
  stage().add("ann");
  kill_a_monitor();
  stage().server().storage().execute(
      "UPDATE users SET updated_at = updated_at - 2 * 3600 * 1000000");
  run_a_monitor();
  EXPECT_TRUE(has_no_probes(stage()));
  EXPECT_EQ(stage().get("admin", "/user/<ann>").status, 200U);
}

TEST_F(CliMonitor, FollowedUsersAreReadAndNeverWritten) {
  stage().add("ann");
  const auto before = stage().get("admin", "/user/<ann>").header("ETag");
  MonitorRun monitor{
      stage(),
      {"--duration", "1s", "--follow", stage().known("ann"), "--follow-sample", "2", url()}};
  stage().run(
      Step{.who = "admin", .request = "PATCH /user/<ann>", .body = R"({"last_name": "changed"})"});
  const auto changed = stage().get("admin", "/user/<ann>").header("ETag");
  EXPECT_NE(before, changed);
  EXPECT_EQ(monitor.end(), 0) << monitor.process().all();
  EXPECT_EQ(stage().get("admin", "/user/<ann>").header("ETag"), changed);
}

TEST_F(CliMonitor, AFollowedUserThatGoesBackInTimeIsFound) {
  stage().add("ann");
  const StaleProxy stale{stage().server().endpoint()};
  HttpClient client{{.port = stale.port()}};
  const HttpRequest read{.target = stage().fill_in("/user/<ann>"),
                         .headers = {bearer(stage().token("ann"))}};
  EXPECT_EQ(client.send(read).status, 200U);
  stage().run(
      Step{.who = "admin", .request = "PATCH /user/<ann>", .body = R"({"last_name": "changed"})"});
  MonitorRun monitor{stage(),
                     {"--duration", "2s", "--follow-bound", "0s", "--follow", stage().known("ann"),
                      url(), base_url(stale.port())}};
  EXPECT_EQ(monitor.end(), 1) << monitor.process().all();
  EXPECT_NE(monitor.process().out().find("\"key\":\"user " + stage().known("ann") + "\""),
            std::string::npos);
}

TEST_F(CliMonitor, MetricsAreThereWhileItRuns) {
  MonitorRun monitor{stage(),
                     {"--report-interval", "1s", "--metrics-listen", "127.0.0.1:0", url()}};
  ASSERT_TRUE(monitor.wait_for_intervals(1)) << monitor.process().all();
  std::string line;
  const auto address = monitor.process().wait_for_output(
      std::regex{R"(metrics on http://127\.0\.0\.1:([0-9]+)/metrics)"}, line);
  ASSERT_TRUE(address) << monitor.process().all();
  HttpClient client{{.port = static_cast<std::uint16_t>(std::stoi((*address)[1].str()))}};
  const auto page = client.send({.target = "/metrics"});
  EXPECT_EQ(page.status, 200U);
  EXPECT_NE(page.body.find("user_manager_monitor_up{instance=\"" + url() + "\"} 1"),
            std::string::npos)
      << page.body;
  EXPECT_EQ(client.send({.target = "/"}).status, 404U);
  EXPECT_EQ(monitor.stop(), 0) << monitor.process().all();
}

TEST_F(CliMonitor, ItSignsInAndEndsItsSession) {
  const test::TempDirectory directory;
  const auto sessions = [&] {
    return stage().get("admin", "/auth/sessions").json().as_array().size();
  };
  const auto before = sessions();
  const auto ran =
      run({.program = program(),
           .arguments = {"monitor", "--email", std::string{kAdminEmail}, "--password-file",
                         directory.write("password", std::string{kPassword}), "--duration", "500ms",
                         url()}});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find(" summary of "), std::string::npos) << ran.out;
  EXPECT_EQ(sessions(), before);
}

TEST_F(CliMonitor, AnAccountWithoutTheRightIsRefusedInOneLine) {
  stage().add("ann");
  const test::TempDirectory directory;
  const auto ran = run({.program = program(),
                        .arguments = {"monitor", "--token-file",
                                      directory.write("token", stage().token("ann")), url()}});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.err,
            "user-manager: the monitor needs the account of an administrator: 403 forbidden\n");
  EXPECT_TRUE(has_no_probes(stage()));
}

TEST(CliMonitorTls, CertificatesAreVerified) {
  const test::TempDirectory directory;
  const SelfSigned pair = make_self_signed();
  const std::string certificate = directory.write("cert.pem", pair.certificate_pem);
  Stage stage{{.arguments = {"--tls-cert", certificate, "--tls-key",
                             directory.write("key.pem", pair.key_pem)},
               .tls = true}};
  const std::string url = "https://localhost:" + std::to_string(stage.server().endpoint().port);
  MonitorRun trusting{stage, {"--duration", "500ms", "--ca-file", certificate, url}};
  EXPECT_EQ(trusting.end(), 0) << trusting.process().all();
  EXPECT_GT(trusting.count("reads"), 0);
  MonitorRun distrusting{stage, {"--duration", "500ms", url}};
  EXPECT_EQ(distrusting.end(), 1);
  EXPECT_NE(distrusting.process().err().find("certificate"), std::string::npos)
      << distrusting.process().err();
}

}  // namespace
}  // namespace um::e2e

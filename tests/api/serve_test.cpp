// `user-manager serve` as a process: its messages, its lock on the database, its end.
#include <csignal>

#include <gtest/gtest.h>

#include "support/database_probe.hpp"
#include "support/invariants.hpp"
#include "support/json.hpp"
#include "support/scenario.hpp"

namespace um::e2e {
namespace {

RunResult serve(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "serve");
  return run({.program = program(), .arguments = std::move(arguments)});
}

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

TEST(Serve, SaysWhereItIsAndHowToMakeAnAdministrator) {
  ServerUnderTest server;
  std::string matched;
  const std::regex command{R"(user create .*--role admin.*)"};
  ASSERT_TRUE(server.process().wait_for_output(command, matched)) << server.process().all();
  // The printed command works as it is, from any folder; here it cannot ask on a terminal.
  const auto at = matched.find("user create");
  const auto line_begin = matched.rfind('\n', at) + 1;
  const auto command_line = matched.substr(line_begin, matched.find('\n', at) - line_begin);
  const auto made = run({.program = "/bin/sh",
                         .arguments = {"-c", command_line + " --password-stdin"},
                         .input = std::string{kPassword} + "\n",
                         .working_directory = "/"});
  EXPECT_EQ(made.code, 0) << command_line << made.err;
  auto client = server.client();
  EXPECT_TRUE(eventually([&] {
    return client
               .send({.method = "POST",
                      .target = "/auth/login",
                      .body = R"({"email": "you@example.com", "password": "open-Sesame-1"})"})
               .status == 200;
  }));
  const auto said = server.process().out();
  EXPECT_NE(said.find("127.0.0.1:" + std::to_string(server.endpoint().port)), std::string::npos);
  EXPECT_NE(said.find(server.database()), std::string::npos) << said;
  EXPECT_NE(said.find("SQLite"), std::string::npos) << said;
  EXPECT_EQ(said.find("password="), std::string::npos) << said;
}

TEST(Serve, SaysNothingAboutAdministratorsWhenThereIsOne) {
  ServerUnderTest server;
  create_admin(server);
  server.stop();
  server.start();
  server.stop();
  server.process().drain_output();
  EXPECT_EQ(server.process().all().find("--role admin"), std::string::npos)
      << server.process().all();
}

TEST(Serve, KeepsUsersSessionsAndKeysOverARestart) {
  ServerUnderTest server;
  create_admin(server);
  auto before = server.client();
  const auto token = sign_in(before, kAdminEmail);
  EXPECT_EQ(server.stop().code, 0);
  server.start();
  auto after = server.client();
  EXPECT_EQ(after.send({.target = "/auth/me", .headers = {bearer(token)}}).status, 200U);
  EXPECT_EQ(server.stop().code, 0);
}

TEST(Serve, ASecondOneOnTheSameDatabaseIsRefused) {
  ServerUnderTest server;
  const auto second =
      serve({"--listen", "127.0.0.1:0", "--database", "sqlite:" + server.database()});
  EXPECT_TRUE(second.code == 1 || second.code == 2) << second.code;
  EXPECT_EQ(lines_in(second.err), 1U) << second.err;
  EXPECT_NE(second.err.find(server.database()), std::string::npos) << second.err;
  EXPECT_EQ(second.out, "");
  auto client = server.client();
  EXPECT_EQ(client.send({.target = "/readyz"}).status, 200U);
  // The lock ends with the process, however the process ends.
  server.kill();
  server.start();
}

TEST(Serve, ASecondOneOnTheSamePortIsRefused) {
  ServerUnderTest server;
  const test::TempDirectory other;
  const auto second = serve({"--listen", "127.0.0.1:" + std::to_string(server.endpoint().port),
                             "--database", "sqlite:" + other.file("users.db")});
  EXPECT_TRUE(second.code == 1 || second.code == 2) << second.code;
  EXPECT_EQ(lines_in(second.err), 1U) << second.err;
  EXPECT_NE(second.err.find(std::to_string(server.endpoint().port)), std::string::npos)
      << second.err;
}

TEST(Serve, DatabasesThatCannotBeAreRefused) {
  const test::TempDirectory directory;
  const auto not_a_database =
      directory.write("text.db", std::string(8192, 'x') + "this is no database");
  for (const auto& url : {"sqlite:" + not_a_database, "sqlite:" + directory.path().string(),
                          std::string{"sqlite:/proc/no/such/place/users.db"}}) {
    const auto result = serve({"--listen", "127.0.0.1:0", "--database", url});
    EXPECT_TRUE(result.code == 1 || result.code == 2) << url << result.code;
    EXPECT_EQ(lines_in(result.err), 1U) << result.err;
  }
}

TEST(Serve, WithoutADatabaseSettingOneIsMadeBelowTheWorkingDirectory) {
  const test::TempDirectory directory;
  Process process{{.program = program(),
                   .arguments = {"serve", "--listen", "127.0.0.1:0"},
                   .working_directory = directory.path().string()}};
  std::string matched;
  ASSERT_TRUE(process.wait_for_output(std::regex{"user create"}, matched)) << process.all();
  const auto database = directory.path() / "data" / "users.db";
  ASSERT_TRUE(std::filesystem::exists(database));
  // Other users of the machine must not read the hashes in it.
  const auto permissions = std::filesystem::status(database).permissions();
  EXPECT_EQ(permissions & std::filesystem::perms::others_all, std::filesystem::perms::none);
  process.send_signal(SIGTERM);
  EXPECT_EQ(process.wait()->code, 0);
}

TEST(Serve, SigtermFinishesWhatIsUnderWayAndEndsWithZero) {
  for (const int signal : {SIGTERM, SIGINT}) {
    ServerUnderTest server;
    create_admin(server);
    auto client = server.client();
    const auto token = sign_in(client, kAdminEmail);
    // A request is under way until its body is complete.
    const std::string body = R"({"first_name": "Finished"})";
    HttpConnection under_way{server.endpoint()};
    under_way.write("PATCH /user/1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token +
                    "\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
                    "Content-Length: " +
                    std::to_string(body.size()) + "\r\n\r\n");
    ASSERT_EQ(under_way.read_response()->status, 100U);
    HttpConnection idle{server.endpoint()};
    EXPECT_EQ(idle.exchange({.target = "/healthz"}).status, 200U);

    server.process().send_signal(signal);
    // Idle connections are closed; new ones are not accepted.
    EXPECT_EQ(idle.read_to_end(), "");
    EXPECT_TRUE(server.process().running());
    under_way.write(body);
    const auto answer = under_way.read_response();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200U) << answer->text();
    EXPECT_TRUE(answer->closes());
    EXPECT_EQ(under_way.read_to_end(), "");
    // The server would wait for a client that does not close its side in turn.
    {
      const HttpConnection closed{std::move(under_way)}, also{std::move(idle)};
    }
    const auto exit = server.process().wait();
    ASSERT_TRUE(exit) << server.process().all();
    EXPECT_EQ(exit->code, 0) << server.process().all();
    EXPECT_THROW(HttpConnection{server.endpoint()}, std::system_error);

    // The write that was answered is stored.
    DatabaseProbe probe{server.database()};
    EXPECT_EQ(probe.value("SELECT first_name FROM users WHERE id = 1"), "Finished");
    EXPECT_EQ(probe.integrity(), "ok");
  }
}

TEST(Serve, ReadyzSaysNoWhileItDrains) {
  ServerUnderTest server;
  // Both are under way when the signal comes: the first keeps the process alive, the second is
  // completed afterwards.
  HttpConnection holder{server.endpoint()};
  HttpConnection asker{server.endpoint()};
  holder.write(
      "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: "
      "100-continue\r\nContent-Length: 2\r\n\r\n");
  asker.write(
      "GET /readyz HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  ASSERT_EQ(holder.read_response()->status, 100U);
  ASSERT_EQ(asker.read_response()->status, 100U);
  HttpConnection idle{server.endpoint()};
  idle.exchange({.target = "/healthz"});
  server.process().send_signal(SIGTERM);
  EXPECT_EQ(idle.read_to_end(), "");  // the drain has begun
  asker.write("{}");
  const auto answer = asker.read_response();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 503U) << answer->text();
  holder.write("{}");
  EXPECT_EQ(holder.read_response()->status, 422U);
  {
    const HttpConnection closed[]{std::move(holder), std::move(asker), std::move(idle)};
  }
  EXPECT_EQ(server.process().wait()->code, 0);
}

// A load balancer goes on sending clients until it has seen that the server is not ready.
TEST(Serve, WithAShutdownDelayItAnswersForThatLongWhileReadyzSaysNo) {
  ServerUnderTest server{{.arguments = {"--shutdown-delay", "2"}}};
  HttpConnection used{server.endpoint()};
  EXPECT_FALSE(used.exchange({.target = "/healthz"}).closes());
  const auto sent = Steady::now();
  server.process().send_signal(SIGTERM);
  HttpResponse ready;
  ASSERT_TRUE(eventually([&] {
    HttpConnection next{server.endpoint()};
    ready = next.exchange({.target = "/readyz"});
    return ready.status == 503;
  }));
  EXPECT_TRUE(ready.closes());
  EXPECT_EQ(text_at(ready.json(), "/errors/0/field"), "draining") << ready.text();
  for (const char* target : {"/healthz", "/.well-known/jwks.json"}) {
    HttpConnection next{server.endpoint()};
    const auto answer = next.exchange({.target = target});
    EXPECT_EQ(answer.status, 200U) << target;
    EXPECT_TRUE(answer.closes()) << target;
  }
  const auto last = used.exchange({.target = "/healthz"});
  EXPECT_EQ(last.status, 200U);
  EXPECT_TRUE(last.closes());
  {
    const HttpConnection closed{std::move(used)};
  }
  const auto exit = server.process().wait();
  ASSERT_TRUE(exit) << server.process().all();
  EXPECT_EQ(exit->code, 0) << server.process().all();
  EXPECT_GE(Steady::now() - sent, std::chrono::seconds{2});
}

TEST(Serve, ASecondSignalEndsTheShutdownDelay) {
  ServerUnderTest server{{.arguments = {"--shutdown-delay", "60s"}}};
  server.process().send_signal(SIGTERM);
  ASSERT_TRUE(eventually([&] {
    HttpConnection next{server.endpoint()};
    return next.exchange({.target = "/readyz"}).status == 503;
  }));
  server.process().send_signal(SIGTERM);
  const auto exit = server.process().wait();
  ASSERT_TRUE(exit) << server.process().all();
  EXPECT_EQ(exit->code, 0) << server.process().all();
}

TEST(Serve, AClientThatNeverFinishesDoesNotHoldItUpForEver) {
  ServerUnderTest server;
  HttpConnection stuck{server.endpoint()};
  stuck.write(
      "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: "
      "100-continue\r\nContent-Length: 2\r\n\r\n");
  ASSERT_EQ(stuck.read_response()->status, 100U);
  server.process().send_signal(SIGTERM);
  const auto exit = server.process().wait(Steady::now() + 3 * kPatience);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->signal, 0);
}

TEST(Serve, NewConnectionsOverTheLimitAreRefusedAndTheOthersGoOn) {
  ServerUnderTest server{{.arguments = {"--max-connections", "20"}}};
  std::vector<HttpConnection> open;
  for (int i = 0; i < 20; ++i) {
    open.emplace_back(server.endpoint());
    // A request is counted after its answer.
    if (open.back().exchange({.target = "/healthz"}).status != 200) ADD_FAILURE() << i;
  }
  HttpConnection one_more{server.endpoint()};
  one_more.write("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto refused = one_more.read_to_end();
  EXPECT_TRUE(refused.empty() || refused.starts_with("HTTP/1.1 503")) << refused;
  EXPECT_EQ(open.front().exchange({.target = "/healthz"}).status, 200U);
  open.pop_back();
  EXPECT_TRUE(eventually([&] {
    try {
      HttpConnection next{server.endpoint()};
      return next.exchange({.target = "/healthz"}).status == 200;
    } catch (const std::runtime_error&) {
      return false;
    }
  }));
}

TEST(Serve, TheLogHoldsNoSecrets) {
  ServerUnderTest server{{.arguments = {"--log-level", "debug", "--log-format", "json"}}};
  create_admin(server);
  auto client = server.client();
  const auto token = sign_in(client, kAdminEmail);
  client.send({.target = "/auth/me?token=" + token, .headers = {bearer(token)}});
  client.send({.method = "POST",
               .target = "/auth/login",
               .body = R"({"email": "x@example.test", "password": "logged-Sesame?"})"});
  EXPECT_EQ(server.stop().code, 0);
  server.process().drain_output();
  const auto log = server.process().all();
  EXPECT_EQ(log.find(kPasswordMark), std::string::npos) << log;
  EXPECT_EQ(log.find(token), std::string::npos) << log;
  EXPECT_EQ(log.find("$2b$"), std::string::npos) << log;
}

}  // namespace
}  // namespace um::e2e

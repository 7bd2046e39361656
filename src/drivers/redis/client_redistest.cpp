// The client against the real server.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/redis/client.hpp"
#include "support/loop_thread.hpp"
#include "support/patience.hpp"
#include "support/redis_server.hpp"
#include "support/run_task.hpp"
#include "support/self_signed.hpp"

namespace um::redis {
namespace {

using namespace std::chrono_literals;
using e2e::eventually;
using e2e::RedisServer;
using e2e::RedisServerOptions;
using Kind = Failure::Kind;

class RealRedis : public ::testing::Test {
 protected:
  struct Patience {
    std::chrono::nanoseconds timeout = 5s;
    std::chrono::nanoseconds connect = 5s;
  };
  void connect(const std::string& url) { connect(url, Patience{}); }
  void connect(const std::string& url, Patience patience) {
    client_ = std::make_unique<Client>(
        ClientOptions{.endpoint = parse_url(url).value(),
                      .client_name = "tester",
                      .timeout = patience.timeout,
                      .connect_timeout = patience.connect,
                      .breaker = {.first_pause = 5ms, .longest_pause = 20ms}},
        clock_, loop_.loops());
  }
  bool connected() {
    return eventually([&] { return client_->stats().connected == 1; });
  }
  bool disconnected() {
    return eventually([&] { return client_->stats().connected == 0; });
  }
  Outcome<Reply> call(Command command) {
    return test::run(client_->call(std::move(command), Deadline::never()));
  }
  std::uint64_t breakages(Breakage why) const {
    return client_->stats().breakages.at(static_cast<std::size_t>(why));
  }

  SystemClock clock_;
  test::LoopThread loop_;
  std::unique_ptr<Client> client_;
};

TEST_F(RealRedis, ValuesComeBackAsTheyWere) {
  RedisServer server;
  connect(server.url());
  std::string bytes(100'000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7);
  const auto set = call(Command{"SET", "key", bytes, "PX", "60000"});
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_EQ(set->kind, Reply::Kind::status);
  EXPECT_EQ(set->text, "OK");
  const auto got = call(Command{"GET", "key"});
  ASSERT_TRUE(got);
  EXPECT_TRUE(got->text == bytes);
  EXPECT_TRUE(call(Command{"GET", "other"})->is_nil());
  EXPECT_THAT(server.cli({"CLIENT", "LIST"}), ::testing::HasSubstr("name=tester"));
}

TEST_F(RealRedis, PasswordAndDatabaseAreUsed) {
  RedisServer server{{.password = "ge:heim"}};
  connect("redis://default:ge%3Aheim@127.0.0.1:" + std::to_string(server.port()) + "/3");
  ASSERT_TRUE(call(Command{"SET", "a", "1"}));
  EXPECT_EQ(server.cli({"-n", "3", "GET", "a"}), "1");
}

TEST_F(RealRedis, AWrongPasswordLetsNobodyIn) {
  RedisServer server{{.password = "geheim"}};
  for (const char* credentials : {":wrong@", ""}) {
    connect("redis://" + std::string{credentials} + "127.0.0.1:" + std::to_string(server.port()));
    EXPECT_TRUE(eventually([&] { return breakages(Breakage::refused) >= 2; }));
    EXPECT_EQ(call(Command{"GET", "a"}).error().kind, Kind::unavailable);
  }
}

TEST_F(RealRedis, TlsWithACertificateThatIsTrusted) {
  RedisServer server{{.password = "geheim", .tls = RedisServerOptions::Tls::yes}};
  connect(server.url());
  const auto set = call(Command{"SET", "a", std::string(50'000, 'x')});
  ASSERT_TRUE(set) << set.error().message << client_->stats().last_breakage;
  EXPECT_EQ(call(Command{"GET", "a"})->text.size(), 50'000u);
}

TEST_F(RealRedis, TlsWithAnyOtherCertificateIsNoConnection) {
  RedisServer server{{.tls = RedisServerOptions::Tls::yes}};
  const std::string port = std::to_string(server.port());
  test::TempDirectory directory;
  const std::string another = directory.write("other.crt", e2e::make_self_signed().certificate_pem);
  for (const std::string& url :
       {"rediss://localhost:" + port,                                 // not trusted by the system
        "rediss://localhost:" + port + "?ca=" + another,              // signed by another CA
        "rediss://127.0.0.1:" + port + "?ca=" + server.ca_file()}) {  // of another name
    connect(url);
    EXPECT_TRUE(eventually([&] { return breakages(Breakage::tls) >= 1; })) << url;
    EXPECT_EQ(client_->stats().connections, 0u) << url;
  }
}

TEST_F(RealRedis, PlainToATlsServerAndTlsToAPlainOneFail) {
  RedisServer tls{{.tls = RedisServerOptions::Tls::yes}};
  connect("redis://127.0.0.1:" + std::to_string(tls.port()));
  EXPECT_TRUE(eventually([&] { return client_->stats().open == 1; }));
  RedisServer plain;
  connect("rediss://localhost:" + std::to_string(plain.port()) + "?ca=" + tls.ca_file(),
          {.connect = 100ms});
  EXPECT_TRUE(eventually([&] { return client_->stats().open == 1; }));
  EXPECT_EQ(client_->stats().connections, 0u);
}

TEST_F(RealRedis, AFileThatIsNoCertificateStopsTheStart) {
  EXPECT_THROW(connect("rediss://localhost?ca=/nonexistent"), std::invalid_argument);
}

TEST_F(RealRedis, ARestartIsNoticedAndOvercome) {
  RedisServer server;
  connect(server.url());
  ASSERT_TRUE(call(Command{"SET", "a", "1"}));
  server.stop();
  EXPECT_TRUE(disconnected());
  EXPECT_TRUE(eventually([&] { return client_->stats().open == 1; }));
  EXPECT_EQ(call(Command{"GET", "a"}).error().kind, Kind::unavailable);
  server.start();
  EXPECT_TRUE(connected());
  EXPECT_TRUE(call(Command{"GET", "a"})->is_nil());
}

TEST_F(RealRedis, AServerThatStandsStillCostsEachCallItsTimeoutAtMost) {
  RedisServer server;
  connect(server.url(), {.timeout = 50ms});
  ASSERT_TRUE(connected());
  server.pause();
  std::chrono::nanoseconds longest{0};
  for (int i = 0; i < 200 && client_->stats().open == 0; ++i) {
    const BootTime before = clock_.now();
    EXPECT_FALSE(call(Command{"GET", "a"}));
    longest = std::max(longest, clock_.now() - before);
  }
  EXPECT_LT(longest, 1s) << "50 ms and what a busy machine adds";
  server.resume();
  EXPECT_TRUE(eventually([&] { return call(Command{"GET", "a"}).has_value(); }));
}

TEST_F(RealRedis, AFullServerStillAnswersReads) {
  RedisServer server{{.arguments = {"--maxmemory", "1", "--maxmemory-policy", "noeviction"}}};
  connect(server.url());
  const auto full = call(Command{"SET", "a", "1"});
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().error, ErrorClass::out_of_memory);
  EXPECT_TRUE(call(Command{"GET", "a"}));
  EXPECT_EQ(client_->stats().open, 0u);
}

TEST_F(RealRedis, AReadOnlyReplicaStillAnswersReads) {
  RedisServer server;
  connect(server.url());
  ASSERT_TRUE(call(Command{"SET", "a", "1"}));
  server.cli({"REPLICAOF", "127.0.0.1", "1"});
  const auto written = call(Command{"SET", "a", "2"});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().error, ErrorClass::read_only);
  EXPECT_EQ(call(Command{"GET", "a"})->text, "1");
}

TEST_F(RealRedis, AScriptSurvivesAFlushOfScripts) {
  RedisServer server;
  connect(server.url());
  const Script script{"return redis.call('INCR', KEYS[1]) + ARGV[1]"};
  auto eval = [&] {
    return test::run(
        client_->eval(script, {.keys = {"n"}, .arguments = {"10"}}, Deadline::never()));
  };
  EXPECT_EQ(eval()->integer, 11);
  EXPECT_EQ(eval()->integer, 12);
  server.cli({"SCRIPT", "FLUSH"});
  EXPECT_EQ(eval()->integer, 13);
}

}  // namespace
}  // namespace um::redis

// Two instances on one database, without and with Redis: each knows the state that the other has
// written.
#include <sstream>

#include <gtest/gtest.h>

#include "support/json.hpp"
#include "support/patience.hpp"
#include "support/postgres_database.hpp"
#include "support/redis_server.hpp"
#include "support/scenario.hpp"

namespace um::e2e {
namespace {

using namespace std::chrono_literals;

enum class Redis { without, with };

class SharedStorage final : public TestStorage {
 public:
  explicit SharedStorage(Redis redis) {
    if (redis == Redis::with) redis_ = std::make_unique<RedisServer>();
  }
  std::string database() const override { return database_.url(); }
  std::vector<std::string> serve_arguments() const override {
    if (!redis_) return {};
    return {"--redis", redis_->url(), "--redis-timeout", "2s"};
  }
  void execute(const std::string& sql) override { database_.session().execute(sql); }
  RedisServer& redis() { return *redis_; }

 private:
  test::TestDatabase database_;
  std::unique_ptr<RedisServer> redis_;
};

class Instances : public ::testing::TestWithParam<Redis> {
 protected:
  Instances()
      : storage_{std::make_shared<SharedStorage>(GetParam())},
        one_{ServeOptions{.storage = storage_}},
        other_{ServeOptions{.storage = storage_}} {
    one_.add("ann");
  }

  HttpResponse ask_other(const std::string& who, const std::string& target) {
    return client_of_other_.send(
        {.target = one_.fill_in(target), .headers = {bearer(one_.token(who))}});
  }
  static bool from_memory(const HttpResponse& answer) {
    return answer.header("Cache-Status") == "user-manager; hit; detail=L1";
  }
  // Without the announcements of queries of the primary.
  std::size_t facts_in_redis() {
    std::istringstream lines{storage_->redis().cli({"KEYS", "*"})};
    std::size_t count = 0;
    for (std::string name; std::getline(lines, name);) count += !name.ends_with(":l") ? 1U : 0U;
    return count;
  }
  static HttpRequest login(const std::string& email, const std::string& password) {
    return {.method = "POST",
            .target = "/auth/login",
            .body = R"({"email": ")" + email + R"(", "password": ")" + password + R"("})"};
  }

  const std::shared_ptr<SharedStorage> storage_;
  Stage one_;
  ServerUnderTest other_;
  HttpClient client_of_other_ = other_.client();
};

TEST_P(Instances, FailuresSpreadOverThemCloseTheAccountOnAll) {
  const std::string email = one_.known("ann.email");
  auto here = one_.server().client();
  for (int i = 0; i < 10; ++i) {
    auto& client = i % 2 == 0 ? here : client_of_other_;
    EXPECT_EQ(client.send(login(email, "wrong-Sesame")).status, 401U) << i;
  }
  // The last failure is counted in the background.
  for (HttpClient* client : {&here, &client_of_other_}) {
    EXPECT_TRUE(
        eventually([&] { return client->send(login(email, "open-Sesame-1")).status == 429; }));
    const auto refused = client->send(login(email, "open-Sesame-1"));
    EXPECT_GE(std::stoi(refused.header("Retry-After").value_or("0")), 14 * 60);
  }
}

TEST_P(Instances, SignInsAreCountedWhereAllSeeThem) {
  const auto counted = [&](const std::string& where) {
    const std::string page = client_of_other_.send({.target = "/metrics"}).body;
    const std::string name = "user_manager_sign_in_places_total{counted=\"" + where + "\"} ";
    const auto at = page.find(name);
    return at == std::string::npos ? -1 : std::stoi(page.substr(at + name.size()));
  };
  EXPECT_EQ(counted("everywhere"), 0);
  EXPECT_EQ(client_of_other_.send(login(one_.known("ann.email"), "open-Sesame-1")).status, 200U);
  EXPECT_EQ(counted("everywhere"), 1);
  EXPECT_EQ(counted("here"), 0);
}

TEST_P(Instances, ARevokedKeyEndsItsTokensOnAllInABlink) {
  ASSERT_EQ(ask_other("ann", "/auth/me").status, 200U);
  const auto keys = one_.server().cli({"keys", "list", "--json"});
  ASSERT_EQ(keys.code, 0) << keys.err;
  const std::string kid = text_at(parse_json(keys.out), "/0/kid");
  ASSERT_EQ(one_.server().cli({"keys", "revoke", kid}).code, 0);
  const auto revoked_at = Steady::now();
  EXPECT_TRUE(eventually([&] { return ask_other("ann", "/auth/me").status == 401; }));
  // Far below the interval at which every instance reads the keys.
  EXPECT_LT(Steady::now() - revoked_at, 3s);
  EXPECT_TRUE(eventually([&] { return one_.get("ann", "/auth/me").status == 401; }));
  // And the others follow to the next key.
  one_.sign_in_again("ann");
  EXPECT_EQ(ask_other("ann", "/auth/me").status, 200U);
}

TEST_P(Instances, MemoryIsUsedAgainAfterAMoveToAnotherNamespace) {
  const auto remembered = [&] { return from_memory(ask_other("admin", "/user/<ann>")); };
  ASSERT_TRUE(eventually(remembered));
  for (int i = 0; i < 3; ++i) {
    storage_->execute("SELECT bump_cache_epoch()");
    const auto bumped_at = Steady::now();
    EXPECT_TRUE(eventually([&] { return !remembered(); }));
    EXPECT_TRUE(eventually(remembered));
    EXPECT_LT(Steady::now() - bumped_at, 5s);
  }
}

TEST_P(Instances, ADroppedUserIsReadAnewEverywhere) {
  const auto by_id = [&] { return from_memory(ask_other("admin", "/user/<ann>")); };
  const auto by_email = [&] {
    return from_memory(one_.get("admin", "/users/by-email/<ann.email>"));
  };
  ASSERT_TRUE(eventually(by_id));
  ASSERT_TRUE(eventually(by_email));
  std::size_t before = 0;
  if (GetParam() == Redis::with) {
    EXPECT_TRUE(eventually([&] { return std::exchange(before, facts_in_redis()) == before; }));
  }
  one_.run(Step{.who = "admin", .request = "DELETE /cache/user/<ann>"});
  if (GetParam() == Redis::with) {
    EXPECT_EQ(facts_in_redis(), before - 2) << "the user by id, and the address";
  }
  EXPECT_FALSE(by_email());
  EXPECT_TRUE(eventually([&] { return !by_id(); }));
  EXPECT_TRUE(eventually(by_id));
}

INSTANTIATE_TEST_SUITE_P(OnPostgres, Instances, ::testing::Values(Redis::without, Redis::with),
                         [](const auto& test) {
                           return test.param == Redis::with ? "WithRedis" : "WithoutRedis";
                         });

}  // namespace
}  // namespace um::e2e

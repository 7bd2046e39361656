// kill -9 during writes, several times: acknowledged writes persist. Runs on every set-up.
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "support/database_probe.hpp"
#include "support/json.hpp"
#include "support/promise.hpp"
#include "support/scenario.hpp"

namespace um::e2e {
namespace {

// The acknowledged writes of one writer. "Tried" includes the call that the kill interrupted.
struct Ledger {
  std::string id{};  // of the user that it changes
  std::string email{};
  int names_tried = 0;
  int names_done = 0;
  int usages_tried = 0;
  int usages_done = 0;
  std::vector<std::string> created{};     // addresses
  std::vector<std::string> logged_out{};  // tokens
};

class KillTest : public ::testing::Test {
 protected:
  static constexpr std::size_t kWriters = 4;
  static int rounds() { return set_up() == SetUp::sqlite ? 12 : 5; }

  void SetUp() override {
    for (std::size_t i = 0; i < kWriters; ++i) {
      const std::string name = "w" + std::to_string(i);
      stage_.add(Person{.name = name, .first_name = "0"});
      ledgers_.push_back({.id = stage_.known(name), .email = stage_.known(name + ".email")});
    }
  }

  HttpRequest as_admin(std::string method, std::string target, std::string body) const {
    return {.method = std::move(method),
            .target = std::move(target),
            .headers = {bearer(stage_.token("admin"))},
            .body = std::move(body)};
  }

  // Makes one write; false if the server has ended.
  bool write_once(HttpClient& client, Ledger& own, int turn) {
    switch (turn % 4) {
      case 0: {
        ++own.names_tried;
        const auto answer = client.send(
            as_admin("PATCH", "/user/" + own.id,
                     R"({"first_name": ")" + std::to_string(own.names_tried) + R"("})"));
        if (answer.status == 200) own.names_done = own.names_tried;
        return answer.status == 200;
      }
      case 1: {
        ++own.usages_tried;
        const auto answer =
            client.send(as_admin("POST", "/user/" + own.id + "/usage", R"({"usd": "0.000001"})"));
        if (answer.status == 200) ++own.usages_done;
        return answer.status == 200;
      }
      case 2: {
        const auto email = "made" + std::to_string(++made_) + "@example.test";
        const auto answer = client.send(as_admin(
            "POST", "/user/", R"({"email": ")" + email + R"(", "password": "open-Sesame-1"})"));
        if (answer.status == 201) own.created.push_back(email);
        return answer.status == 201;
      }
      default: {
        const auto token = sign_in(client, own.email);
        const auto answer =
            client.send({.method = "POST", .target = "/auth/logout", .headers = {bearer(token)}});
        if (answer.status == 200) own.logged_out.push_back(token);
        return answer.status == 200;
      }
    }
  }

  // Runs all writers; kills the server after `writes` acknowledged writes.
  void write_until_killed(int writes) {
    std::atomic<int> acknowledged{0};
    std::atomic<int> unexpected{0};
    std::atomic<bool> killed{false};
    {
      std::vector<std::jthread> writers;
      for (std::size_t i = 0; i < kWriters; ++i) {
        writers.emplace_back([&, i] {
          auto client = stage_.server().client();
          for (int turn = static_cast<int>(i);; ++turn) {
            try {
              if (!write_once(client, ledgers_[i], turn)) ++unexpected;
              ++acknowledged;
            } catch (const std::exception&) {
              if (!killed) ++unexpected;
              return;
            }
          }
        });
      }
      EXPECT_TRUE(eventually([&] { return acknowledged >= writes; }));
      killed = true;
      stage_.server().kill();
    }
    EXPECT_EQ(unexpected.load(), 0);
  }

  void expect_everything_is_there() {
    if (set_up() == SetUp::sqlite) {
      DatabaseProbe probe{stage_.server().database()};
      EXPECT_EQ(probe.integrity(), "ok") << test::kBroken;
      EXPECT_EQ(probe.value("PRAGMA foreign_key_check"), "");
    }
    auto client = stage_.server().client();
    const auto get = [&](const std::string& target) {
      return send_patiently(client, as_admin("GET", target, "")).json();
    };
    for (const auto& own : ledgers_) {
      const auto user = get("/user/" + own.id);
      const int name = std::stoi(text_at(user, "/first_name"));
      EXPECT_GE(name, own.names_done) << test::kBroken;
      EXPECT_LE(name, own.names_tried);
      const auto used = user.at("used_usd").to_number<double>() * 1e6;
      EXPECT_GE(used, own.usages_done - 0.5) << test::kBroken;
      EXPECT_LE(used, own.usages_tried + 0.5) << test::kBroken;
      // Only the newest of each list: the others were checked after an earlier kill.
      for (const auto& email : newest(own.created)) {
        EXPECT_EQ(text_at(get("/users/by-email/" + email), "/email"), email) << test::kBroken;
        EXPECT_EQ(get("/users/search?keyword=" + email).as_array().size(), 1U) << email;
      }
      for (const auto& token : newest(own.logged_out)) {
        const auto answer = client.send({.target = "/auth/me", .headers = {bearer(token)}});
        EXPECT_EQ(answer.status, 401U) << test::kBroken << answer.text();
      }
    }
  }

  static std::span<const std::string> newest(const std::vector<std::string>& all) {
    constexpr std::size_t kNewest = 40;
    return std::span{all}.last(std::min(kNewest, all.size()));
  }

  Stage stage_;
  std::vector<Ledger> ledgers_;
  std::atomic<int> made_{0};
};

TEST_F(KillTest, EveryAcknowledgedWriteSurvives) {
  std::mt19937 random{20'26};  // NOLINT: the same places in every run
  std::uniform_int_distribution<int> writes{5, 120};
  for (int round = 0; round < rounds(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    write_until_killed(writes(random));
    stage_.server().start();
    expect_everything_is_there();
  }
  int done = 0;
  for (const auto& own : ledgers_) {
    done += own.names_done + own.usages_done + static_cast<int>(own.created.size());
  }
  EXPECT_GT(done, 10 * rounds());
  EXPECT_EQ(stage_.server().stop().code, 0);
}

TEST_F(KillTest, AnIdempotencyKeyCountsOnceOverAKill) {
  for (int round = 0; round < 5; ++round) {
    const std::string key = "over-a-kill-" + std::to_string(round);
    auto request = as_admin("POST", "/user/" + ledgers_[0].id + "/usage", R"({"usd": "1"})");
    request.headers.emplace_back("Idempotency-Key", key);
    // Killed while the answer may or may not be on its way.
    HttpConnection connection{stage_.server().endpoint()};
    connection.write(request.text());
    if (round % 2 == 0) {
      EXPECT_EQ(connection.read_response()->status, 200U);
    }
    stage_.server().kill();
    stage_.server().start();
    auto client = stage_.server().client();
    const auto again = client.send(request);
    EXPECT_EQ(again.status, 200U) << again.text();
    EXPECT_EQ(text_at(again.json(), "/used_usd"), std::to_string(round + 1)) << again.text();
  }
}

}  // namespace
}  // namespace um::e2e

// POST /user/{id}/usage: exact sums, one count for each Idempotency-Key, concurrent requests.
#include <thread>

#include "support/json.hpp"
#include "support/stage_test.hpp"

namespace um::e2e {
namespace {

class Usage : public StageTest<Usage> {
 protected:
  void SetUp() override {
    stage().add({"ann", "bob"});
    stage().add(Person{.name = "robot", .role = "service"});
  }
  static Step record(std::string body, unsigned status = 200) {
    return Step{.who = "robot",
                .request = "POST /user/<ann>/usage",
                .body = std::move(body),
                .status = status};
  }
};

TEST_F(Usage, AddsExactlyAndComparesWithTheQuota) {
  stage().run({
      {.who = "robot",
       .request = "POST /user/<ann>/usage",
       .body = R"({"usd": "0.0123"})",
       .json = R"({"used_usd": 0.0123, "quota_usd": null, "remaining_usd": null,
                   "quota_exceeded": false})"},
      {.who = "admin", .request = "PATCH /user/<ann>", .body = R"({"quota_usd": "0.1"})"},
      {.who = "admin",
       .request = "POST /user/<ann>/usage",
       .body = R"({"usd": 0.0377})",
       .json = R"({"used_usd": 0.05, "quota_usd": 0.1, "remaining_usd": 0.05,
                   "quota_exceeded": false})"},
      {.who = "robot",
       .request = "POST /user/<ann>/usage",
       .body = R"({"usd": "0.05"})",
       .json = R"({"used_usd": 0.1, "remaining_usd": 0, "quota_exceeded": "@any"})"},
      {.who = "robot",
       .request = "POST /user/<ann>/usage",
       .body = R"({"usd": "0.000001"})",
       .json = R"({"used_usd": 0.100001, "quota_exceeded": true})"},
      {.who = "robot",
       .request = "POST /user/<ann>/usage",
       .body = R"({"usd": 0})",
       .json = R"({"used_usd": 0.100001})"},
      {.who = "ann",
       .request = "GET /user/<ann>",
       .headers = {{"Cache-Control", "no-cache"}},
       .json = R"({"used_usd": 0.100001, "quota_usd": 0.1})"},
  });
}

TEST_F(Usage, AmountsAreWrittenWithTheirExactDecimals) {
  const auto answer = stage().run(record(R"({"usd": "1234567.000001"})"));
  EXPECT_NE(answer.body.find("1234567.000001"), std::string::npos) << answer.body;
  const auto second = stage().run(record(R"({"usd": 0.100000})"));
  EXPECT_NE(second.body.find("1234567.100001"), std::string::npos) << second.body;
}

TEST_F(Usage, IsForServicesAndAdministrators) {
  const std::string body = R"({"usd": "1"})";
  stage().run({
      {.request = "POST /user/<ann>/usage", .body = body, .status = 401},
      {.who = "ann", .request = "POST /user/<ann>/usage", .body = body, .status = 403},
      {.who = "bob", .request = "POST /user/<ann>/usage", .body = body, .status = 403},
      {.who = "robot",
       .request = "POST /user/999999999/usage",
       .body = body,
       .status = 404,
       .json = R"({"code": "user_not_found"})"},
      {.who = "admin",
       .request = "GET /user/<ann>",
       .headers = {{"Cache-Control", "no-cache"}},
       .json = R"({"used_usd": 0})"},
  });
}

TEST_F(Usage, BadAmountsAreRefused) {
  for (const auto* body : {R"({"usd": "-0.01"})",
                           R"({"usd": -1})",
                           R"({"usd": "0.0000001"})",
                           R"({"usd": 1e-7})",
                           R"({"usd": "abc"})",
                           R"({"usd": ""})",
                           R"({"usd": null})",
                           R"({"usd": true})",
                           R"({"usd": [1]})",
                           R"({})",
                           R"({"usd": "1", "eur": "1"})",
                           R"({"usd": 1e400})",
                           R"({"usd": "9999999999999999999"})",
                           R"({"usd": 18446744073709551616})",
                           R"({"usd": "1e2"})",
                           R"({"usd": " 1"})",
                           R"({"usd": "+1"})",
                           R"({"usd": "0x10"})",
                           R"({"usd": "1,5"})",
                           R"({"usd": "NaN"})",
                           R"({"usd": "Infinity"})"}) {
    stage().run(record(body, 422));
  }
  stage().run(Step{.who = "admin",
                   .request = "GET /user/<ann>",
                   .headers = {{"Cache-Control", "no-cache"}},
                   .json = R"({"used_usd": 0})"});
}

TEST_F(Usage, ASumThatLeavesTheBoundIsRefusedAndChangesNothing) {
  stage().run(record(R"({"usd": "9000000000"})"));
  stage().run(record(R"({"usd": "0.000001"})", 422));
  stage().run(Step{.who = "admin",
                   .request = "GET /user/<ann>",
                   .headers = {{"Cache-Control", "no-cache"}},
                   .json = R"({"used_usd": 9000000000})"});
}

TEST_F(Usage, TheSameIdempotencyKeyCountsOnce) {
  const auto with_key = [](std::string key, std::string usd, unsigned status) {
    auto step = record(R"({"usd": ")" + usd + R"("})", status);
    step.headers = {{"Idempotency-Key", std::move(key)}};
    return step;
  };
  stage().run({with_key("k-1", "1.5", 200), with_key("k-1", "1.5", 200),
               with_key("k-1", "1.50", 200), with_key("k-2", "1.5", 200)});
  stage().run(with_key("k-1", "2", 409));
  stage().run(with_key(std::string(255, 'k'), "1", 200));
  stage().run(with_key(std::string(256, 'k'), "1", 422));
  // Another user's key is another key.
  auto other = with_key("k-1", "7", 200);
  other.request = "POST /user/<bob>/usage";
  stage().run(other);
  stage().run({{.who = "admin",
                .request = "GET /user/<ann>",
                .headers = {{"Cache-Control", "no-cache"}},
                .json = R"({"used_usd": 4})"},
               {.who = "admin",
                .request = "GET /user/<bob>",
                .headers = {{"Cache-Control", "no-cache"}},
                .json = R"({"used_usd": 7})"}});
}

TEST_F(Usage, ManyAtOnceAddUpExactly) {
  constexpr int kClients = 8;
  constexpr int kEach = 25;
  std::atomic<int> failed{0};
  {
    std::vector<std::jthread> clients;
    for (int i = 0; i < kClients; ++i) {
      clients.emplace_back([&, i] {
        auto client = stage().server().client();
        for (int n = 0; n < kEach; ++n) {
          HttpRequest request{.method = "POST",
                              .target = stage().fill_in("/user/<ann>/usage"),
                              .headers = {bearer(stage().token("robot"))},
                              .body = R"({"usd": "0.000123"})"};
          // Half of the records have a key and are sent twice.
          const bool with_key = n % 2 == 0;
          if (with_key) {
            request.headers.emplace_back("Idempotency-Key",
                                         std::to_string(i) + "/" + std::to_string(n));
          }
          for (int times = with_key ? 2 : 1; times > 0; --times) {
            if (client.send(request).status != 200) ++failed;
          }
        }
      });
    }
  }
  EXPECT_EQ(failed.load(), 0);
  // 8 * 25 * 0.000123
  const auto answer = stage().run(record(R"({"usd": 0})"));
  EXPECT_EQ(text_at(answer.json(), "/used_usd"), text_at(parse_json(R"({"x": 0.0246})"), "/x"));
  EXPECT_NE(answer.body.find("0.0246"), std::string::npos) << answer.body;
}

TEST_F(Usage, DoesNotChangeTheVersion) {
  stage().run({
      {.who = "admin", .request = "GET /user/<ann>", .save = {{"version", "/version"}}},
      {.who = "robot", .request = "POST /user/<ann>/usage", .body = R"({"usd": "1"})"},
      {.who = "admin",
       .request = "GET /user/<ann>",
       .headers = {{"Cache-Control", "no-cache"}},
       .json = R"({"version": <version>, "used_usd": 1})"},
  });
}

}  // namespace
}  // namespace um::e2e

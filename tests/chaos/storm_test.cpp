// Many sign-ins at once do not delay reads.
#include <atomic>
#include <fstream>
#include <thread>

#include "support/database_probe.hpp"
#include "support/stage_test.hpp"

namespace um::e2e {
namespace {

class Storm : public StageTest<Storm> {
 public:
  // Real hashing: about 50 ms of a core for each sign-in.
  static ServeOptions options() { return {.arguments = {"--password-cost", "10"}}; }

 protected:
  // Makes users with the password of `name`, without computing a hash for each.
  static std::vector<std::string> import_people(const std::string& name, int count) {
    std::string hash;
    {
      DatabaseProbe probe{stage().server().database()};
      hash = probe.value("SELECT password_hash FROM users WHERE id = " + stage().known(name));
    }
    std::vector<std::string> emails;
    const auto file = stage().server().directory() + "/people.jsonl";
    std::ofstream lines{file};
    for (int i = 0; i < count; ++i) {
      emails.push_back("storm" + std::to_string(i) + "@example.test");
      lines << R"({"email": ")" << emails.back() << R"(", "password_hash": ")" << hash << "\"}\n";
    }
    lines.close();
    const auto imported = stage().server().cli({"import", file});
    EXPECT_EQ(imported.code, 0) << imported.err;
    return emails;
  }
};

TEST_F(Storm, CachedReadsGoOnWhileTwoHundredSignIn) {
  constexpr int kPeople = 200;
  stage().add("ann");
  const auto emails = import_people("ann", kPeople);
  const HttpRequest read{.target = stage().fill_in("/user/<ann>"),
                         .headers = {bearer(stage().token("ann"))}};
  auto warm = stage().server().client();
  EXPECT_TRUE(eventually(
      [&] { return warm.send(read).header("Cache-Status") == "user-manager; hit; detail=L1"; }));

  std::atomic<int> signing_in{kPeople};
  std::map<unsigned, std::atomic<int>> sign_ins;
  for (const unsigned status : {200U, 429U, 503U, 0U}) sign_ins[status] = 0;
  std::atomic<std::size_t> reads{0};
  std::atomic<std::size_t> hits{0};
  std::atomic<std::size_t> failed_reads{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([&] {
        auto client = stage().server().client();
        while (signing_in > 0) {
          const auto answer = client.send(read);
          ++reads;
          if (answer.status != 200) ++failed_reads;
          if (answer.header("Cache-Status") == "user-manager; hit; detail=L1") ++hits;
        }
      });
    }
    for (const auto& email : emails) {
      threads.emplace_back([&, email] {
        auto client = stage().server().client();
        const auto answer =
            client.send({.method = "POST",
                         .target = "/auth/login",
                         .body = R"({"email": ")" + email + R"(", "password": "open-Sesame-1"})"});
        const bool expected = sign_ins.contains(answer.status);
        ++sign_ins.at(expected ? answer.status : 0);
        if (answer.status == 503 && !answer.header("Retry-After")) ADD_FAILURE() << answer.text();
        --signing_in;
      });
    }
  }
  EXPECT_EQ(failed_reads.load(), 0U);
  EXPECT_EQ(sign_ins.at(0).load(), 0) << "sign-ins that were neither done nor refused politely";
  EXPECT_GT(sign_ins.at(200).load(), 0);
  EXPECT_GT(reads.load(), 1'000U);
  EXPECT_GT(hits.load(), 100U);
  // No sign-in is still under way.
  EXPECT_TRUE(eventually([&] {
    const auto page = stage().send({.target = "/metrics"}).body;
    return page.find("user_manager_queue_length{queue=\"password_hashing\"} 0\n") !=
           std::string::npos;
  }));
}

TEST_F(Storm, PeopleWhoHangUpLeaveTheQueue) {
  stage().add("ann");
  const auto login = HttpRequest{
      .method = "POST",
      .target = "/auth/login",
      .body = stage().fill_in(R"({"email": "<ann.email>", "password": "open-Sesame-1"})")};
  for (int i = 0; i < 100; ++i) {
    HttpConnection connection{stage().server().endpoint()};
    connection.write(login.text());
  }
  // The hundred sign-ins were refused or have ended, so this one succeeds.
  EXPECT_TRUE(eventually([&] { return stage().send(login).status == 200; }));
}

}  // namespace
}  // namespace um::e2e

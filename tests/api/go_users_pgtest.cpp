// A database that the Go program made, from its dump to the sign-in of all of its users. The dump
// is not part of the project: it lies in ../shared/data, or in the folder UM_TEST_DATA.
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/json.hpp"
#include "support/postgres_database.hpp"
#include "support/server_under_test.hpp"

namespace um::e2e {
namespace {

class AdoptedStorage final : public TestStorage {
 public:
  std::string database() const override { return database_.url(); }
  void execute(const std::string& sql) override { database_.session().execute(sql); }

 private:
  test::TestDatabase database_{test::TestDatabase::Content::empty};
};

TEST(GoUsers, EverybodySignsInWithTheOldPasswordAfterMigrate) {
  const char* folder = std::getenv("UM_TEST_DATA");  // NOLINT(concurrency-mt-unsafe)
  const std::string file =
      (folder != nullptr ? std::string{folder} : std::string{UM_SOURCE_DIR "/../shared/data"}) +
      "/go-users.sql";
  std::ifstream stream{file};
  if (!stream) GTEST_SKIP() << "THE DUMP OF THE GO PROGRAM IS NOT TESTED: there is no " << file;
  std::stringstream dump;
  dump << stream.rdbuf();

  const auto storage = std::make_shared<AdoptedStorage>();
  test::psql(storage->database(), dump.str());
  const auto migrate = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"migrate", "--database", storage->database()});
    return run({.program = program(), .arguments = std::move(more)});
  };
  const auto plan = migrate({"--dry-run"});
  EXPECT_EQ(plan.code, 0) << plan.err;
  EXPECT_NE(plan.out.find("150 users to adopt"), std::string::npos) << plan.out;
  const auto done = migrate({});
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_NE(done.out.find("150 users adopted"), std::string::npos) << done.out;

  const ServerUnderTest server{{.storage = storage}};
  const auto users =
      run({.program = program(),
           .arguments = {"export", "--format", "jsonl", "--database", storage->database()}});
  ASSERT_EQ(users.code, 0) << users.err;
  std::vector<boost::json::value> all;
  std::istringstream lines{users.out};
  for (std::string line; std::getline(lines, line);) all.push_back(parse_json(line));
  EXPECT_EQ(all.size(), 150U);
  // Some at a time: a check of a password takes a core for 50 ms.
  std::atomic<std::size_t> next{0};
  std::vector<std::jthread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      HttpClient client = server.client();
      for (std::size_t n = next++; n < all.size(); n = next++) {
        const auto id = std::to_string(all[n].at("id").to_number<std::int64_t>());
        EXPECT_FALSE(sign_in(client, text_at(all[n], "/email"), "secret-" + id).empty()) << id;
      }
    });
  }
  clients.clear();
  HttpClient client = server.client();
  const auto wrong =
      client.send({.method = "POST",
                   .target = "/auth/login",
                   .body = R"({"email":"nobody@example.com","password":"secret-1"})"});
  EXPECT_EQ(wrong.status, 401U);
}

}  // namespace
}  // namespace um::e2e

// SIGTERM during writes, many times: the last answer, the database threads and the end of the
// process come within microseconds of each other, in a different order in every round.
#include <csignal>
#include <thread>

#include <gtest/gtest.h>

#include "support/database_probe.hpp"
#include "support/promise.hpp"
#include "support/scenario.hpp"

namespace um::e2e {
namespace {

TEST(Shutdown, EveryRoundEndsWithZeroAndKeepsWhatWasAnswered) {
  constexpr int kRounds = 25;
  Stage stage;
  auto& server = stage.server();
  // More busy threads than cores, so that threads are preempted at unusual places.
  std::vector<std::jthread> busy;
  for (int i = 0; i < 6; ++i) {
    busy.emplace_back([](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
      }
    });
  }
  for (int round = 0; round < kRounds; ++round) {
    const std::string name = "Round " + std::to_string(round);
    const std::string body = R"({"first_name": ")" + name + R"("})";
    {
      // Under way when the signal comes, because its body is not complete.
      HttpConnection under_way{server.endpoint()};
      under_way.write("PATCH /user/" + stage.known("admin") +
                      " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " +
                      stage.token("admin") +
                      "\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
                      "Content-Length: " +
                      std::to_string(body.size()) + "\r\n\r\n");
      ASSERT_EQ(under_way.read_response()->status, 100U);
      server.process().send_signal(SIGTERM);
      under_way.write(body);
      const auto answer = under_way.read_response();
      ASSERT_TRUE(answer);
      EXPECT_EQ(answer->status, 200U) << answer->text();
    }
    const auto exit = server.process().wait();
    ASSERT_TRUE(exit) << server.process().all();
    ASSERT_EQ(exit->signal, 0) << "round " << round << ": " << server.process().all();
    ASSERT_EQ(exit->code, 0) << server.process().all();
    EXPECT_EQ(DatabaseProbe{server.database()}.value("SELECT first_name FROM users WHERE id = " +
                                                     stage.known("admin")),
              name)
        << test::kBroken;
    server.start();
  }
  EXPECT_EQ(server.stop().code, 0);
}

}  // namespace
}  // namespace um::e2e

// The fixture of the tests of the client against a fake server.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "drivers/redis/client.hpp"
#include "support/fake_redis.hpp"
#include "support/loop_thread.hpp"
#include "support/patience.hpp"
#include "support/run_task.hpp"

namespace um::redis {

using namespace std::chrono_literals;
using e2e::eventually;
using test::FakeRedis;
using Kind = Failure::Kind;
using Words = std::vector<std::string>;

class ClientFixture : public ::testing::Test {
 protected:
  static ClientOptions options(const std::string& url) {
    return {.endpoint = parse_url(url).value(), .client_name = "tester", .timeout = 2s};
  }
  void connect(ClientOptions with) {
    client_ = std::make_unique<Client>(std::move(with), clock_, loop_.loops());
  }
  void connect(const FakeRedis& server) { connect(options(server.url())); }
  Outcome<Reply> call(Command command, Deadline deadline = Deadline::never()) {
    return test::run(client_->call(std::move(command), deadline));
  }
  std::vector<Outcome<Reply>> call_all(std::vector<Command> commands) {
    std::vector<Task<Outcome<Reply>>> tasks;
    for (Command& command : commands)
      tasks.push_back(client_->call(std::move(command), Deadline::never()));
    return test::run_all(std::move(tasks));
  }
  std::uint64_t breakages(Breakage why) const {
    return client_->stats().breakages.at(static_cast<std::size_t>(why));
  }
  static Kind kind(const Outcome<Reply>& outcome) {
    EXPECT_FALSE(outcome.has_value());
    return outcome ? Kind::refused : outcome.error().kind;
  }
  // Makes no call, and waits: the loop of the client decides when.
  bool away() {
    return eventually([&] { return client_->stats().open == 1; });
  }

  SystemClock clock_;
  test::LoopThread loop_;
  std::unique_ptr<Client> client_;
};

inline std::string echo(const Words& words) {
  return "$" + std::to_string(words.back().size()) + "\r\n" + words.back() + "\r\n";
}

}  // namespace um::redis

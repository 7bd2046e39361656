// A Client against a server that misbehaves.
#include <gtest/gtest.h>

#include "drivers/pg/testing/fake_server.hpp"
#include "support/pg_client.hpp"

namespace um::pg {
namespace {

using namespace std::chrono_literals;
using testing::in;
using testing::kOne;
using testing::patient;
using Reaction = FakeServer::Reaction;

constexpr Query kBad{.name = "bad", .sql = "select bad"};
constexpr Query kChange{.name = "change", .sql = "update bad"};

class FaultsTest : public ::testing::Test {
 protected:
  Options options() {
    Options options;
    options.url = Secret{server_.url()};
    options.connect_timeout = 1000ms;
    options.backoff_first = 5ms;
    options.backoff_most = 20ms;
    options.log = [this](std::string_view line) {
      const std::lock_guard lock{mutex_};
      log_.emplace_back(line);
    };
    return options;
  }
  std::vector<std::string> log() {
    const std::lock_guard lock{mutex_};
    return log_;
  }
  static Outcome<Rows> look_up(Client& client, const Query& query, Deadline deadline = patient()) {
    return test::run(client.look_up(query, {}, deadline));
  }
  static Outcome<Rows> write(Client& client, const Query& query, Deadline deadline = patient()) {
    return test::run(client.write(query, {}, deadline));
  }
  // Until the pool has recovered from what was done to it.
  static bool recovers(Client& client) {
    for (int attempt = 0; attempt < 1000; ++attempt) {
      if (look_up(client, kOne)) return true;
    }
    return false;
  }
  // One statement, then COMMIT.
  static Outcome<int> transact(Client& client, const Query& query, Deadline deadline = patient()) {
    const auto work = [&query](Transaction& transaction) -> Task<Outcome<int>> {
      const auto rows = co_await transaction.run(query);
      if (!rows) co_return failed(rows.error());
      co_return 1;
    };
    return test::run(client.transaction<int>(deadline, work));
  }

  FakeServer server_;
  std::mutex mutex_;
  std::vector<std::string> log_;
};

TEST_F(FaultsTest, AnsweringServerIsFine) {
  Client client{options()};
  const auto rows = look_up(client, kOne);
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(rows->text(0, 0), "1");
  EXPECT_TRUE(transact(client, kOne));
}

TEST_F(FaultsTest, AConnectionThatEndsAfterAnyNumberOfBytesAnswersEveryCallerHonestly) {
  // The start takes about 150 bytes, the setup and one answer about 100 each.
  std::size_t answered = 0;
  std::size_t lost = 0;
  for (std::size_t bytes = 1; bytes < 700; bytes += 7) {
    server_.behave({.close_after_bytes = bytes});
    Client client{options()};
    for (const auto& outcome : testing::look_up_all(client, {&kOne, &kOne, &kOne})) {
      if (outcome) {
        ++answered;
        EXPECT_EQ(outcome->text(0, 0), "1");
      } else {
        ++lost;
        EXPECT_EQ(outcome.error().kind, Failure::lost) << outcome.error().message;
      }
    }
  }
  EXPECT_GT(answered, 20U);
  EXPECT_GT(lost, 20U);
}

TEST_F(FaultsTest, ATransactionThatEndsAfterAnyNumberOfBytesIsUnknownOnlyIfItsCommitWasSent) {
  std::size_t unknown = 0;
  for (std::size_t bytes = 250; bytes < 700; bytes += 7) {
    server_.behave({.close_after_bytes = bytes});
    Client client{options()};
    const auto before = server_.executed();
    const auto outcome = transact(client, kOne);
    // One statement of the setup, BEGIN, the statement; a fourth is the COMMIT.
    const bool commit_arrived = server_.executed() - before >= 4;
    if (outcome) {
      EXPECT_TRUE(commit_arrived);
    } else if (outcome.error().kind == Failure::unknown_outcome) {
      ++unknown;
    } else {
      EXPECT_EQ(outcome.error().kind, Failure::lost);
      EXPECT_FALSE(commit_arrived) << bytes;
    }
  }
  EXPECT_GE(unknown, 1U);
}

TEST_F(FaultsTest, CallsInFlightOnASilentConnectionAreLostWhenItsTimeIsOver) {
  server_.react_to("select bad", Reaction::silence);
  auto tuned = options();
  tuned.look_up_timeout = 20ms;
  tuned.stall_margin = 30ms;
  Client client{std::move(tuned)};
  const auto outcome = look_up(client, kBad);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, Failure::lost);
}

TEST_F(FaultsTest, GarbageIsALostConnection) {
  for (const auto reaction : {Reaction::garbage, Reaction::close, Reaction::fatal}) {
    server_.react_to("select bad", reaction);
    Client client{options()};
    const auto outcome = look_up(client, kBad);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, Failure::lost);
    EXPECT_TRUE(recovers(client));
  }
}

TEST_F(FaultsTest, AnErrorIsRefusedAndKeepsTheConnection) {
  server_.react_to("select bad", Reaction::error);
  Client client{options()};
  for (int i = 0; i < 3; ++i) {
    const auto outcome = look_up(client, kBad);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, Failure::refused);
    EXPECT_EQ(outcome.error().sqlstate, "XX000");
  }
  EXPECT_EQ(client.stats().look_ups.opened, 1U);
}

TEST_F(FaultsTest, ALostCommitIsUnknownAndALostStatementIsNot) {
  for (const auto reaction : {Reaction::close, Reaction::fatal, Reaction::garbage}) {
    server_.react_to("commit", reaction);
    Client client{options()};
    const auto outcome = transact(client, kOne);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, Failure::unknown_outcome);
  }
  server_.react_to("select bad", Reaction::close);
  Client client{options()};
  const auto outcome = transact(client, kBad);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, Failure::lost);
}

TEST_F(FaultsTest, ACommitWithoutAnAnswerIsUnknownAtTheDeadline) {
  server_.react_to("commit", Reaction::silence);
  Client client{options()};
  const auto outcome = transact(client, kOne, in(100ms));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, Failure::unknown_outcome);
}

TEST_F(FaultsTest, ACommitThatIsRefusedIsRefused) {
  server_.react_to("commit", Reaction::error);
  Client client{options()};
  const auto outcome = transact(client, kOne);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, Failure::refused);
}

TEST_F(FaultsTest, AStatementWithoutAnAnswerIsATimeoutOfItsTransaction) {
  server_.react_to("select bad", Reaction::silence);
  Client client{options()};
  const auto outcome = transact(client, kBad, in(50ms));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, Failure::timeout);
}

TEST_F(FaultsTest, AWriteThatWasSentAndLostIsUnknownAndARefusedOneIsNot) {
  server_.react_to("update bad", Reaction::close);
  {
    Client client{options()};
    const auto outcome = write(client, kChange);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, Failure::unknown_outcome);
  }
  server_.react_to("update bad", Reaction::silence);
  {
    Client client{options()};
    const auto outcome = write(client, kChange, in(50ms));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, Failure::unknown_outcome);
  }
  server_.react_to("update bad", Reaction::error);
  Client client{options()};
  const auto outcome = write(client, kChange);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, Failure::refused);
}

TEST_F(FaultsTest, AnAnswerThatArrivedBeforeTheEndCounts) {
  server_.react_to("commit", Reaction::answer_close);
  Client client{options()};
  EXPECT_TRUE(transact(client, kOne));
}

TEST_F(FaultsTest, ARefusalAtTheStartIsLostForAllThatWait) {
  for (const char* state : {"53300", "57P03", "28P01", "3D000"}) {
    server_.behave({.startup_error = state});
    Client client{options()};
    for (const auto& outcome : testing::look_up_all(client, {&kOne, &kOne})) {
      ASSERT_FALSE(outcome);
      EXPECT_EQ(outcome.error().kind, Failure::lost);
    }
    EXPECT_GE(client.stats().look_ups.connect_failures, 1U);
    server_.behave({});
    EXPECT_TRUE(recovers(client));
  }
}

TEST_F(FaultsTest, ASilentStartIsGivenUpAndFailsTheCallersThatWait) {
  server_.behave({.silent_start = true});
  auto tuned = options();
  tuned.connect_timeout = 50ms;
  Client client{std::move(tuned)};
  const auto late = look_up(client, kOne, in(5ms));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, Failure::timeout);
  const auto waiting = look_up(client, kOne);
  ASSERT_FALSE(waiting);
  EXPECT_EQ(waiting.error().kind, Failure::lost);
}

TEST_F(FaultsTest, ASetupThatFailsIsNoConnection) {
  server_.react_to("select bad", Reaction::error);
  auto tuned = options();
  tuned.on_connect = {"select bad"};
  Client client{std::move(tuned)};
  const auto outcome = look_up(client, kOne);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, Failure::lost);
  EXPECT_NE(outcome.error().message.find("XX000"), std::string::npos);
}

TEST_F(FaultsTest, TheNextHostIsTriedAndTheOneThatFitsIsTaken) {
  FakeServer silent;
  silent.behave({.silent_start = true});
  FakeServer standby;
  standby.behave({.read_only = true});
  auto tuned = options();
  tuned.connect_timeout = 100ms;
  tuned.url = Secret{"postgresql://t@127.0.0.1:" + std::to_string(silent.port()) +
                     ",127.0.0.1:" + std::to_string(standby.port()) +
                     ",localhost:" + std::to_string(server_.port()) +
                     "/x?sslmode=disable&target_session_attrs=read-write"};
  Client client{std::move(tuned)};
  EXPECT_TRUE(look_up(client, kOne));
  EXPECT_EQ(silent.connections(), 1U);
  EXPECT_EQ(standby.connections(), 1U);
  EXPECT_GE(server_.connections(), 1U);
}

TEST_F(FaultsTest, APrimaryThatBecameReadOnlyIsLeftForTheNewOne) {
  FakeServer next;
  auto tuned = options();
  tuned.transaction_connections = 1;
  tuned.url = Secret{"postgresql://t@127.0.0.1:" + std::to_string(server_.port()) +
                     ",127.0.0.1:" + std::to_string(next.port()) +
                     "/x?sslmode=disable&target_session_attrs=read-write"};
  server_.react_to("update", Reaction::read_only);
  Client client{std::move(tuned)};
  const auto refused = write(client, kChange);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Failure::refused);
  EXPECT_EQ(refused.error().sqlstate, "25006");
  server_.behave({.read_only = true});
  EXPECT_TRUE(write(client, kChange));
  EXPECT_EQ(next.connections(), 1U);
}

TEST_F(FaultsTest, FewerConnectionsThanWantedAreNoReasonToLog) {
  Client client{options()};
  EXPECT_TRUE(look_up(client, kOne));
  server_.behave({.startup_error = "53300"});
  for (const auto& outcome : testing::look_up_all(client, std::vector<const Query*>(200, &kOne))) {
    EXPECT_TRUE(outcome);
  }
  EXPECT_GE(client.stats().look_ups.connect_failures, 1U);
  EXPECT_TRUE(log().empty());
}

TEST_F(FaultsTest, ALoopThatEndsTakesItsCallsAlong) {
  server_.react_to("select bad", Reaction::silence);
  std::optional<Client> client;
  bool answered = false;
  {
    boost::asio::io_context loop{1};
    client.emplace(options(), std::vector{&loop});
    const auto wait = [&]() -> Task<void> {
      const auto first = co_await client->look_up(kOne, {}, patient());
      EXPECT_TRUE(first);
      loop.stop();
      (void)co_await client->look_up(kBad, {}, patient());
      answered = true;
    };
    boost::asio::co_spawn(loop, wait(), [](const std::exception_ptr&) {});
    loop.run();
    client.reset();
  }
  EXPECT_FALSE(answered);
}

TEST_F(FaultsTest, WhatIsLoggedAndReportedHoldsNoPassword) {
  server_.behave({.startup_error = "28P01"});
  Client client{options()};
  const auto outcome = look_up(client, kOne);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().message.find("sesame"), std::string::npos);
  server_.behave({});
  EXPECT_TRUE(recovers(client));
  const auto lines = log();
  ASSERT_EQ(lines.size(), 2U);
  for (const auto& line : lines) EXPECT_EQ(line.find("sesame"), std::string::npos) << line;
}

TEST_F(FaultsTest, AFullQueueIsOverloaded) {
  server_.react_to("select bad", Reaction::silence);
  auto tuned = options();
  tuned.look_up_connections = 1;
  tuned.look_ups_in_flight = 2;
  tuned.queue_limit = 3;
  Client client{std::move(tuned)};
  EXPECT_TRUE(look_up(client, kOne));
  const auto outcomes =
      testing::look_up_all(client, std::vector<const Query*>(8, &kBad), in(200ms));
  std::size_t overloaded = 0;
  for (const auto& outcome : outcomes) {
    ASSERT_FALSE(outcome);
    if (outcome.error().kind == Failure::overloaded) ++overloaded;
  }
  EXPECT_EQ(overloaded, 3U);
}

TEST_F(FaultsTest, StopAnswersWhoeverWaits) {
  server_.behave({.silent_start = true});
  Client client{options()};
  std::thread stopper{[&] {
    while (server_.connections() == 0) std::this_thread::yield();
    client.stop();
  }};
  const auto outcome = look_up(client, kOne);
  stopper.join();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, Failure::lost);
  EXPECT_EQ(look_up(client, kOne).error().kind, Failure::lost);
}

TEST_F(FaultsTest, AnUnusableUrlIsRefusedAtOnce) {
  auto broken = options();
  broken.url = Secret{"postgresql://u:sesame/x@h/db"};
  EXPECT_THROW((Client{std::move(broken)}), std::invalid_argument);
}

}  // namespace
}  // namespace um::pg

// The client against a fake server. The tests wait for events, never for a time. A time in a test
// is a bound far above the usual duration.
#include <algorithm>
#include <thread>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <gtest/gtest.h>

#include "async/task_group.hpp"
#include "support/redis_client_fixture.hpp"

namespace um::redis {
namespace {

using RedisClient = ClientFixture;

TEST_F(RedisClient, ManyCallsShareOneConnectionAndEachGetsItsOwnAnswer) {
  FakeRedis server{FakeRedis::greeting_then(echo)};
  connect(server);
  std::vector<Command> commands;
  for (int i = 0; i < 200; ++i) commands.push_back(Command{"GET", "key-" + std::to_string(i)});
  const auto outcomes = call_all(std::move(commands));
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    ASSERT_TRUE(outcomes[i]) << outcomes[i].error().message;
    EXPECT_EQ(outcomes[i]->text, "key-" + std::to_string(i));
  }
  EXPECT_EQ(server.connections(), 1);
  const Stats stats = client_->stats();
  EXPECT_EQ(stats.calls, 200u);
  EXPECT_EQ(stats.answers, 200u);
  EXPECT_EQ(stats.connected, 1u);
}

TEST_F(RedisClient, AfterATimeoutTheLateAnswerIsNobodys) {
  std::atomic<bool> late{false};
  FakeRedis server{[&](FakeRedis::Peer& peer) {
    if (!FakeRedis::greet(peer)) return;
    while (const auto words = peer.command()) {
      if (words->back() == "slow") {  // answered when the client has gone from this connection
        peer.wait_for_close();
        peer.say("$4\r\nslow\r\n");
        late = true;
        return;
      }
      peer.say(echo(*words));
    }
  }};
  connect(server);
  ASSERT_TRUE(call(Command{"GET", "first"}));
  EXPECT_EQ(kind(call(Command{"GET", "slow"}, Deadline::after(clock_, 20ms))), Kind::timeout);
  EXPECT_TRUE(eventually([&] {
    const auto next = call(Command{"GET", "next"});
    EXPECT_TRUE(!next || next->text == "next");
    return next.has_value();
  }));
  EXPECT_TRUE(eventually([&] { return late.load(); })) << "the old connection was closed";
  EXPECT_EQ(server.connections(), 2);
  EXPECT_EQ(breakages(Breakage::timeout), 1u);
}

TEST_F(RedisClient, ACancelledCallsConnectionIsNotUsedAgain) {
  FakeRedis server{[&](FakeRedis::Peer& peer) {
    if (!FakeRedis::greet(peer)) return;
    while (const auto words = peer.command()) {
      if (words->back() == "never")
        peer.wait_for_close();
      else
        peer.say(echo(*words));
    }
  }};
  connect(server);
  ASSERT_TRUE(call(Command{"GET", "first"}));
  {
    boost::asio::io_context loop;
    boost::asio::cancellation_signal cancel;
    std::optional<Outcome<Reply>> outcome;
    bool thrown = false;
    boost::asio::co_spawn(
        loop, client_->call(Command{"GET", "never"}, Deadline::never()),
        boost::asio::bind_cancellation_slot(
            cancel.slot(), [&](const std::exception_ptr& failed, Outcome<Reply> got) {
              thrown = failed != nullptr;
              outcome = std::move(got);
            }));
    loop.poll();
    cancel.emit(boost::asio::cancellation_type::terminal);
    loop.restart();
    loop.run();
    ASSERT_TRUE(outcome);
    EXPECT_TRUE(thrown || kind(*outcome) == Kind::cancelled);
  }
  EXPECT_TRUE(eventually([&] { return breakages(Breakage::cancelled) == 1; }));
  const auto next = call(Command{"GET", "next"});
  ASSERT_TRUE(next) << next.error().message;
  EXPECT_EQ(next->text, "next");
  EXPECT_EQ(client_->stats().breaker_openings, 0u) << "the server did nothing wrong";
}

TEST_F(RedisClient, TheOthersOnAnAbandonedConnectionFailAtOnce) {
  FakeRedis server{[&](FakeRedis::Peer& peer) {
    if (FakeRedis::greet(peer)) peer.wait_for_close();
  }};
  connect(server);
  ASSERT_TRUE(eventually([&] { return client_->stats().connected == 1; }));
  std::vector<Task<Outcome<Reply>>> tasks;
  tasks.push_back(client_->call(Command{"GET", "a"}, Deadline::after(clock_, 20ms)));
  tasks.push_back(client_->call(Command{"GET", "b"}, Deadline::never()));
  const auto outcomes = test::run_all(std::move(tasks));
  EXPECT_EQ(kind(outcomes[0]), Kind::timeout);
  EXPECT_EQ(kind(outcomes[1]), Kind::lost);
}

TEST_F(RedisClient, TooManyCallsAreRefusedAtOnce) {
  FakeRedis server{[&](FakeRedis::Peer& peer) {
    if (FakeRedis::greet(peer)) peer.wait_for_close();
  }};
  ClientOptions with = options(server.url());
  with.limits.commands = 10;
  with.timeout = 100ms;
  connect(with);
  ASSERT_TRUE(eventually([&] { return client_->stats().connected == 1; }));
  std::vector<Command> commands(15, Command{"GET", "a"});
  int overloaded = 0;
  for (const auto& outcome : call_all(std::move(commands)))
    overloaded += kind(outcome) == Kind::overloaded ? 1 : 0;
  EXPECT_EQ(overloaded, 5);
  EXPECT_EQ(client_->stats().overloaded, 5u);
}

TEST_F(RedisClient, BackgroundCommandsAreSentAndBounded) {
  std::atomic<int> seen{0};
  std::atomic<bool> answer{true};
  FakeRedis server{[&](FakeRedis::Peer& peer) {
    if (!FakeRedis::greet(peer)) return;
    while (peer.command()) {
      ++seen;
      if (!answer) return peer.wait_for_close();
      peer.say("+OK\r\n");
    }
  }};
  ClientOptions with = options(server.url());
  with.background = 4;
  connect(with);
  ASSERT_TRUE(eventually([&] { return client_->stats().connected == 1; }));
  client_->send(Command{"SET", "a", "b"});
  EXPECT_TRUE(eventually([&] { return client_->stats().answers == 1; }));
  EXPECT_EQ(client_->stats().dropped, 0u);
  answer = false;
  for (int i = 0; i < 10; ++i) client_->send(Command{"SET", "a", "b"});
  EXPECT_TRUE(eventually([&] { return client_->stats().dropped == 6; }));
}

TEST_F(RedisClient, ACallOnOneOfTheLoopsUsesItsConnection) {
  FakeRedis server{FakeRedis::greeting_then(echo)};
  boost::asio::io_context first{1};
  boost::asio::io_context second{1};
  auto keep_first = boost::asio::make_work_guard(first);
  auto keep_second = boost::asio::make_work_guard(second);
  {
    std::jthread first_thread{[&] { first.run(); }};
    std::jthread second_thread{[&] { second.run(); }};
    client_ = std::make_unique<Client>(options(server.url()), clock_, std::vector{&first, &second});
    ASSERT_TRUE(eventually([&] { return client_->stats().connected == 2; }));
    EXPECT_EQ(server.connections(), 2);
    std::atomic<int> right{0};
    TaskGroup tasks;
    auto ask = [&](std::thread::id thread) -> Task<void> {
      Command command{"GET", "a"};
      const auto reply = co_await client_->call(std::move(command), Deadline::never());
      if (reply && std::this_thread::get_id() == thread) ++right;
    };
    tasks.spawn(first.get_executor(), ask(first_thread.get_id()));
    tasks.spawn(second.get_executor(), ask(second_thread.get_id()));
    EXPECT_TRUE(eventually([&] { return right == 2; }));
    // From outside: there and back.
    const auto reply = call(Command{"GET", "b"});
    EXPECT_TRUE(reply);
    client_->stop();
    EXPECT_TRUE(eventually([&] { return client_->stats().connected == 0; }));
    keep_first.reset();
    keep_second.reset();
  }
  client_.reset();
}

// Event loops are the last thing to go, with whatever coroutines are still in them.
TEST_F(RedisClient, CallsUnderWayMayGoWithTheirLoop) {
  FakeRedis server{[&](FakeRedis::Peer& peer) {
    if (FakeRedis::greet(peer)) peer.wait_for_close();
  }};
  auto loop = std::make_unique<boost::asio::io_context>(1);
  client_ = std::make_unique<Client>(options(server.url()), clock_, std::vector{loop.get()});
  int ended = 0;
  auto ask = [&]() -> Task<void> {
    Command command{"GET", "a"};
    const auto reply = co_await client_->call(std::move(command), Deadline::never());
    ++ended;
  };
  ASSERT_TRUE(eventually([&] {
    loop->poll();
    return client_->stats().connected == 1;
  }));
  TaskGroup tasks;
  for (int i = 0; i < 3; ++i) tasks.spawn(loop->get_executor(), ask());
  loop->poll();
  EXPECT_EQ(client_->stats().calls, 3u);
  loop->stop();
  client_.reset();
  loop.reset();
  EXPECT_EQ(ended, 0);
}

TEST_F(RedisClient, AfterStopNothingWaits) {
  FakeRedis server{FakeRedis::greeting_then(echo)};
  connect(server);
  ASSERT_TRUE(call(Command{"GET", "a"}));
  client_->stop();
  EXPECT_EQ(kind(call(Command{"GET", "a"})), Kind::unavailable);
  client_->send(Command{"GET", "a"});
  client_->stop();
}

TEST_F(RedisClient, AScriptIsSentOnceByTextAndThenByName) {
  std::vector<std::string> words_seen;
  std::mutex mutex;
  FakeRedis server{FakeRedis::greeting_then([&](const Words& words) {
    const std::lock_guard lock{mutex};
    words_seen.push_back(words.front());
    const bool known = std::ranges::count(words_seen, "EVAL") > 0;
    return known ? std::string{":1\r\n"} : std::string{"-NOSCRIPT No matching script.\r\n"};
  })};
  connect(server);
  const Script script{"return 1"};
  for (int i = 0; i < 2; ++i) {
    const auto reply = test::run(
        client_->eval(script, {.keys = {"k"}, .arguments = {"a", "b"}}, Deadline::never()));
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->integer, 1);
  }
  const std::lock_guard lock{mutex};
  EXPECT_EQ(words_seen, (Words{"EVALSHA", "EVAL", "EVALSHA"}));
}

}  // namespace
}  // namespace um::redis

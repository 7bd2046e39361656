// The client against a server that misbehaves: the client never believes it, and no call waits for
// it for long.
#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/redis_client_fixture.hpp"

namespace um::redis {
namespace {

using RedisFaults = ClientFixture;

TEST_F(RedisFaults, AServerThatAnswersNothingIsSoonLeftAlone) {
  FakeRedis server{[&](FakeRedis::Peer& peer) {
    if (FakeRedis::greet(peer)) peer.wait_for_close();
  }};
  ClientOptions with = options(server.url());
  with.timeout = 10ms;
  with.breaker.first_pause = 1h;
  connect(with);
  // Between two attempts to connect, calls fail at once: their number says nothing.
  EXPECT_TRUE(eventually([&] {
    EXPECT_NE(kind(call(Command{"GET", "a"})), Kind::refused);
    return client_->stats().open > 0;
  }));
  EXPECT_GE(breakages(Breakage::timeout), 3u);
  EXPECT_EQ(kind(call(Command{"GET", "a"})), Kind::unavailable);
  EXPECT_EQ(client_->stats().breaker_openings, 1u);
}

TEST_F(RedisFaults, AServerThatTakesConnectionsAndSaysNothingHoldsNobodyUp) {
  FakeRedis server{[](FakeRedis::Peer& peer) { peer.wait_for_close(); }};
  ClientOptions with = options(server.url());
  with.timeout = 10ms;
  with.connect_timeout = 1h;
  connect(with);
  // The first ones may wait their 10 ms; later ones fail at once.
  EXPECT_TRUE(eventually([&] { return kind(call(Command{"GET", "a"})) == Kind::unavailable; }));
  with.connect_timeout = 30ms;
  with.breaker.first_pause = 1h;
  connect(with);
  EXPECT_TRUE(away());
  EXPECT_EQ(breakages(Breakage::timeout), 1u);
}

TEST_F(RedisFaults, ItComesBackByItself) {
  std::atomic<bool> well{false};
  FakeRedis server{[&](FakeRedis::Peer& peer) {
    if (!well) return;
    FakeRedis::greeting_then(echo)(peer);
  }};
  ClientOptions with = options(server.url());
  with.breaker = {.first_pause = 2ms, .longest_pause = 5ms};
  connect(with);
  EXPECT_TRUE(away());
  well = true;
  EXPECT_TRUE(eventually([&] { return client_->stats().connected == 1; }))
      << "nobody has called meanwhile";
  EXPECT_TRUE(call(Command{"GET", "a"}));
  EXPECT_EQ(client_->stats().open, 0u);
}

TEST_F(RedisFaults, WhatIsNoRedisIsNeverTakenForOne) {
  struct Case {
    const char* name;
    std::string says;
  };
  for (const auto& [name, says] : {
           Case{"HTTP", "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"},
           Case{"SSH", "SSH-2.0-OpenSSH_9.2\r\n"},
           Case{"TLS alert", "\x15\x03\x01\x02\x02\x46"},
           Case{"too long", "$4294967296\r\n"},
           Case{"too many", "*2147483647\r\n"},
           Case{"no end", "+" + std::string(std::size_t{2} << 20, 'x')},
           Case{"another kind", ":1\r\n:1\r\n"},
       }) {
    FakeRedis server{[&says](FakeRedis::Peer& peer) {
      peer.command();
      peer.say(says);
      peer.wait_for_close();
    }};
    ClientOptions with = options(server.url());
    with.breaker.first_pause = 1h;
    connect(with);
    EXPECT_TRUE(away()) << name;
    EXPECT_EQ(breakages(Breakage::protocol), 1u) << name << client_->stats().last_breakage;
    EXPECT_EQ(kind(call(Command{"GET", "a"})), Kind::unavailable) << name;
  }
}

TEST_F(RedisFaults, WhoIsNotLetInLearnsItWithoutThePassword) {
  FakeRedis server{[](FakeRedis::Peer& peer) {
    peer.command();
    peer.say("-WRONGPASS invalid username-password pair or user is disabled (geheim).\r\n");
    peer.wait_for_close();
  }};
  std::promise<std::string> told;
  ClientOptions with = options("redis://:geheim@127.0.0.1:" + std::to_string(server.port()));
  with.breaker.first_pause = 1h;
  with.log = [&told](std::string_view line) { told.set_value(std::string{line}); };
  connect(with);
  EXPECT_TRUE(away());
  const std::string line = told.get_future().get();
  EXPECT_THAT(line, ::testing::HasSubstr("WRONGPASS"));
  EXPECT_THAT(line, ::testing::Not(::testing::HasSubstr("geheim")));
  EXPECT_GE(breakages(Breakage::refused), 1u);
  EXPECT_THAT(client_->stats().last_breakage, ::testing::StartsWith("WRONGPASS"));
}

TEST_F(RedisFaults, AReplyThatIsCutOffIsNoReply) {
  FakeRedis server{[](FakeRedis::Peer& peer) {
    if (!FakeRedis::greet(peer) || !peer.command()) return;
    peer.say("$10\r\nabc");
  }};
  connect(server);
  EXPECT_EQ(kind(call(Command{"GET", "a"})), Kind::lost);
  EXPECT_EQ(breakages(Breakage::closed), 1u);
}

TEST_F(RedisFaults, GarbageInTheMiddleEndsTheConnection) {
  FakeRedis server{FakeRedis::greeting_then([](const Words& words) {
    return words.back() == "bad" ? std::string{"!!!\r\n"} : echo(words);
  })};
  connect(server);
  EXPECT_EQ(kind(call(Command{"GET", "bad"})), Kind::lost);
  EXPECT_TRUE(call(Command{"GET", "good"}));
  EXPECT_EQ(breakages(Breakage::protocol), 1u);
}

TEST_F(RedisFaults, TwoAnswersToOneCommandEndTheConnection) {
  FakeRedis server{FakeRedis::greeting_then([](const Words& words) {
    return words.back() == "twice" ? echo(words) + "$5\r\nwrong\r\n" : echo(words);
  })};
  connect(server);
  EXPECT_TRUE(call(Command{"GET", "twice"}));
  EXPECT_TRUE(eventually([&] { return breakages(Breakage::protocol) == 1; }));
  const auto next = call(Command{"GET", "next"});
  ASSERT_TRUE(next) << next.error().message;
  EXPECT_EQ(next->text, "next");
}

TEST_F(RedisFaults, ErrorRepliesAreCountedByWhatTheySay) {
  FakeRedis server{FakeRedis::greeting_then(
      [](const Words& words) { return "-" + words.back() + " whatever\r\n"; })};
  connect(server);
  for (const char* word : {"OOM", "OOM", "READONLY", "WRONGTYPE", "NOPERM"}) {
    const auto outcome = call(Command{"SET", "a", word});
    EXPECT_EQ(kind(outcome), Kind::refused);
    EXPECT_EQ(outcome.error().error, classify_error(word));
  }
  const Stats stats = client_->stats();
  EXPECT_EQ(stats.refused.at(static_cast<std::size_t>(ErrorClass::out_of_memory)), 2u);
  EXPECT_EQ(stats.refused.at(static_cast<std::size_t>(ErrorClass::read_only)), 1u);
  EXPECT_EQ(stats.refused.at(static_cast<std::size_t>(ErrorClass::not_authorized)), 1u);
  EXPECT_EQ(stats.refused.at(static_cast<std::size_t>(ErrorClass::other)), 1u);
  EXPECT_EQ(stats.open, 0u) << "it still answers";
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(RedisFaults, AServerThatIsLoadingIsLeftAlone) {
  FakeRedis server{FakeRedis::greeting_then(
      [](const Words&) { return std::string{"-LOADING Redis is loading\r\n"}; })};
  ClientOptions with = options(server.url());
  with.breaker.first_pause = 1h;
  connect(with);
  EXPECT_EQ(kind(call(Command{"GET", "a"})), Kind::refused);
  EXPECT_TRUE(away());
  EXPECT_EQ(breakages(Breakage::not_ready), 1u);
}

TEST_F(RedisFaults, NobodyListensAndNoSuchHost) {
  std::uint16_t port = 0;
  {
    FakeRedis gone{[](FakeRedis::Peer&) {}};
    port = gone.port();
  }
  connect(options("redis://127.0.0.1:" + std::to_string(port)));
  EXPECT_TRUE(away());
  EXPECT_GE(breakages(Breakage::connect), 1u);
  const auto before = clock_.now();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(kind(call(Command{"GET", "a"})), Kind::unavailable);
  EXPECT_LT(clock_.now() - before, 2s) << "nobody waits";
}

}  // namespace
}  // namespace um::redis

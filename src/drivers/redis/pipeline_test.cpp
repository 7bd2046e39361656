#include "drivers/redis/pipeline.hpp"

#include <gtest/gtest.h>

namespace um::redis {
namespace {

using Phase = Pipeline::Phase;

Greeting greeting(const char* url) {
  return greeting_for(parse_url(url).value(), "tester");
}
Pipeline ready() {
  return Pipeline{{}, {}};
}
std::vector<std::string> texts(const std::vector<Pipeline::Answer>& answers) {
  std::vector<std::string> all;
  for (const auto& answer : answers)
    all.push_back(std::to_string(answer.ticket) + "=" + answer.reply.text);
  return all;
}
using Texts = std::vector<std::string>;

TEST(Pipeline, TheGreetingComesFirstAndCallersFollow) {
  Pipeline pipeline{{}, greeting("redis://me:geheim@host/2")};
  const auto ticket = pipeline.add(Command{"GET", "a"});
  ASSERT_TRUE(ticket);
  EXPECT_EQ(pipeline.take_output(),
            Command({"AUTH", "me", "geheim"}).bytes() + Command({"SELECT", "2"}).bytes() +
                Command({"CLIENT", "SETNAME", "tester"}).bytes() + Command({"PING"}).bytes());
  EXPECT_EQ(pipeline.take_output(), "");
  EXPECT_TRUE(pipeline.receive("+OK\r\n+OK\r\n-ERR unknown command\r\n").empty())
      << "the name is not worth an error";
  EXPECT_EQ(pipeline.phase(), Phase::greeting);
  EXPECT_TRUE(pipeline.receive("+PONG\r\n").empty());
  EXPECT_EQ(pipeline.phase(), Phase::ready);
  EXPECT_EQ(pipeline.take_output(), Command({"GET", "a"}).bytes());
  EXPECT_EQ(texts(pipeline.receive("$1\r\nx\r\n")), Texts{std::to_string(*ticket) + "=x"});
  EXPECT_TRUE(pipeline.idle());
}

TEST(Pipeline, WhoIsNotLetInLearnsWhy) {
  struct Case {
    const char* answer;
    Breakage breakage;
  };
  for (const auto& [answer, breakage] : {
           Case{"-WRONGPASS invalid username-password pair\r\n", Breakage::refused},
           Case{"-NOAUTH Authentication required.\r\n", Breakage::refused},
           Case{"-LOADING Redis is loading the dataset in memory\r\n", Breakage::not_ready},
           Case{"HTTP/1.1 400 Bad Request\r\n", Breakage::protocol},
           Case{"$5\r\nhello\r\n", Breakage::protocol},
           Case{":1\r\n", Breakage::protocol},
       }) {
    Pipeline pipeline{{}, greeting("redis://:geheim@host")};
    pipeline.take_output();
    EXPECT_TRUE(pipeline.receive(answer).empty());
    EXPECT_EQ(pipeline.breakage(), breakage) << answer;
    EXPECT_EQ(pipeline.why().find("geheim"), std::string::npos);
  }
}

TEST(Pipeline, AnswersBelongToCommandsInTheirOrder) {
  Pipeline pipeline = ready();
  const auto first = pipeline.add(Command{"GET", "a"});
  EXPECT_FALSE(pipeline.take_output().empty());
  const auto second = pipeline.add(Command{"GET", "b"});
  EXPECT_EQ(pipeline.take_output(), Command({"GET", "b"}).bytes());
  EXPECT_TRUE(pipeline.receive("$1\r\n").empty());
  EXPECT_EQ(texts(pipeline.receive("1\r\n$1\r\n2\r\n")),
            (Texts{std::to_string(*first) + "=1", std::to_string(*second) + "=2"}));
}

TEST(Pipeline, AnAnswerToNothingBreaksTheConnection) {
  Pipeline pipeline = ready();
  EXPECT_TRUE(pipeline.receive("+OK\r\n").empty());
  EXPECT_EQ(pipeline.breakage(), Breakage::protocol);

  Pipeline unsent = ready();
  ASSERT_TRUE(unsent.add(Command{"GET", "a"}));
  EXPECT_TRUE(unsent.receive("$1\r\nx\r\n").empty()) << "not even for what will be sent";
  EXPECT_EQ(unsent.breakage(), Breakage::protocol);
}

TEST(Pipeline, WhoGivesUpAfterSendingTakesTheConnectionAlong) {
  Pipeline pipeline = ready();
  const auto first = pipeline.add(Command{"GET", "a"});
  pipeline.take_output();
  ASSERT_TRUE(pipeline.add(Command{"GET", "b"}));
  pipeline.abandon(*first, Breakage::timeout);
  EXPECT_EQ(pipeline.breakage(), Breakage::timeout);
  EXPECT_TRUE(pipeline.receive("$1\r\nx\r\n").empty()) << "the late answer is nobody's";
  EXPECT_EQ(pipeline.take_output(), "");
  EXPECT_FALSE(pipeline.add(Command{"GET", "c"}));
}

TEST(Pipeline, WhoGivesUpBeforeSendingIsForgotten) {
  Pipeline pipeline = ready();
  const auto first = pipeline.add(Command{"GET", "a"});
  const auto second = pipeline.add(Command{"GET", "b"});
  pipeline.abandon(*first, Breakage::timeout);
  EXPECT_EQ(pipeline.take_output(), Command({"GET", "b"}).bytes());
  EXPECT_EQ(texts(pipeline.receive("$1\r\nx\r\n")), Texts{std::to_string(*second) + "=x"});
  EXPECT_EQ(pipeline.phase(), Phase::ready);
}

TEST(Pipeline, FullMeansRefusedAndRoomComesBack) {
  Pipeline by_count{{.commands = 2}, {}};
  ASSERT_TRUE(by_count.add(Command{"PING"}));
  ASSERT_TRUE(by_count.add(Command{"PING"}));
  const auto third = by_count.add(Command{"PING"});
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().kind, Failure::Kind::overloaded);
  by_count.take_output();
  by_count.receive("+PONG\r\n");
  EXPECT_TRUE(by_count.add(Command{"PING"}));

  Pipeline by_bytes{{.bytes = 200}, {}};
  const auto large = by_bytes.add(Command{"SET", "a", std::string(150, 'x')});
  ASSERT_TRUE(large);
  EXPECT_FALSE(by_bytes.add(Command{"SET", "b", std::string(50, 'x')}));
  by_bytes.abandon(*large, Breakage::timeout);
  EXPECT_TRUE(by_bytes.add(Command{"SET", "b", std::string(50, 'x')}));
}

TEST(Pipeline, ErrorsOfACommandAreAnswersUnlessTheyConcernTheConnection) {
  for (const char* answer : {"-OOM full\r\n", "-READONLY replica\r\n", "-ERR what\r\n",
                             "-WRONGTYPE not that\r\n", "-NOPERM no\r\n"}) {
    Pipeline pipeline = ready();
    ASSERT_TRUE(pipeline.add(Command{"SET", "a", "b"}));
    pipeline.take_output();
    EXPECT_EQ(pipeline.receive(answer).size(), 1u);
    EXPECT_EQ(pipeline.phase(), Phase::ready) << answer;
  }
  for (const char* answer : {"-LOADING wait\r\n", "-NOAUTH who are you\r\n", "-BUSY script\r\n"}) {
    Pipeline pipeline = ready();
    ASSERT_TRUE(pipeline.add(Command{"SET", "a", "b"}));
    pipeline.take_output();
    EXPECT_EQ(pipeline.receive(answer).size(), 1u) << "the caller learns it";
    EXPECT_EQ(pipeline.phase(), Phase::broken) << answer;
  }
}

TEST(Pipeline, TheFirstReasonStays) {
  Pipeline pipeline = ready();
  pipeline.break_off(Breakage::closed, "one");
  pipeline.break_off(Breakage::timeout, "two");
  EXPECT_EQ(pipeline.breakage(), Breakage::closed);
  EXPECT_EQ(pipeline.why(), "one");
}

}  // namespace
}  // namespace um::redis

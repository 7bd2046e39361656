#include "drivers/redis/reply_reader.hpp"

#include <gtest/gtest.h>

namespace um::redis {
namespace {

using namespace std::string_literals;
using Kind = Reply::Kind;

const std::string kMixed =
    "+OK\r\n-ERR no\r\n:42\r\n$5\r\na\r\nb\0\r\n$-1\r\n*-1\r\n*0\r\n*3\r\n:1\r\n*1\r\n$1\r\nx\r\n$-1\r\n"s;

void expect_mixed(const std::vector<Reply>& replies) {
  ASSERT_EQ(replies.size(), 8u);
  EXPECT_EQ(replies[0].kind, Kind::status);
  EXPECT_EQ(replies[0].text, "OK");
  EXPECT_EQ(replies[1].kind, Kind::error);
  EXPECT_EQ(replies[1].text, "ERR no");
  EXPECT_EQ(replies[2].integer, 42);
  EXPECT_EQ(replies[3].text, "a\r\nb\0"s);
  EXPECT_TRUE(replies[4].is_nil());
  EXPECT_TRUE(replies[5].is_nil());
  EXPECT_EQ(replies[6].kind, Kind::array);
  EXPECT_TRUE(replies[6].elements.empty());
  ASSERT_EQ(replies[7].elements.size(), 3u);
  EXPECT_EQ(replies[7].elements[0].integer, 1);
  EXPECT_EQ(replies[7].elements[1].elements.at(0).text, "x");
  EXPECT_TRUE(replies[7].elements[2].is_nil());
}

std::expected<std::vector<Reply>, std::string> read_once(const std::string& bytes,
                                                         ReplyLimits limits = {}) {
  ReplyReader reader{limits};
  return reader.read(bytes);
}

TEST(ReplyReader, EveryKindIsReadHoweverItIsCut) {
  const auto whole = read_once(kMixed);
  ASSERT_TRUE(whole) << whole.error();
  expect_mixed(*whole);
  for (std::size_t cut = 1; cut < kMixed.size(); ++cut) {
    ReplyReader reader;
    auto first = reader.read(kMixed.substr(0, cut));
    auto second = reader.read(kMixed.substr(cut));
    ASSERT_TRUE(first && second) << cut;
    for (Reply& reply : *second) first->push_back(std::move(reply));
    expect_mixed(*first);
  }
}

TEST(ReplyReader, WhatIsNoRespIsRefused) {
  for (const char* bytes :
       {"HTTP/1.1 400 Bad Request\r\n", "\r\n", "?\r\n", "$x\r\n", "$-2\r\n", "*-2\r\n", "*x\r\n",
        ":1x\r\n", ":\r\n", "%1\r\n+a\r\n+b\r\n", "\x16\x03\x01\x02"}) {
    EXPECT_FALSE(read_once(bytes)) << bytes;
  }
}

TEST(ReplyReader, ALengthThatIsTooLargeIsNotWaitedFor) {
  for (const char* bytes : {"$101\r\n", "$2147483648\r\nabc", "$99999999999999999999999\r\n",
                            "*2\r\n:1\r\n$4611686018427387904\r\n"}) {
    const auto replies = read_once(bytes, {.text_bytes = 100});
    EXPECT_FALSE(replies) << bytes;
  }
  EXPECT_TRUE(read_once("$100\r\n", {.text_bytes = 100}));
}

TEST(ReplyReader, ArraysDoNotGetMoreElementsThanOneReplyMayHave) {
  const ReplyLimits ten{.elements = 10};
  EXPECT_FALSE(read_once("*2147483647\r\n", ten));
  EXPECT_FALSE(read_once("*11\r\n", ten));
  EXPECT_FALSE(read_once("*2\r\n*5\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n*4\r\n", ten))
      << "together they are eleven";
  EXPECT_TRUE(read_once("*10\r\n", ten));
  EXPECT_TRUE(read_once("*1\r\n:1\r\n*10\r\n", ten)) << "each reply has its own";
}

TEST(ReplyReader, NestingEndsSomewhere) {
  std::string deep;
  for (int i = 0; i < 50; ++i) deep += "*1\r\n";
  EXPECT_FALSE(read_once(deep));
}

TEST(ReplyReader, ALineWithoutAnEndIsNotBufferedForEver) {
  ReplyReader reader{{.reply_bytes = 1000}};
  EXPECT_TRUE(reader.read("+" + std::string(900, 'x')));
  const auto replies = reader.read(std::string(200, 'x'));
  ASSERT_FALSE(replies);
  EXPECT_EQ(replies.error(), "a reply is too long");
}

TEST(ReplyReader, ManyShortRepliesAreNotOneLongOne) {
  ReplyReader reader{{.reply_bytes = 100}};
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "+OK\r\n";
  const auto replies = reader.read(many);
  ASSERT_TRUE(replies);
  EXPECT_EQ(replies->size(), 1000u);
}

TEST(ReplyReader, AfterAnErrorNothingIsRead) {
  ReplyReader reader;
  EXPECT_FALSE(reader.read("?"));
  EXPECT_FALSE(reader.read("+OK\r\n"));
}

TEST(ReplyReader, ErrorsAreClassifiedByTheirFirstWord) {
  using enum ErrorClass;
  EXPECT_EQ(classify_error("OOM command not allowed when used memory > 'maxmemory'."),
            out_of_memory);
  EXPECT_EQ(classify_error("READONLY You can't write against a read only replica."), read_only);
  EXPECT_EQ(classify_error("LOADING Redis is loading the dataset in memory"), not_ready);
  EXPECT_EQ(classify_error("NOAUTH Authentication required."), not_authorized);
  EXPECT_EQ(classify_error("NOSCRIPT No matching script."), no_script);
  EXPECT_EQ(classify_error("ERR OOM"), other);
  EXPECT_EQ(classify_error("OOMS"), other);
  EXPECT_EQ(classify_error(""), other);
}

TEST(ReplyReader, WhatAServerSaysIsMadeHarmlessForLogs) {
  EXPECT_EQ(printable("a\x1b[31m\nb\xC3\xA9"), "a?[31m?b??");
  EXPECT_EQ(printable(std::string(500, 'x')).size(), 200u);
}

}  // namespace
}  // namespace um::redis

#include "drivers/http/output.hpp"

#include <gtest/gtest.h>

namespace um::http {
namespace {

using namespace std::chrono_literals;

std::string taken(Output& output, std::size_t at_most) {
  std::string text;
  for (const auto& buffer : output.buffers()) {
    text.append(static_cast<const char*>(buffer.data()), buffer.size());
  }
  text.resize(std::min(text.size(), at_most));
  output.consume(text.size());
  return text;
}

std::string written(Response response, const AnswerFrame& frame) {
  Output output;
  output.append(response, frame);
  return taken(output, 1'000'000);
}

TEST(Output, AnAnswerHasDateLengthAndTheFieldsOfTheApplication) {
  Response response{.status = 201, .body = "hello"};
  response.add("Location", "/user/1");
  EXPECT_EQ(
      written(response, {.date_line = "Date: x\r\n"}),
      "HTTP/1.1 201 Created\r\nDate: x\r\nLocation: /user/1\r\nContent-Length: 5\r\n\r\nhello");
}

TEST(Output, TheAnswerToHeadHasTheLengthButNoBody) {
  EXPECT_EQ(
      written({.body = "hello"}, {.body = BodyWish::omit, .connection = ConnectionField::close}),
      "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n");
}

TEST(Output, SomeStatusesHaveNoContentWhateverTheApplicationSays) {
  EXPECT_EQ(written({.status = 204, .body = "x"}, {}), "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(written({.status = 304, .body = "x"}, {}), "HTTP/1.1 304 Not Modified\r\n\r\n");
}

TEST(Output, AnUnknownStatusIsWrittenWithoutReason) {
  EXPECT_EQ(written({.status = 299}, {}), "HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n");
}

TEST(Output, LargeAndSmallBodiesStayInOrderHoweverTheyAreWritten) {
  for (const std::size_t step :
       std::initializer_list<std::size_t>{1'000'000U, 1U, 7U, 16'384U, 16'411U}) {
    Output output;
    std::string expected;
    for (int i = 0; i < 6; ++i) {
      const std::size_t size = i % 2 == 0 ? 3 : Output::kCopiedBytes + 1;
      Response response{.body = std::string(size, static_cast<char>('a' + i))};
      if (i == 3) {
        response.shared_body = std::make_shared<const std::string>(std::move(response.body));
      }
      expected += "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
                  std::string(size, static_cast<char>('a' + i));
      output.append(response, {});
    }
    EXPECT_EQ(output.size(), expected.size());
    std::string all;
    // Byte by byte would be quadratic in the size of the large bodies.
    while (!output.empty())
      all += taken(output, all.size() < 200 ? step : std::max(step, std::size_t{977}));
    EXPECT_EQ(all, expected);
  }
}

TEST(Output, ASharedBodyIsNotCopiedAndReleasedWhenItIsOut) {
  const auto body = std::make_shared<const std::string>(Output::kCopiedBytes + 1, 'x');
  Output output;
  Response response{.shared_body = body};
  output.append(response, {});
  EXPECT_EQ(output.buffers().back().data(), body->data());
  output.consume(output.size());
  response.clear();
  EXPECT_EQ(body.use_count(), 1);
}

TEST(Date, IsWrittenAsHttpWantsIt) {
  EXPECT_EQ(format_date(std::chrono::sys_seconds{784'111'777s}), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(format_date(std::chrono::sys_seconds{0s}), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(format_date(std::chrono::sys_seconds{1'709'251'199s}), "Thu, 29 Feb 2024 23:59:59 GMT");
}

TEST(DateLine, ChangesExactlyWithTheSecond) {
  ManualClock clock{WallTime{784'111'777s + 250ms}};
  DateLine date{clock};
  EXPECT_EQ(date.at(clock.now()), "Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n");
  clock.advance(749ms);
  EXPECT_EQ(date.at(clock.now()), "Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n");
  clock.advance(1ms);
  EXPECT_EQ(date.at(clock.now()), "Date: Sun, 06 Nov 1994 08:49:39 GMT\r\n");
}

}  // namespace
}  // namespace um::http

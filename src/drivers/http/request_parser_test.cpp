#include "drivers/http/request_parser.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/http/testing/parse_trace.hpp"
#include "drivers/http/testing/test_requests.hpp"

namespace um::http {
namespace {

using testing::chunked;
using ::testing::EndsWith;
using testing::get_with;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using testing::trace_requests;
using testing::trace_whole;

const std::string kSmuggledBehind = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kNothingLeft = "\nwaits in stage 0";

std::size_t lines_of(const std::string& trace) {
  return static_cast<std::size_t>(std::ranges::count(trace, '\n'));
}

TEST(RequestParser, EveryRequestOfTheTableIsRefusedAndNothingAfterItIsARequest) {
  for (const auto& row : testing::refused_requests()) {
    const std::string trace = trace_whole(row.bytes + kSmuggledBehind);
    EXPECT_THAT(trace, StartsWith("refused " + std::to_string(row.status) + " "))
        << row.name << ": " << row.bytes.substr(0, 200);
  }
}

TEST(RequestParser, NearMissesAreAccepted) {
  for (const std::string& bytes : testing::accepted_requests()) {
    const std::string trace = trace_whole(bytes + kSmuggledBehind);
    EXPECT_THAT(trace, EndsWith("GET /smuggled ? keep [Host=a|a] ()" + kNothingLeft))
        << bytes.substr(0, 200);
    EXPECT_EQ(lines_of(trace), 2U) << bytes.substr(0, 200);
  }
}

TEST(ParsedRequest, AFieldThatIsThereAndEmptyIsNotAnAbsentOne) {
  const std::string_view bytes = "GET / HTTP/1.1\r\nHost: a\r\nIf-Match:  \r\nX:\r\n\r\n";
  InputBuffer input;
  const auto room = input.prepare(bytes.size());
  ASSERT_GE(room.size(), bytes.size());
  std::memcpy(room.data(), bytes.data(), bytes.size());
  input.commit(bytes.size());
  const Limits limits;
  RequestParser parser{limits};
  ASSERT_EQ(parser.advance(input), RequestParser::Progress::complete);
  ParsedRequest request;
  request.bind(parser, input);
  EXPECT_TRUE(request.has_header("Host"));
  EXPECT_TRUE(request.has_header("if-match"));
  EXPECT_EQ(request.header("If-Match"), "");
  EXPECT_TRUE(request.has_header("X"));
  EXPECT_FALSE(request.has_header("If-None-Match"));
  EXPECT_EQ(request.header("If-None-Match"), "");
}

TEST(RequestParser, ACutAtAnyByteChangesNothing) {
  std::vector<std::string> streams = testing::accepted_requests();
  for (const auto& row : testing::refused_requests()) streams.push_back(row.bytes);
  for (const std::string& stream : streams) {
    if (stream.size() > 500) continue;
    const std::string bytes = stream + kSmuggledBehind;
    const std::string whole = trace_whole(bytes);
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
      bool first = true;
      const auto two_pieces = [&] { return std::exchange(first, false) ? cut : bytes.size(); };
      ASSERT_EQ(trace_requests(bytes, {}, two_pieces), whole) << "cut at " << cut << ": " << bytes;
    }
  }
}

TEST(RequestParser, ByteByByteChangesNothingEvenForLargeRequests) {
  std::vector<std::string> streams = testing::accepted_requests();
  for (const auto& row : testing::refused_requests()) streams.push_back(row.bytes);
  for (const std::string& stream : streams) {
    const std::string bytes = stream + kSmuggledBehind;
    // Odd sizes instead of single bytes for the large ones: the same cuts in less time.
    const std::size_t piece = bytes.size() > 20'000 ? 97 : 1;
    ASSERT_EQ(trace_requests(bytes, {}, [&] { return piece; }), trace_whole(bytes))
        << bytes.substr(0, 200);
  }
}

TEST(RequestParser, PipelinedRequestsComeOutInOrder) {
  const std::string trace = trace_whole(get_with("") + chunked("3\r\nabc\r\n0\r\n\r\n") +
                                        get_with("Connection: close\r\n"));
  EXPECT_EQ(trace,
            "GET /x ? keep [Host=a|a] ()\n"
            "POST /x ? keep [Host=a|a] [Transfer-Encoding=chunked|chunked] (abc)\n"
            "GET /x ? close [Host=a|a] [Connection=close|close] ()\n"
            "waits in stage 0");
}

TEST(RequestParser, TrailersAreNeverFields) {
  const std::string trace =
      trace_whole(chunked("1\r\nx\r\n0\r\nAuthorization: Bearer x\r\nHost: b\r\n\r\n"));
  EXPECT_THAT(trace, Not(HasSubstr("Bearer")));
  EXPECT_THAT(trace, Not(HasSubstr("=b")));
  EXPECT_THAT(trace, EndsWith("(x)" + kNothingLeft));
}

TEST(RequestParser, TheTargetIsSplitIntoPathAndQuery) {
  EXPECT_THAT(trace_whole(testing::target("/a%20b?c=d?e")), StartsWith("GET /a%20b ?c=d?e keep"));
  EXPECT_THAT(trace_whole("GET http://a?q HTTP/1.1\r\nHost: a\r\n\r\n"),
              StartsWith("GET / ?q keep"));
  EXPECT_THAT(trace_whole("GET http://a/b HTTP/1.1\r\nHost: A\r\n\r\n"),
              StartsWith("GET /b ? keep"));
  EXPECT_THAT(trace_whole("OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n"),
              StartsWith("OPTIONS * ?"));
}

TEST(RequestParser, EscapesOfUnreservedCharactersInThePathAreDecodedAndNoOthers) {
  EXPECT_THAT(trace_whole(testing::target("/%75ser/%34%32?%75=%76")),
              StartsWith("GET /user/42 ?%75=%76 keep"));
  EXPECT_THAT(trace_whole(testing::target("/%7e%7E%41%5A%61%7A%30%39%2d%2e%5f-x")),
              StartsWith("GET /~~AZaz09-._-x ?"));
  const std::string others = "/a%2Fb%2fc%25%2541%40%20%2B%3A%5B%60%7B%7F%80%C3%A9%00%21";
  EXPECT_THAT(trace_whole(testing::target(others)), StartsWith("GET " + others + " ?"));
  EXPECT_THAT(trace_whole("GET http://a/%62 HTTP/1.1\r\nHost: a\r\n\r\n"), StartsWith("GET /b ?"));
}

TEST(RequestParser, RepeatedListFieldsAreJoined) {
  EXPECT_THAT(trace_whole(get_with("Via: a\r\nx: y\r\nVIA: b\r\nVia: c\r\n")),
              HasSubstr("[VIA=b|a, b, c]"));
}

TEST(RequestParser, ConnectionsPersistAsTheirVersionSays) {
  EXPECT_THAT(trace_whole("GET / HTTP/1.0\r\n\r\n"), HasSubstr(" close"));
  EXPECT_THAT(trace_whole("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), HasSubstr(" keep"));
  EXPECT_THAT(trace_whole(get_with("Connection: x, CLOSE\r\n")), HasSubstr(" close"));
  EXPECT_THAT(trace_whole(get_with("Connection: keep-alive\r\nConnection: close\r\n")),
              HasSubstr(" close"));
  EXPECT_THAT(trace_whole(get_with("Connection: closed\r\n")), HasSubstr(" keep"));
}

TEST(RequestParser, AHeadRequestIsKnownEvenIfItIsRefused) {
  const Limits limits;
  for (const auto& [bytes, is_head] :
       {std::pair{"HEAD /# HTTP/1.1\r\n", true}, std::pair{"GET /# HTTP/1.1\r\n", false},
        std::pair{"FOO / HTTP/1.1\r\n\r\n", false}}) {
    InputBuffer input;
    RequestParser parser{limits};
    const auto room = input.prepare(100);
    std::memcpy(room.data(), bytes, std::strlen(bytes));
    input.commit(std::strlen(bytes));
    EXPECT_EQ(parser.advance(input), RequestParser::Progress::refused);
    EXPECT_EQ(parser.is_head_request(), is_head) << bytes;
  }
}

}  // namespace
}  // namespace um::http

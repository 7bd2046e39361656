// Requests that must be refused, byte by byte. Nothing behind them may be read as a request.
#include "support/stage_test.hpp"

namespace um::e2e {
namespace {

// The request that follows every refused one on its connection; its id must never come back.
constexpr std::string_view kSmuggled =
    "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: smuggled\r\n\r\n";

struct Case {
  std::string name;
  std::string bytes;
  std::vector<unsigned> statuses;  // any of these
};

// A POST with these header lines instead of a length, and `body`.
std::string post(const std::string& header_lines, const std::string& body = {}) {
  return "POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
         header_lines + "\r\n" + body;
}
std::string get(const std::string& header_lines) {
  return "GET /healthz HTTP/1.1\r\n" + header_lines + "\r\n";
}
std::string get_with_host(const std::string& header_lines) {
  return get("Host: localhost\r\n" + header_lines);
}
std::string request_line(const std::string& line) {
  return line + "\r\nHost: localhost\r\n\r\n";
}

class RawHttp : public StageTest<RawHttp> {
 protected:
  static void expect_refused(const Case& refused) {
    SCOPED_TRACE(refused.name);
    HttpConnection connection{stage().server().endpoint()};
    connection.write(refused.bytes + std::string{kSmuggled});
    const auto answer = connection.read_response();
    ASSERT_TRUE(answer) << "closed without an answer";
    EXPECT_NE(std::ranges::find(refused.statuses, answer->status), refused.statuses.end())
        << answer->text();
    EXPECT_TRUE(answer->closes()) << answer->text();
    EXPECT_EQ(answer->header("Content-Type"), "application/problem+json") << answer->text();
    EXPECT_TRUE(answer->header("X-Request-Id")) << answer->text();
    if (answer->status == 405) {
      EXPECT_TRUE(answer->header("Allow"));
    }
    const auto rest = connection.read_to_end();
    EXPECT_EQ(rest, "") << "something behind it was answered";
    EXPECT_EQ(answer->text().find("smuggled"), std::string::npos);
  }
};

constexpr const char* kChunk = "5\r\nhello\r\n0\r\n\r\n";

TEST_F(RawHttp, TransferCodingsOtherThanChunked) {
  for (const auto* coding : {"gzip", "identity", "deflate", "compress", "x-gzip", "chunked, gzip",
                             "gzip, chunked", "chunked, chunked", "chunked, identity"}) {
    expect_refused(
        {coding, post(std::string{"Transfer-Encoding: "} + coding + "\r\n", kChunk), {400, 501}});
  }
  for (const std::string& coding :
       {std::string{"\"chunked\""}, std::string{"chunked\x80"},
        std::string{"\xA0"
                    "chunked"},
        std::string{"xchunked"}, std::string{"chunkedx"}, std::string{"chunked;q=1"},
        std::string{""}, std::string{","}, std::string{"chunked,"}, std::string{",chunked"},
        std::string{"chunked\x0B"},
        std::string{"\x0B"
                    "chunked"},
        std::string{"chun ked"}}) {
    expect_refused({"Transfer-Encoding: " + coding,
                    post("Transfer-Encoding: " + coding + "\r\n", kChunk),
                    {400, 501}});
  }
  expect_refused({"twice",
                  post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", kChunk),
                  {400}});
  expect_refused({"chunked and another",
                  post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", kChunk),
                  {400, 501}});
}

TEST_F(RawHttp, TransferEncodingTogetherWithALengthOrAnOldVersion) {
  expect_refused(
      {"length first", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", kChunk), {400}});
  expect_refused({"length second",
                  post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", kChunk),
                  {400}});
  expect_refused(
      {"length zero", post("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", kChunk), {400}});
  expect_refused({"HTTP/1.0",
                  "POST /auth/login HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: "
                  "chunked\r\n\r\n" +
                      std::string{kChunk},
                  {400}});
}

TEST_F(RawHttp, LengthsThatAreNone) {
  for (const auto* length :
       {"-1", "+5", "5,5", "5, 5", "0x5", "5 5", "five", "", "5.0", "18446744073709551616",
        "99999999999999999999999", "1e1", "5;", "\xB9"}) {
    expect_refused(
        {length, post("Content-Length: " + std::string{length} + "\r\n", "hello"), {400, 413}});
  }
}

TEST_F(RawHttp, FieldsThatMayBeThereOnce) {
  for (const auto* line : {"Authorization: Bearer x\r\n", "Content-Type: application/json\r\n",
                           "Content-Length: 2\r\n", "If-Match: \"x\"\r\n", "Host: localhost\r\n"}) {
    const std::string once = std::string{line} == "Content-Type: application/json\r\n" ||
                                     std::string{line} == "Host: localhost\r\n"
                                 ? ""
                                 : std::string{line};
    expect_refused({line,
                    post(once + std::string{line} +
                             (std::string{line}.starts_with("Content-Length") ? ""
                                                                              : "Content-Length: "
                                                                                "2\r\n"),
                         "{}"),
                    {400}});
  }
}

TEST_F(RawHttp, HostsThatAreNone) {
  expect_refused({"none", get(""), {400}});
  for (const auto* host : {"a b", "a/b", "user@host", "[::1", "host:port", "host:99999", "host:-1",
                           "a\xC3\xA9", "a?b", "a#b", "a\\b", "<host>"}) {
    expect_refused({host, get("Host: " + std::string{host} + "\r\n"), {400}});
  }
  for (const auto* host : {"localhost", "127.0.0.1:80", "[::1]:8080", "users.example.test"}) {
    HttpConnection connection{stage().server().endpoint()};
    connection.write(get("Host: " + std::string{host} + "\r\n"));
    EXPECT_EQ(connection.read_response()->status, 200U) << host;
  }
}

TEST_F(RawHttp, FoldedLinesAndWhiteSpaceInOddPlaces) {
  expect_refused({"folded with a space", get_with_host("X-A: one\r\n two\r\n"), {400}});
  expect_refused({"folded with a tab", get_with_host("X-A: one\r\n\ttwo\r\n"), {400}});
  expect_refused({"space before the colon", get_with_host("X-A : one\r\n"), {400}});
  expect_refused({"tab before the colon", get_with_host("X-A\t: one\r\n"), {400}});
  expect_refused({"length with a space", post("Content-Length : 2\r\n", "{}"), {400}});
  expect_refused({"space before the name", get(" Host: localhost\r\n"), {400}});
  expect_refused({"no name", get_with_host(": one\r\n"), {400}});
  expect_refused({"no colon", get_with_host("X-A\r\n"), {400}});
  expect_refused({"a name with a bracket", get_with_host("X[A]: one\r\n"), {400}});
  expect_refused({"a name beyond ASCII", get_with_host("X-\xC3\xA4: one\r\n"), {400}});
}

TEST_F(RawHttp, BareCarriageReturnsAndLineFeeds) {
  expect_refused(
      {"LF ends the request line", "GET /healthz HTTP/1.1\nHost: localhost\r\n\r\n", {400}});
  expect_refused({"LF ends a field", "GET /healthz HTTP/1.1\r\nHost: localhost\n\r\n", {400}});
  expect_refused({"LF ends the header", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\n", {400}});
  expect_refused({"CR in a value", get_with_host("X-A: one\rtwo\r\n"), {400}});
  expect_refused({"CR alone ends a field", get_with_host("X-A: one\rX-B: two\r\n"), {400}});
  expect_refused({"LF in a value", get_with_host("X-A: one\nX-B: two\r\n"), {400}});
  expect_refused({"NUL in a value", get_with_host(std::string{"X-A: one\0two\r\n", 14}), {400}});
  expect_refused({"a control character in a value", get_with_host("X-A: one\x01two\r\n"), {400}});
  expect_refused({"DEL in a value", get_with_host("X-A: one\x7Ftwo\r\n"), {400}});
  expect_refused({"chunk size ends with LF",
                  post("Transfer-Encoding: chunked\r\n", "5\nhello\r\n0\r\n\r\n"),
                  {400}});
  expect_refused({"chunk ends with LF",
                  post("Transfer-Encoding: chunked\r\n", "5\r\nhello\n0\r\n\r\n"),
                  {400}});
}

TEST_F(RawHttp, ChunksThatAreNone) {
  for (const auto* body :
       {"x\r\nhello\r\n0\r\n\r\n", "-5\r\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n",
        "+5\r\nhello\r\n0\r\n\r\n", " 5\r\nhello\r\n0\r\n\r\n", "5\r\nhelloXX0\r\n\r\n",
        "5 5\r\nhello\r\n0\r\n\r\n", "\r\nhello\r\n0\r\n\r\n",
        "10000000000000000005\r\nhello\r\n0\r\n\r\n", "FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n"}) {
    expect_refused({body, post("Transfer-Encoding: chunked\r\n", body), {400, 413}});
  }
}

TEST_F(RawHttp, TargetsThatAreNone) {
  for (const std::string& line : {std::string{"GET healthz HTTP/1.1"},
                                  std::string{"GET * HTTP/1.1"},
                                  std::string{"GET http://elsewhere.test/healthz HTTP/1.1"},
                                  std::string{"GET http://localhost:81/healthz HTTP/1.1"},
                                  std::string{"GET http://user@localhost/healthz HTTP/1.1"},
                                  std::string{"GET ftp://localhost/healthz HTTP/1.1"},
                                  std::string{"GET /healthz#part HTTP/1.1"},
                                  std::string{"GET /healthz?a#b HTTP/1.1"},
                                  std::string{"GET /healthz\x80 HTTP/1.1"},
                                  std::string{"GET /h\xC3\xA9 HTTP/1.1"},
                                  std::string{"GET /healthz\x7F HTTP/1.1"},
                                  std::string{"GET /%zz HTTP/1.1"},
                                  std::string{"GET /% HTTP/1.1"},
                                  std::string{"GET /%4 HTTP/1.1"},
                                  std::string{"GET /healthz?x=%G0 HTTP/1.1"},
                                  std::string{"GET  /healthz HTTP/1.1"},
                                  std::string{"GET /healthz  HTTP/1.1"},
                                  std::string{"GET /heal thz HTTP/1.1"},
                                  std::string{"GET\t/healthz HTTP/1.1"},
                                  std::string{"GET /healthz"},
                                  std::string{"GET /healthz HTTP/1.1 "},
                                  std::string{" GET /healthz HTTP/1.1"},
                                  std::string{"GET /healthz HTTP/1"},
                                  std::string{"GET /healthz HTTPS/1.1"},
                                  std::string{"GET /healthz http/1.1"},
                                  std::string{"GET"}}) {
    expect_refused({line, request_line(line), {400}});
  }
}

TEST_F(RawHttp, VersionsThatAreNotSpoken) {
  for (const auto* version : {"HTTP/2.0", "HTTP/0.9", "HTTP/1.2", "HTTP/9.9"}) {
    expect_refused({version, request_line(std::string{"GET /healthz "} + version), {400, 505}});
  }
}

TEST_F(RawHttp, MethodsThatAreUnknownOrNeverOffered) {
  for (const auto* method : {"BREW", "get", "Get", "M-SEARCH"}) {
    expect_refused({method, request_line(std::string{method} + " /healthz HTTP/1.1"), {501}});
  }
  expect_refused({"TRACE", request_line("TRACE /healthz HTTP/1.1"), {405}});
  expect_refused({"CONNECT", "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n", {405}});
}

TEST_F(RawHttp, MethodsThatAreRegisteredButNotOfferedAreRefusedByThePath) {
  HttpConnection connection{stage().server().endpoint()};
  for (const auto* method : {"PROPFIND", "LINK", "QUERY", "VERSION-CONTROL", "POST"}) {
    connection.write(request_line(std::string{method} + " /healthz HTTP/1.1"));
    const auto answer = connection.read_response();
    ASSERT_TRUE(answer) << method;
    EXPECT_EQ(answer->status, 405U) << method;
    EXPECT_EQ(answer->header("Allow"), "GET, HEAD, OPTIONS") << method;
  }
  connection.write(request_line("QUERY /nowhere HTTP/1.1"));
  EXPECT_EQ(connection.read_response()->status, 404U);
}

TEST_F(RawHttp, ARefusalKeepsTheRequestId) {
  const std::string id = "X-Request-Id: follow-me.1\r\n";
  for (const Case& refused : std::vector<Case>{
           {"too long", post(id + "Content-Length: 99999999\r\n"), {413}},
           {"chunks too long", post(id + "Transfer-Encoding: chunked\r\n", "FFFFFF\r\n"), {413}},
           {"expectation", post(id + "Content-Length: 2\r\nExpect: x\r\n", "{}"), {417}},
           {"coding", post(id + "Transfer-Encoding: gzip\r\n"), {501}},
           {"twice", get_with_host(id + "Authorization: a\r\nAuthorization: b\r\n"), {400}},
           {"no host", get(id), {400}},
           {"TRACE", "TRACE / HTTP/1.1\r\nHost: localhost\r\n" + id + "\r\n", {405}}}) {
    HttpConnection connection{stage().server().endpoint()};
    connection.write(refused.bytes);
    const auto answer = connection.read_response();
    ASSERT_TRUE(answer) << refused.name;
    EXPECT_EQ(answer->status, refused.statuses.front()) << refused.name;
    EXPECT_EQ(answer->header("X-Request-Id"), "follow-me.1") << refused.name;
  }
}

TEST_F(RawHttp, ExpectationsOtherThanContinue) {
  for (const auto* expectation : {"200-ok", "100-continue, x", "x", "100-continued"}) {
    expect_refused({expectation,
                    post("Content-Length: 2\r\nExpect: " + std::string{expectation} + "\r\n", "{}"),
                    {417}});
  }
}

TEST_F(RawHttp, WhatIsTooLong) {
  expect_refused(
      {"request line", request_line("GET /" + std::string(8'000, 'a') + " HTTP/1.1"), {414}});
  expect_refused({"an endless request line", "GET /" + std::string(100'000, 'a'), {414}});
  expect_refused(
      {"one header field", get_with_host("X-A: " + std::string(20'000, 'a') + "\r\n"), {431, 400}});
  expect_refused({"an endless header field",
                  "GET / HTTP/1.1\r\nX-A: " + std::string(100'000, 'a'),
                  {431, 400}});
  expect_refused({"many header fields", get_with_host(repeated("X-A: b\r\n", 101)), {431, 400}});
  expect_refused(
      {"a thousand header fields", get_with_host(repeated("A: b\r\n", 1'000)), {431, 400}});
  expect_refused({"a chunk extension",
                  post("Transfer-Encoding: chunked\r\n",
                       "2;x=" + std::string(20'000, 'e') + "\r\n{}\r\n0\r\n\r\n"),
                  {400, 413, 431}});
  expect_refused({"many small chunk extensions",
                  post("Transfer-Encoding: chunked\r\n",
                       repeated("1;" + std::string(50, 'e') + "\r\n \r\n", 200) + "0\r\n\r\n"),
                  {400, 413, 431}});
  expect_refused({"trailers",
                  post("Transfer-Encoding: chunked\r\n",
                       "2\r\n{}\r\n0\r\n" + repeated("X-Trailer: abcdefgh\r\n", 2'000) + "\r\n"),
                  {400, 413, 431}});
  expect_refused({"a body", post("Content-Length: 65537\r\n", std::string(65'537, ' ')), {413}});
  expect_refused({"a body that is not sent", post("Content-Length: 1000000\r\n"), {413}});
  expect_refused({"a body in chunks",
                  post("Transfer-Encoding: chunked\r\n",
                       repeated("2000\r\n" + std::string(0x2000, ' ') + "\r\n", 9) + "0\r\n\r\n"),
                  {413}});
}

}  // namespace
}  // namespace um::e2e

// The strict check over sockets, as a client sees it.
#include <filesystem>
#include <sys/resource.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/http/testing/test_requests.hpp"
#include "drivers/http/testing/test_server.hpp"
#include "support/http_client.hpp"

namespace um::http {
namespace {

using namespace std::chrono_literals;
using e2e::Endpoint;
using e2e::HttpConnection;
using ::testing::EndsWith;
using testing::get_with;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using testing::TestServer;

const std::string kSmuggled = "GET /now/smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

std::string status(unsigned code) {
  return "HTTP/1.1 " + std::to_string(code) + " ";
}

std::size_t answers_in(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find("\r\nDate: ", at)) != std::string_view::npos; ++at)
    ++count;
  return count;
}

TEST(ServerRefusal, EveryRequestOfTheTableIsAnsweredAndEndsTheConnection) {
  TestServer server;
  for (const auto& row : testing::refused_requests()) {
    HttpConnection client{{.port = server.port()}};
    ASSERT_TRUE(client.write(row.bytes + kSmuggled)) << row.name;
    client.finish_writing();
    const std::string all = client.rest_text();
    EXPECT_THAT(all, StartsWith(status(row.status)))
        << row.name << ": " << row.bytes.substr(0, 100);
    EXPECT_THAT(all, HasSubstr("\r\nConnection: close\r\n")) << row.name;
    EXPECT_THAT(all, Not(HasSubstr("(")));  // neither reset nor late
    EXPECT_EQ(answers_in(all), 1U) << row.name << ": " << all;
  }
  EXPECT_EQ(server.handler().calls(), 0U);
  EXPECT_EQ(server.server().stats().refusals, testing::refused_requests().size());
}

TEST(ServerRefusal, TheFieldsThatWereReadAreHandedOn) {
  TestServer server;
  for (const std::string& bytes :
       {std::string{"TRACE /x HTTP/1.1\r\nHost: a\r\nX-Id: 7\r\n\r\n"},
        std::string{"BREW /x HTTP/1.1\r\nHost: a\r\nX-Id: 7\r\n\r\n"},
        std::string{"POST /x HTTP/1.1\r\nHost: a\r\nX-Id: 7\r\nContent-Length: 99999\r\n\r\n"},
        std::string{"POST /x HTTP/1.1\r\nHost: a\r\nX-Id: 7\r\nTransfer-Encoding: "
                    "chunked\r\n\r\n1\r\nx\r\nFFFFF\r\n"},
        std::string{"GET /x HTTP/1.1\r\nX-Id: 7\r\nbroken line\r\n\r\n"}}) {
    HttpConnection client{{.port = server.port()}};
    ASSERT_TRUE(client.write(bytes));
    EXPECT_THAT(client.rest_text(), HasSubstr("\r\nX-Id: 7\r\n")) << bytes;
  }
  // Neither a field of the request before it nor one that was sent twice.
  HttpConnection client{{.port = server.port()}};
  ASSERT_TRUE(
      client.write("GET /now HTTP/1.1\r\nHost: a\r\nX-Id: 6\r\n\r\n"
                   "TRACE /x HTTP/1.1\r\nHost: a\r\nX-Id: 7\r\nX-Id: 8\r\n\r\n"));
  EXPECT_THAT(client.rest_text(), HasSubstr("\r\nX-Id: \r\n"));
}

TEST(ServerRefusal, NearMissesReachTheApplication) {
  TestServer server;
  const auto requests = testing::accepted_requests();
  std::size_t expected = 0;
  for (const std::string& bytes : requests) {
    HttpConnection client{{.port = server.port()}};
    ASSERT_TRUE(client.write(bytes));
    ++expected;
    std::string answer = client.answer_text();
    if (answer.starts_with(status(100))) answer = client.answer_text();
    EXPECT_THAT(answer, StartsWith(status(200))) << bytes.substr(0, 100);
  }
  EXPECT_EQ(server.handler().calls(), expected);
}

TEST(ServerRefusal, TheAnswerArrivesAlthoughALargeBodyIsStillBeingSent) {
  TestServer server;
  HttpConnection client{{.port = server.port()}};
  ASSERT_TRUE(client.write(testing::post_with("Content-Length: 5000000\r\n", "")));
  ASSERT_TRUE(client.write(std::string(5'000'000, 'x')));
  client.finish_writing();
  const std::string all = client.rest_text();
  EXPECT_THAT(all, StartsWith(status(413)));
  EXPECT_THAT(all, Not(HasSubstr("(reset)")));
}

TEST(ServerRefusal, WhoSendsWithoutEndAfterARefusalIsCutOff) {
  TestServer server{Limits{.linger_bytes = 100'000}};
  HttpConnection client{{.port = server.port()}};
  ASSERT_TRUE(client.write("nonsense\r\n"));
  std::size_t sent = 0;
  while (sent < 200 && client.write(std::string(1'000'000, 'x'))) ++sent;
  EXPECT_LT(sent, 200U);
}

TEST(ServerRefusal, WhoDoesNotCloseAfterARefusalIsCutOffInTime) {
  TestServer server{Limits{.linger_time = 50ms}};
  HttpConnection client{{.port = server.port()}};
  ASSERT_TRUE(client.write("nonsense\r\n"));
  EXPECT_THAT(client.rest_text(), StartsWith(status(400)));
  while (server.server().stats().open_connections > 0) std::this_thread::yield();
}

TEST(ServerRefusal, AHeaderThatDoesNotCompleteIsTimedOut) {
  TestServer server{Limits{.header_time = 60ms}};
  for (const char* bytes : {"G", "GET /now HTTP/1.1\r\n", "GET /now HTTP/1.1\r\nHost: a\r\n\r"}) {
    HttpConnection client{{.port = server.port()}};
    ASSERT_TRUE(client.write(bytes));
    EXPECT_THAT(client.rest_text(), StartsWith(status(408))) << bytes;
  }
  EXPECT_EQ(server.handler().calls(), 0U);
}

TEST(ServerRefusal, ABodyThatDoesNotCompleteIsTimedOut) {
  TestServer server{Limits{.body_time = 60ms}};
  HttpConnection client{{.port = server.port()}};
  ASSERT_TRUE(client.write(testing::post_with("Content-Length: 5\r\n", "hell")));
  EXPECT_THAT(client.rest_text(), StartsWith(status(408)));
  EXPECT_EQ(server.handler().calls(), 0U);
}

TEST(ServerRefusal, ABodyThatComesTooSlowlyIsTimedOut) {
  TestServer server{Limits{.body_bytes_per_second = 1'000'000, .body_grace = 60ms}};
  HttpConnection client{{.port = server.port()}};
  ASSERT_TRUE(
      client.write(testing::post_with("Content-Length: 60000\r\n", std::string(1'000, 'x'))));
  EXPECT_THAT(client.rest_text(), StartsWith(status(408)));
}

TEST(ServerRefusal, IdleConnectionsAreClosedWithoutAWord) {
  TestServer server{Limits{.idle_time = 60ms}};
  HttpConnection silent{{.port = server.port()}};
  EXPECT_EQ(silent.rest_text(), "");
  // On a busy machine even the request may arrive after the idle time.
  std::string answer;
  std::string after = "(nothing was answered)";
  for (int i = 0; i < 100 && !answer.starts_with(status(200)); ++i) {
    HttpConnection served{{.port = server.port()}};
    if (!served.write(get_with(""))) continue;
    answer = served.answer_text();
    after = served.rest_text();
  }
  EXPECT_THAT(answer, StartsWith(status(200)));
  EXPECT_EQ(after, "");
}

TEST(ServerRefusal, AHalfRequestBeforeTheEndIsRefused) {
  TestServer server;
  HttpConnection client{{.port = server.port()}};
  ASSERT_TRUE(client.write(get_with("") + "GET /now"));
  client.finish_writing();
  EXPECT_THAT(client.answer_text(), StartsWith(status(200)));
  EXPECT_THAT(client.rest_text(), StartsWith(status(400)));
}

TEST(ServerRefusal, OfTooManyConnectionsTheLastAreTurnedAway) {
  TestServer server{Limits{.connections = 3}};
  std::vector<HttpConnection> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back(Endpoint{.port = server.port()});
    ASSERT_TRUE(clients.back().write(get_with("")));
    EXPECT_THAT(clients.back().answer_text(), StartsWith(status(200)));
  }
  for (int i = 0; i < 5; ++i) {
    HttpConnection refused{{.port = server.port()}};
    ASSERT_TRUE(refused.write(get_with("")));
    const std::string all = refused.rest_text();
    EXPECT_THAT(all, StartsWith(status(503)));
    EXPECT_THAT(all, HasSubstr("\r\nRetry-After: "));
  }
  EXPECT_EQ(server.server().stats().refused_connections, 5U);
  clients.pop_back();
  while (server.server().stats().open_connections > 2) std::this_thread::yield();
  HttpConnection next{{.port = server.port()}};
  ASSERT_TRUE(next.write(get_with("")));
  EXPECT_THAT(next.answer_text(), StartsWith(status(200)));
}

// Lowers the limit of descriptors so that exactly `free` are left; the destructor restores it.
class FewDescriptors {
 public:
  explicit FewDescriptors(rlim_t free) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    // Fills the gaps: after a dup() that gives the highest number so far, there is none below it.
    const int highest = highest_descriptor();
    while (fillers_.empty() || fillers_.back() < highest) fillers_.push_back(::dup(0));
    rlimit few = before_;
    few.rlim_cur = static_cast<rlim_t>(fillers_.back()) + 1 + free;
    ::setrlimit(RLIMIT_NOFILE, &few);
  }
  ~FewDescriptors() {
    ::setrlimit(RLIMIT_NOFILE, &before_);
    for (const int filler : fillers_) ::close(filler);
  }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;

 private:
  static int highest_descriptor() {
    int highest = 0;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"}) {
      highest = std::max(highest, std::stoi(entry.path().filename().string()));
    }
    return highest;
  }
  rlimit before_{};
  std::vector<int> fillers_;
};

TEST(ServerRefusal, WithoutDescriptorsClientsAreToldSoAndServedAgainLater) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "UBSan checks the type of an object with a pipe, which takes descriptors";
#endif
  TestServer server;
  {
    const FewDescriptors few{1};
    for (int i = 0; i < 2; ++i) {
      HttpConnection client{{.port = server.port()}};  // takes the last one
      ASSERT_TRUE(client.write(get_with("")));
      EXPECT_THAT(client.rest_text(), StartsWith(status(503)));
    }
  }
  // The listener may still be turning clients away.
  std::string answer;
  for (int i = 0; i < 100 && !answer.starts_with(status(200)); ++i) {
    HttpConnection client{{.port = server.port()}};
    ASSERT_TRUE(client.write(get_with("")));
    answer = client.answer_text();
  }
  EXPECT_THAT(answer, StartsWith(status(200)));
  EXPECT_GE(server.server().stats().refused_connections, 2U);
  EXPECT_LT(server.errors().size(), 10U);  // it pauses instead of trying again and again
}

TEST(ServerRefusal, AHeadRequestIsRefusedWithoutABody) {
  TestServer server;
  HttpConnection client{{.port = server.port()}};
  ASSERT_TRUE(client.write("HEAD /x HTTP/1.1\r\n\r\n"));
  const std::string all = client.rest_text();
  EXPECT_THAT(all, StartsWith(status(400)));
  EXPECT_THAT(all, EndsWith("\r\n\r\n"));
}

TEST(ServerRefusal, WhatAHandlerThrowsIsA500AndIsReported) {
  TestServer server;
  for (const char* path : {"/throw", "/throw-later"}) {
    HttpConnection client{{.port = server.port()}};
    ASSERT_TRUE(client.write(testing::target(path) + kSmuggled));
    const std::string all = client.rest_text();
    EXPECT_THAT(all, StartsWith(status(500))) << path;
    EXPECT_THAT(all, Not(HasSubstr("thrown")));
    EXPECT_EQ(answers_in(all), 1U);
  }
  EXPECT_THAT(server.errors(), ::testing::ElementsAre("thrown at once", "thrown later"));
}

}  // namespace
}  // namespace um::http

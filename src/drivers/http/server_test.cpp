#include "drivers/http/server.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/http/testing/test_requests.hpp"
#include "drivers/http/testing/test_server.hpp"
#include "support/http_client.hpp"

namespace um::http {
namespace {

using namespace std::chrono_literals;
using e2e::HttpConnection;
using ::testing::EndsWith;
using testing::get_with;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using testing::target;
using testing::TestServer;

TEST(Server, AnswersAtOnceAndFromATaskOnOneConnection) {
  TestServer server;
  HttpConnection client{{.port = server.port()}};
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.write(target("/now?a=b")));
    EXPECT_THAT(client.answer_text(), EndsWith("\r\n\r\n/now?a=b"));
    ASSERT_TRUE(client.write("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"));
    EXPECT_THAT(client.answer_text(), EndsWith("\r\n\r\nhello"));
  }
  EXPECT_EQ(server.server().stats().accepted, 1U);
}

TEST(Server, EveryAnswerHasADate) {
  TestServer server;
  HttpConnection client{{.port = server.port()}};
  ASSERT_TRUE(client.write(target("/now")));
  EXPECT_THAT(client.answer_text(),
              ::testing::ContainsRegex("\r\nDate: [A-Z][a-z][a-z], [0-9][0-9] .* GMT\r\n"));
}

TEST(Server, PipelinedRequestsAreAnsweredInOrder) {
  TestServer server;
  HttpConnection client{{.port = server.port()}};
  std::string all;
  for (int i = 0; i < 1'000; ++i) {
    const std::string number = std::to_string(i);
    all += i % 10 == 3 ? "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: " +
                             std::to_string(number.size()) + "\r\n\r\n" + number
                       : target("/now?" + number);
  }
  // Sent by a thread of its own, because it may not fit into the buffers of the sockets.
  const std::jthread sender{[&] { client.write(all); }};
  for (int i = 0; i < 1'000; ++i) {
    const std::string body = (i % 10 == 3 ? "" : "/now?") + std::to_string(i);
    ASSERT_THAT(client.answer_text(), EndsWith("\r\n\r\n" + body));
  }
  EXPECT_EQ(server.handler().calls(), 1'000U);
}

TEST(Server, PipelinedLargeAnswersAreCompleteForAReaderThatStartsLate) {
  TestServer server;
  HttpConnection client{{.port = server.port()}};
  std::string all;
  for (int i = 0; i < 20; ++i) all += target("/big") + target("/now?" + std::to_string(i));
  ASSERT_TRUE(client.write(all));
  for (int i = 0; i < 20; ++i) {
    ASSERT_THAT(client.answer_text(), EndsWith(*server.handler().big));
    ASSERT_THAT(client.answer_text(), EndsWith("/now?" + std::to_string(i)));
  }
}

TEST(Server, WhoDoesNotReadAnswersStopsBeingReadAndIsClosedInTime) {
  TestServer server{Limits{.write_time = 60ms}};
  HttpConnection client{{.port = server.port()}};
  std::string all;
  for (int i = 0; i < 1'000; ++i) all += target("/big");
  client.write(all);
  // Before the connection is accepted there is no open one either.
  while (server.handler().calls() == 0) std::this_thread::yield();
  while (server.server().stats().open_connections > 0) std::this_thread::yield();
  EXPECT_LT(server.handler().calls(), 100U);
}

TEST(Server, ACutAtAnyByteGivesTheSameAnswers) {
  TestServer server;
  const std::string stream =
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;x\r\nhello\r\n0\r\nT: u\r\n\r\n"
      "GET /now?1 HTTP/1.1\r\nHost: a\r\n\r\n"
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
      "GET /close HTTP/1.1\r\nHost : a\r\n\r\n";
  for (std::size_t cut = 1; cut < stream.size(); ++cut) {
    HttpConnection client{{.port = server.port()}};
    ASSERT_TRUE(client.write(stream.substr(0, cut)));
    ASSERT_TRUE(client.write(stream.substr(cut)));
    ASSERT_THAT(client.answer_text(), EndsWith("\r\n\r\nhello")) << cut;
    ASSERT_THAT(client.answer_text(), EndsWith("\r\n\r\n/now?1")) << cut;
    ASSERT_THAT(client.answer_text(), EndsWith("\r\n\r\nabc")) << cut;
    ASSERT_THAT(client.rest_text(), StartsWith("HTTP/1.1 400 ")) << cut;
  }
}

TEST(Server, HeadHasTheHeadersOfGetWithoutTheBody) {
  TestServer server;
  HttpConnection client{{.port = server.port()}};
  ASSERT_TRUE(client.write("HEAD /big HTTP/1.1\r\nHost: a\r\n\r\n" + target("/now")));
  EXPECT_THAT(client.head_text(), HasSubstr("\r\nContent-Length: 2000003\r\n"));
  EXPECT_THAT(client.answer_text(), EndsWith("\r\n\r\n/now?"));
}

TEST(Server, AnAnswerWithoutContentHasNeitherLengthNorBody) {
  TestServer server;
  HttpConnection client{{.port = server.port()}};
  ASSERT_TRUE(client.write(target("/empty") + target("/now")));
  const std::string empty = client.head_text();
  EXPECT_THAT(empty, StartsWith("HTTP/1.1 204 "));
  EXPECT_THAT(empty, Not(HasSubstr("Content-Length")));
  EXPECT_THAT(client.answer_text(), EndsWith("\r\n\r\n/now?"));
}

TEST(Server, TheBodyIsAskedForOnlyAfterTheHeaderWasAccepted) {
  TestServer server;
  const std::string expecting = "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n";
  HttpConnection accepted{{.port = server.port()}};
  ASSERT_TRUE(accepted.write("POST /echo HTTP/1.1\r\nHost: a\r\n" + expecting));
  EXPECT_EQ(accepted.head_text(), "HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_TRUE(accepted.write("hello"));
  EXPECT_THAT(accepted.answer_text(), EndsWith("\r\n\r\nhello"));
  HttpConnection refused{{.port = server.port()}};
  ASSERT_TRUE(refused.write("POST /echo HTTP/1.1\r\nHost: a b\r\n" + expecting));
  EXPECT_THAT(refused.head_text(), StartsWith("HTTP/1.1 400 "));
}

TEST(Server, ABodyThatChangesNothingIsNotAskedFor) {
  TestServer server;
  for (const char* framing : {"Content-Length: 5", "Transfer-Encoding: chunked"}) {
    HttpConnection client{{.port = server.port()}};
    ASSERT_TRUE(client.write("POST /unwanted HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n" +
                             std::string{framing} + "\r\n\r\n"));
    const std::string answer = client.answer_text();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 403 "));
    EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
    // A body that is sent nevertheless is not read as a request.
    (void)client.write("hello" + target("/now"));
    EXPECT_EQ(client.rest_text(), "");
  }
}

TEST(Server, TrailersAreNotFields) {
  TestServer server;
  HttpConnection client{{.port = server.port()}};
  ASSERT_TRUE(
      client.write("POST /field?x-trailer HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                   "\r\n0\r\nX-Trailer: seen\r\n\r\n"));
  EXPECT_THAT(client.answer_text(), EndsWith("\r\n\r\n"));
}

TEST(Server, ConnectionsPersistAsTheClientAsks) {
  TestServer server;
  HttpConnection old{{.port = server.port()}};
  ASSERT_TRUE(old.write("GET /now HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  EXPECT_THAT(old.answer_text(), HasSubstr("\r\nConnection: keep-alive\r\n"));
  ASSERT_TRUE(old.write("GET /now HTTP/1.0\r\n\r\n"));
  EXPECT_THAT(old.answer_text(), HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_EQ(old.rest_text(), "");

  HttpConnection asking{{.port = server.port()}};
  ASSERT_TRUE(asking.write(get_with("Connection: close\r\n") + get_with("")));
  EXPECT_THAT(asking.answer_text(), HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_EQ(asking.rest_text(), "");

  HttpConnection told{{.port = server.port()}};
  ASSERT_TRUE(told.write(target("/close") + target("/now")));
  EXPECT_THAT(told.answer_text(), HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_EQ(told.rest_text(), "");
}

TEST(Server, AClientThatStoppedSendingIsStillAnswered) {
  TestServer server;
  HttpConnection client{{.port = server.port()}};
  ASSERT_TRUE(client.write(target("/now?1") + target("/now?2")));
  client.finish_writing();
  EXPECT_THAT(client.answer_text(), EndsWith("/now?1"));
  EXPECT_THAT(client.rest_text(), EndsWith("/now?2"));
}

TEST(Server, ATaskWhoseClientIsGoneIsCancelledIfItAllowsIt) {
  TestServer server;
  {
    HttpConnection client{{.port = server.port()}};
    ASSERT_TRUE(client.write(target("/wait")));
    ASSERT_TRUE(server.handler().wait_until_waiting(1));
  }
  EXPECT_TRUE(server.handler().wait_until_cancelled(1));
}

TEST(Server, DrainFinishesWhatIsUnderWayAndClosesWhatIsIdle) {
  TestServer server;
  HttpConnection idle{{.port = server.port()}};
  ASSERT_TRUE(idle.write(target("/now")));
  idle.answer_text();
  HttpConnection busy{{.port = server.port()}};
  ASSERT_TRUE(busy.write(target("/wait") + target("/now")));
  ASSERT_TRUE(server.handler().wait_until_waiting(1));
  bool drained = false;
  {
    const std::jthread draining{[&] { drained = server.server().drain(20s); }};
    EXPECT_EQ(idle.rest_text(), "");
    server.handler().release();
    const std::string last = busy.rest_text();
    EXPECT_THAT(last, HasSubstr("\r\nConnection: close\r\n"));
    EXPECT_THAT(last, Not(HasSubstr("/now")));
    {
      const HttpConnection closes_its_side{std::move(busy)};
    }
  }
  EXPECT_TRUE(drained);
  EXPECT_THROW(HttpConnection({.port = server.port()}), std::runtime_error);
}

TEST(Server, WhoAsksAgainWhileAnIdleConnectionIsDrainedIsNotReset) {
  TestServer server;
  HttpConnection idle{{.port = server.port()}};
  ASSERT_TRUE(idle.write(target("/now")));
  idle.answer_text();
  bool drained = false;
  {
    const std::jthread draining{[&] { drained = server.server().drain(20s); }};
    EXPECT_EQ(idle.rest_text(), "");
    // A reset would also throw away an answer that the client has not read yet.
    EXPECT_TRUE(idle.write(target("/now")));
    EXPECT_TRUE(idle.write(target("/now")));
    EXPECT_EQ(idle.rest_text(), "");
    const HttpConnection closes_its_side{std::move(idle)};
  }
  EXPECT_TRUE(drained);
}

TEST(Server, AnIdleConnectionWhoseClientDoesNotCloseIsLeftAfterAMoment) {
  TestServer server{Limits{.idle_linger_time = 20ms}};
  HttpConnection idle{{.port = server.port()}};
  ASSERT_TRUE(idle.write(target("/now")));
  idle.answer_text();
  EXPECT_TRUE(server.server().drain(20s));
}

TEST(Server, AfterTheEndIsAnnouncedEveryClientIsServedOnceMore) {
  TestServer server;
  HttpConnection before{{.port = server.port()}};
  ASSERT_TRUE(before.write(target("/now")));
  EXPECT_THAT(before.answer_text(), Not(HasSubstr("Connection: close")));
  server.server().announce_end();
  HttpConnection after{{.port = server.port()}};
  for (HttpConnection* client : {&before, &after}) {
    ASSERT_TRUE(client->write(target("/now")));
    EXPECT_THAT(client->answer_text(), HasSubstr("\r\nConnection: close\r\n"));
    EXPECT_EQ(client->rest_text(), "");
  }
}

TEST(Server, DrainCutsOffWhatDoesNotFinishInTime) {
  TestServer server;
  HttpConnection busy{{.port = server.port()}};
  ASSERT_TRUE(busy.write(target("/wait")));
  ASSERT_TRUE(server.handler().wait_until_waiting(1));
  EXPECT_FALSE(server.server().drain(20ms));
  EXPECT_EQ(busy.rest_text(), "");
}

TEST(Server, APortThatIsTakenIsRefusedWithAClearError) {
  TestServer server;
  testing::TestHandler handler;
  boost::asio::io_context context;
  try {
    const Server second{{.port = server.port()}, {&context}, handler};
    FAIL() << "two servers on one port";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::address_in_use);
    EXPECT_THAT(error.what(), HasSubstr("cannot listen on 127.0.0.1 port "));
  }
}

TEST(Server, ABadAddressIsRefusedWithAClearError) {
  testing::TestHandler handler;
  boost::asio::io_context context;
  const auto make = [&] { const Server server{{.address = "nowhere"}, {&context}, handler}; };
  EXPECT_THROW(make(), std::system_error);
}

TEST(Server, ListensOnIpv6) {
  TestServer server{ServerOptions{.address = "::1", .port = 0}};
  boost::asio::io_context context;
  boost::asio::ip::tcp::socket socket{context};
  socket.connect({boost::asio::ip::make_address("::1"), server.port()});
  const std::string request = target("/now");
  socket.send(boost::asio::buffer(request));
  std::array<char, 12> start;
  boost::asio::read(socket, boost::asio::buffer(start));
  EXPECT_EQ(std::string_view(start.data(), start.size()), "HTTP/1.1 200");
}

}  // namespace
}  // namespace um::http

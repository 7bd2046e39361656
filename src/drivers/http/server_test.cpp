#include "drivers/http/server.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/http/testing/test_client.hpp"
#include "drivers/http/testing/test_requests.hpp"
#include "drivers/http/testing/test_server.hpp"

namespace um::http {
namespace {

using namespace std::chrono_literals;
using ::testing::EndsWith;
using testing::get_with;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using testing::target;
using testing::TestClient;
using testing::TestServer;

TEST(Server, AnswersAtOnceAndFromATaskOnOneConnection) {
  TestServer server;
  TestClient client{server.port()};
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.send(target("/now?a=b")));
    EXPECT_THAT(client.answer(), EndsWith("\r\n\r\n/now?a=b"));
    ASSERT_TRUE(client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"));
    EXPECT_THAT(client.answer(), EndsWith("\r\n\r\nhello"));
  }
  EXPECT_EQ(server.server().stats().accepted, 1U);
}

TEST(Server, EveryAnswerHasADate) {
  TestServer server;
  TestClient client{server.port()};
  ASSERT_TRUE(client.send(target("/now")));
  EXPECT_THAT(client.answer(),
              ::testing::ContainsRegex("\r\nDate: [A-Z][a-z][a-z], [0-9][0-9] .* GMT\r\n"));
}

TEST(Server, PipelinedRequestsAreAnsweredInOrder) {
  TestServer server;
  TestClient client{server.port()};
  std::string all;
  for (int i = 0; i < 1'000; ++i) {
    const std::string number = std::to_string(i);
    all += i % 10 == 3 ? "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: " +
                             std::to_string(number.size()) + "\r\n\r\n" + number
                       : target("/now?" + number);
  }
  // Sent by a thread of its own, because nobody promises that all of it fits into buffers.
  const std::jthread sender{[&] { client.send(all); }};
  for (int i = 0; i < 1'000; ++i) {
    const std::string body = (i % 10 == 3 ? "" : "/now?") + std::to_string(i);
    ASSERT_THAT(client.answer(), EndsWith("\r\n\r\n" + body));
  }
  EXPECT_EQ(server.handler().calls(), 1'000U);
}

TEST(Server, PipelinedLargeAnswersAreCompleteForAReaderThatStartsLate) {
  TestServer server;
  TestClient client{server.port()};
  std::string all;
  for (int i = 0; i < 20; ++i) all += target("/big") + target("/now?" + std::to_string(i));
  ASSERT_TRUE(client.send(all));
  for (int i = 0; i < 20; ++i) {
    ASSERT_THAT(client.answer(), EndsWith(*server.handler().big));
    ASSERT_THAT(client.answer(), EndsWith("/now?" + std::to_string(i)));
  }
}

TEST(Server, WhoDoesNotReadAnswersStopsBeingReadAndIsClosedInTime) {
  TestServer server{Limits{.write_time = 60ms}};
  TestClient client{server.port()};
  std::string all;
  for (int i = 0; i < 1'000; ++i) all += target("/big");
  client.send(all);
  // Nothing is open either before it was accepted.
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
    TestClient client{server.port()};
    ASSERT_TRUE(client.send(stream.substr(0, cut)));
    ASSERT_TRUE(client.send(stream.substr(cut)));
    ASSERT_THAT(client.answer(), EndsWith("\r\n\r\nhello")) << cut;
    ASSERT_THAT(client.answer(), EndsWith("\r\n\r\n/now?1")) << cut;
    ASSERT_THAT(client.answer(), EndsWith("\r\n\r\nabc")) << cut;
    ASSERT_THAT(client.rest(), StartsWith("HTTP/1.1 400 ")) << cut;
  }
}

TEST(Server, HeadHasTheHeadersOfGetWithoutTheBody) {
  TestServer server;
  TestClient client{server.port()};
  ASSERT_TRUE(client.send("HEAD /big HTTP/1.1\r\nHost: a\r\n\r\n" + target("/now")));
  EXPECT_THAT(client.head(), HasSubstr("\r\nContent-Length: 2000003\r\n"));
  EXPECT_THAT(client.answer(), EndsWith("\r\n\r\n/now?"));
}

TEST(Server, AnAnswerWithoutContentHasNeitherLengthNorBody) {
  TestServer server;
  TestClient client{server.port()};
  ASSERT_TRUE(client.send(target("/empty") + target("/now")));
  const std::string empty = client.head();
  EXPECT_THAT(empty, StartsWith("HTTP/1.1 204 "));
  EXPECT_THAT(empty, Not(HasSubstr("Content-Length")));
  EXPECT_THAT(client.answer(), EndsWith("\r\n\r\n/now?"));
}

TEST(Server, TheBodyIsAskedForOnlyAfterTheHeaderWasAccepted) {
  TestServer server;
  const std::string expecting = "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n";
  TestClient accepted{server.port()};
  ASSERT_TRUE(accepted.send("POST /echo HTTP/1.1\r\nHost: a\r\n" + expecting));
  EXPECT_EQ(accepted.head(), "HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_TRUE(accepted.send("hello"));
  EXPECT_THAT(accepted.answer(), EndsWith("\r\n\r\nhello"));
  TestClient refused{server.port()};
  ASSERT_TRUE(refused.send("POST /echo HTTP/1.1\r\nHost: a b\r\n" + expecting));
  EXPECT_THAT(refused.head(), StartsWith("HTTP/1.1 400 "));
}

TEST(Server, ABodyThatChangesNothingIsNotAskedFor) {
  TestServer server;
  for (const char* framing : {"Content-Length: 5", "Transfer-Encoding: chunked"}) {
    TestClient client{server.port()};
    ASSERT_TRUE(client.send("POST /unwanted HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n" +
                            std::string{framing} + "\r\n\r\n"));
    const std::string answer = client.answer();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 403 "));
    EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
    // Sent all the same, it is no request.
    (void)client.send("hello" + target("/now"));
    EXPECT_EQ(client.rest(), "");
  }
}

TEST(Server, TrailersAreNotFields) {
  TestServer server;
  TestClient client{server.port()};
  ASSERT_TRUE(
      client.send("POST /field?x-trailer HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                  "\r\n0\r\nX-Trailer: seen\r\n\r\n"));
  EXPECT_THAT(client.answer(), EndsWith("\r\n\r\n"));
}

TEST(Server, ConnectionsPersistAsTheClientAsks) {
  TestServer server;
  TestClient old{server.port()};
  ASSERT_TRUE(old.send("GET /now HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  EXPECT_THAT(old.answer(), HasSubstr("\r\nConnection: keep-alive\r\n"));
  ASSERT_TRUE(old.send("GET /now HTTP/1.0\r\n\r\n"));
  EXPECT_THAT(old.answer(), HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_TRUE(old.closed());

  TestClient asking{server.port()};
  ASSERT_TRUE(asking.send(get_with("Connection: close\r\n") + get_with("")));
  EXPECT_THAT(asking.answer(), HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_TRUE(asking.closed());

  TestClient told{server.port()};
  ASSERT_TRUE(told.send(target("/close") + target("/now")));
  EXPECT_THAT(told.answer(), HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_TRUE(told.closed());
}

TEST(Server, AClientThatStoppedSendingIsStillAnswered) {
  TestServer server;
  TestClient client{server.port()};
  ASSERT_TRUE(client.send(target("/now?1") + target("/now?2")));
  client.end_sending();
  EXPECT_THAT(client.answer(), EndsWith("/now?1"));
  EXPECT_THAT(client.rest(), EndsWith("/now?2"));
}

TEST(Server, ATaskWhoseClientIsGoneIsCancelledIfItAllowsIt) {
  TestServer server;
  {
    TestClient client{server.port()};
    ASSERT_TRUE(client.send(target("/wait")));
    ASSERT_TRUE(server.handler().wait_until_waiting(1));
  }
  EXPECT_TRUE(server.handler().wait_until_cancelled(1));
}

TEST(Server, DrainFinishesWhatIsUnderWayAndClosesWhatIsIdle) {
  TestServer server;
  TestClient idle{server.port()};
  ASSERT_TRUE(idle.send(target("/now")));
  idle.answer();
  TestClient busy{server.port()};
  ASSERT_TRUE(busy.send(target("/wait") + target("/now")));
  ASSERT_TRUE(server.handler().wait_until_waiting(1));
  bool drained = false;
  {
    const std::jthread draining{[&] { drained = server.server().drain(20s); }};
    EXPECT_EQ(idle.rest(), "");
    server.handler().release();
    const std::string last = busy.rest();
    EXPECT_THAT(last, HasSubstr("\r\nConnection: close\r\n"));
    EXPECT_THAT(last, Not(HasSubstr("/now")));
    {
      const TestClient closes_its_side{std::move(busy)};
    }
  }
  EXPECT_TRUE(drained);
  EXPECT_THROW(TestClient{server.port()}, std::runtime_error);
}

TEST(Server, WhoAsksAgainWhileAnIdleConnectionIsDrainedIsNotReset) {
  TestServer server;
  TestClient idle{server.port()};
  ASSERT_TRUE(idle.send(target("/now")));
  idle.answer();
  bool drained = false;
  {
    const std::jthread draining{[&] { drained = server.server().drain(20s); }};
    EXPECT_EQ(idle.rest(), "");
    // A reset would also throw away an answer that the client has not read yet.
    EXPECT_TRUE(idle.send(target("/now")));
    EXPECT_TRUE(idle.send(target("/now")));
    EXPECT_EQ(idle.rest(), "");
    const TestClient closes_its_side{std::move(idle)};
  }
  EXPECT_TRUE(drained);
}

TEST(Server, AnIdleConnectionWhoseClientDoesNotCloseIsLeftAfterAMoment) {
  TestServer server{Limits{.idle_linger_time = 20ms}};
  TestClient idle{server.port()};
  ASSERT_TRUE(idle.send(target("/now")));
  idle.answer();
  EXPECT_TRUE(server.server().drain(20s));
}

TEST(Server, AfterTheEndIsAnnouncedEveryClientIsServedOnceMore) {
  TestServer server;
  TestClient before{server.port()};
  ASSERT_TRUE(before.send(target("/now")));
  EXPECT_THAT(before.answer(), Not(HasSubstr("Connection: close")));
  server.server().announce_end();
  TestClient after{server.port()};
  for (TestClient* client : {&before, &after}) {
    ASSERT_TRUE(client->send(target("/now")));
    EXPECT_THAT(client->answer(), HasSubstr("\r\nConnection: close\r\n"));
    EXPECT_EQ(client->rest(), "");
  }
}

TEST(Server, DrainCutsOffWhatDoesNotFinishInTime) {
  TestServer server;
  TestClient busy{server.port()};
  ASSERT_TRUE(busy.send(target("/wait")));
  ASSERT_TRUE(server.handler().wait_until_waiting(1));
  EXPECT_FALSE(server.server().drain(20ms));
  EXPECT_EQ(busy.rest(), "");
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

#include "drivers/http_client/client.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/http/testing/test_server.hpp"
#include "drivers/http/tls.hpp"
#include "support/self_signed.hpp"
#include "support/tcp_gate.hpp"
#include "support/temp_directory.hpp"

namespace um::http_client {
namespace {

using namespace std::chrono_literals;
using http::testing::TestServer;
using ::testing::HasSubstr;

std::string url_of(int port, const std::string& path) {
  return "http://127.0.0.1:" + std::to_string(port) + path;
}

void finish(Client& client) {
  while (client.under_way() > 0) client.run_until(BootClock::now() + 1s);
}

Answer ask(Client& client, Call call) {
  Answer found;
  client.start(std::move(call), [&](const Answer& answer) { found = answer; });
  finish(client);
  return found;
}

TEST(HttpClient, SendsMethodFieldsAndBody) {
  TestServer server;
  Client client{{}};
  const auto echoed =
      ask(client, {.method = "POST", .url = url_of(server.port(), "/echo"), .body = R"({"a":1})"});
  EXPECT_EQ(echoed.status, 200U) << echoed.error;
  EXPECT_EQ(echoed.body, R"({"a":1})");
  EXPECT_EQ(ask(client, {.url = url_of(server.port(), "/field?X-Id"), .fields = {"X-Id: 7"}}).body,
            "7");
  EXPECT_EQ(ask(client, {.url = url_of(server.port(), "/field?Cache-Control")}).body, "");
  const auto patched = ask(client, {.method = "DELETE", .url = url_of(server.port(), "/empty")});
  EXPECT_EQ(patched.status, 204U);
  EXPECT_TRUE(patched.received);
}

TEST(HttpClient, ManyCallsAreUnderWayAtTheSameTimeOnFewConnections) {
  TestServer server;
  Client client{{}};
  int answers = 0;
  for (int i = 0; i < 100; ++i)
    client.start({.url = url_of(server.port(), "/now?" + std::to_string(i))},
                 [&answers, i](const Answer& answer) {
                   EXPECT_EQ(answer.body, "/now?" + std::to_string(i));
                   ++answers;
                 });
  finish(client);
  EXPECT_EQ(answers, 100);
  EXPECT_LE(server.server().stats().accepted,
            static_cast<std::uint64_t>(Client::kConnectionsPerHost));
}

TEST(HttpClient, ACallOfItsOwnConnectionIsSentOnce) {
  TestServer server;
  Client client{{}};
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(
        ask(client, {.url = url_of(server.port(), "/now"), .connection = Connection::own}).status,
        200U);
  EXPECT_EQ(server.server().stats().accepted, 3U);
}

TEST(HttpClient, AnAnswerMayStartTheNextCall) {
  TestServer server;
  Client client{{}};
  std::string second;
  client.start({.url = url_of(server.port(), "/now?1")}, [&](const Answer&) {
    client.start({.url = url_of(server.port(), "/now?2")},
                 [&](const Answer& answer) { second = answer.body; });
  });
  finish(client);
  EXPECT_EQ(second, "/now?2");
}

TEST(HttpClient, AServerThatRefusesReceivedNothing) {
  int port = 0;
  {
    const TestServer server;
    port = server.port();
  }
  Client client{{}};
  const auto refused = ask(client, {.url = url_of(port, "/now")});
  EXPECT_EQ(refused.status, 0U);
  EXPECT_FALSE(refused.received);
  EXPECT_NE(refused.error, "");
}

TEST(HttpClient, AServerThatDoesNotAnswerInTimeMayHaveReceivedTheRequest) {
  TestServer server;
  Client client{{.call_time = 50ms}};
  const auto late = ask(client, {.url = url_of(server.port(), "/wait")});
  EXPECT_EQ(late.status, 0U);
  EXPECT_TRUE(late.received);
  server.handler().release();
}

TEST(HttpClient, AnAnswerThatIsTooLongIsAnError) {
  TestServer server;
  Client client{{}};
  EXPECT_EQ(ask(client, {.url = url_of(server.port(), "/big")}).status, 200U);
  Client small{{.max_body_bytes = 1'000'000}};
  const auto refused = ask(small, {.url = url_of(server.port(), "/big")});
  EXPECT_EQ(refused.status, 0U);
  EXPECT_EQ(refused.error, "the answer is too long");
  EXPECT_EQ(refused.body, "");
}

TEST(HttpClient, AConnectionThatIsCutMayHaveDeliveredTheRequest) {
  TestServer server;
  test::TcpGate gate{server.port()};
  Client client{{}};
  Answer cut;
  client.start({.url = url_of(gate.port(), "/wait"), .connection = Connection::own},
               [&](const Answer& answer) { cut = answer; });
  while (server.handler().calls() == 0) client.run_until(BootClock::now() + 1ms);
  gate.cut();
  finish(client);
  server.handler().release();
  EXPECT_EQ(cut.status, 0U);
  EXPECT_TRUE(cut.received);
}

TEST(HttpClient, CertificatesAreVerified) {
  const test::TempDirectory directory;
  const e2e::SelfSigned pair = e2e::make_self_signed();
  std::ofstream{directory.file("cert.pem")} << pair.certificate_pem;
  std::ofstream{directory.file("key.pem")} << pair.key_pem;
  auto tls = http::make_server_tls_context(
      {.certificate = directory.file("cert.pem"), .key = directory.file("key.pem")});
  ASSERT_TRUE(tls);
  TestServer server{{}, *tls};
  const std::string url = "https://localhost:" + std::to_string(server.port()) + "/now";
  Client distrusting{{}};
  const auto refused = ask(distrusting, {.url = url});
  EXPECT_EQ(refused.status, 0U);
  EXPECT_FALSE(refused.received);
  EXPECT_THAT(refused.error, HasSubstr("certificate"));
  Client trusting{{.ca_file = directory.file("cert.pem")}};
  EXPECT_EQ(ask(trusting, {.url = url}).status, 200U);
}

TEST(HttpClient, BaseUrlsAreHttpWithoutUserAndQuery) {
  EXPECT_EQ(*parse_base_url("http://10.0.0.1:8080/"), "http://10.0.0.1:8080");
  EXPECT_EQ(*parse_base_url("https://users.example.org/api//"), "https://users.example.org/api");
  EXPECT_EQ(*parse_base_url("http://[::1]:80"), "http://[::1]:80");
  for (const char* bad :
       {"", "10.0.0.1:8080", "ftp://a", "http://", "http://a b", "http://a?x=1", "http://a#x",
        "http://ann:secret@a", "http://ann@a", "http://a:99999", "file:///etc/passwd"}) {
    const auto parsed = parse_base_url(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().detail.find("secret"), std::string::npos);
  }
}

TEST(HttpClient, APathIsPercentEncoded) {
  EXPECT_EQ(percent_encode("a+b@x.y/ü"), "a%2Bb%40x.y%2F%C3%BC");
}

}  // namespace
}  // namespace um::http_client

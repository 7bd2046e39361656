// Connections: pipelining, cut requests, trailers, HEAD and 100-continue, slow and rude clients.
#include "support/json.hpp"
#include "support/stage_test.hpp"

namespace um::e2e {
namespace {

std::string get(const std::string& target, const std::string& header_lines = {}) {
  return "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + header_lines + "\r\n";
}

class Connections : public StageTest<Connections> {
 protected:
  static HttpConnection connect() { return HttpConnection{stage().server().endpoint()}; }
};

TEST_F(Connections, AreKeptOpenUnlessEitherSideSaysOtherwise) {
  auto kept = connect();
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(kept.exchange({.target = i % 2 == 0 ? "/healthz" : "/nowhere"}).closes());
  }
  auto closed = connect();
  EXPECT_TRUE(
      closed.exchange({.target = "/healthz", .headers = {{"Connection", "close"}}}).closes());
  EXPECT_EQ(closed.read_to_end(), "");
  auto old = connect();
  old.write("GET /healthz HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.read_response()->status, 200U);
  EXPECT_EQ(old.read_to_end(), "");
}

TEST_F(Connections, PipelinedRequestsAreAnsweredInOrder) {
  stage().add("ann");
  const std::string ann = stage().fill_in("/user/<ann>");
  const std::string token = "Authorization: Bearer " + stage().token("ann") + "\r\n";
  auto connection = connect();
  constexpr int kRequests = 200;
  std::string bytes;
  for (int i = 0; i < kRequests; ++i) {
    const std::string id = "X-Request-Id: r" + std::to_string(i) + "\r\n";
    // Fast and slow requests, hits and misses, in turn.
    switch (i % 4) {
      case 0:
        bytes += get("/healthz", id);
        break;
      case 1:
        bytes += get(ann, id + token);
        break;
      case 2:
        bytes += get(ann, id + token + "Cache-Control: no-cache\r\n");
        break;
      default:
        bytes += "PATCH " + ann + " HTTP/1.1\r\nHost: localhost\r\n" + id + token +
                 "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    }
  }
  connection.write(bytes);
  for (int i = 0; i < kRequests; ++i) {
    const auto answer = connection.read_response();
    ASSERT_TRUE(answer) << i;
    EXPECT_EQ(answer->status, 200U) << i << answer->text();
    EXPECT_EQ(answer->header("X-Request-Id"), "r" + std::to_string(i));
  }
}

TEST_F(Connections, ARequestCutAnywhereGivesTheSameAnswer) {
  stage().add("ann");
  const std::string whole = stage().fill_in(
      "PATCH /user/<ann> HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
      "<ann.token>\r\nContent-Type: application/json\r\nTransfer-Encoding: "
      "chunked\r\n\r\n7;ext=1\r\n{\"last_\r\n0e\r\nname\": \"Cut!\"}\r\n0\r\nX-T: "
      "v\r\n\r\n");
  const std::string token = stage().token("ann");
  const auto token_at = whole.find(token);
  auto clock = connect();
  for (std::size_t cut = 1; cut < whole.size(); ++cut) {
    // The token is cut at one place only: all places in it are alike.
    if (cut > token_at + 3 && cut < token_at + token.size() - 3) continue;
    auto connection = connect();
    connection.write(whole.substr(0, cut));
    // An answer on another connection shows that the server had the time to read the first part.
    clock.exchange({.target = "/healthz"});
    connection.write(whole.substr(cut));
    const auto answer = connection.read_response();
    ASSERT_TRUE(answer) << cut;
    ASSERT_EQ(answer->status, 200U) << cut << answer->text();
    EXPECT_EQ(text_at(answer->json(), "/user/last_name"), "Cut!");
  }
}

TEST_F(Connections, TrailersAreNeverHeaders) {
  stage().add("ann");
  auto connection = connect();
  connection.write(stage().fill_in(
      "PATCH /user/<ann> HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nAuthorization: Bearer <ann.token>\r\n"
      "X-Request-Id: from-a-trailer\r\n\r\n"));
  const auto answer = connection.read_response();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 401U) << answer->text();
  EXPECT_NE(answer->header("X-Request-Id"), "from-a-trailer");
}

TEST_F(Connections, AnEmptyLineBeforeARequestIsForgiven) {
  auto connection = connect();
  connection.write("\r\n" + get("/healthz"));
  EXPECT_EQ(connection.read_response()->status, 200U);
}

TEST_F(Connections, TheAbsoluteFormOfTheOwnHostIsTaken) {
  auto connection = connect();
  connection.write("GET http://localhost/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(connection.read_response()->status, 200U);
}

TEST_F(Connections, ContinueIsSentWhenItIsWaitedFor) {
  auto connection = connect();
  const std::string body = R"({"email": "nobody@example.test", "password": "wrong-Sesame"})";
  connection.write(
      "POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
      "application/json\r\nExpect: 100-continue\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n");
  EXPECT_EQ(connection.read_response()->status, 100U);
  connection.write(body);
  EXPECT_EQ(connection.read_response()->status, 401U);
}

TEST_F(Connections, ContinueIsNotSentForWhatIsRefusedWhateverTheBodyIs) {
  for (const auto& [line, status] :
       {std::pair{"POST /nowhere", 404U}, std::pair{"POST /healthz", 405U},
        std::pair{"PATCH /user/1", 401U}}) {
    auto connection = connect();
    connection.write(std::string{line} +
                     " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                     "X-Request-Id: early\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    const auto answer = connection.read_response();
    ASSERT_TRUE(answer) << line;
    EXPECT_EQ(answer->status, status) << line;
    EXPECT_TRUE(answer->closes()) << line;
    EXPECT_EQ(answer->header("X-Request-Id"), "early");
    EXPECT_EQ(connection.read_to_end(), "");
  }
}

TEST_F(Connections, ATooLargeBodyIsRefusedBeforeItIsSentAndTheClientLearnsIt) {
  auto waiting = connect();
  waiting.write(
      "POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Expect: 100-continue\r\nContent-Length: 10000000\r\n\r\n");
  EXPECT_EQ(waiting.read_response()->status, 413U);

  auto pushing = connect();
  pushing.write(
      "POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: 500000\r\n\r\n" +
      std::string(500'000, ' '));
  const auto answer = pushing.read_response();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413U);
}

TEST_F(Connections, HeadIsAnsweredWithoutABodyInAPipeline) {
  auto connection = connect();
  connection.write("HEAD /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" + get("/healthz"));
  const auto head = connection.read_response(HttpConnection::Body::none);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 200U);
  EXPECT_EQ(connection.read_response()->status, 200U);
}

TEST_F(Connections, MethodsThatAPathDoesNotOfferAreNamed) {
  stage().run({
      {.request = "DELETE /healthz", .status = 405, .has = {"Allow"}},
      {.request = "POST /users", .status = 405, .has = {"Allow: GET, HEAD, OPTIONS"}},
      {.request = "GET /auth/login", .status = 405, .has = {"Allow: POST, OPTIONS"}},
      {.request = "GET /user/", .status = 405, .has = {"Allow: POST, OPTIONS"}},
      {.request = "POST /user/1",
       .status = 405,
       .has = {"Allow: GET, HEAD, PUT, PATCH, DELETE, OPTIONS"}},
      {.request = "GET /nowhere", .status = 404, .json = R"({"code": "path_not_found"})"},
      {.request = "GET /", .status = 404},
      {.request = "GET /users/", .status = 404},
      {.request = "GET //users", .status = 404},
      {.request = "GET /user/1/2", .status = 404},
      {.request = "GET /USERS", .status = 404},
      {.request = "GET /users/../healthz", .status = 404},
  });
}

TEST_F(Connections, OptionsTellsWhatThereIs) {
  for (const auto* target : {"*", "/users", "/user/1"}) {
    const auto answer = stage().send({.method = "OPTIONS", .target = target});
    EXPECT_TRUE(answer.status == 200 || answer.status == 204) << answer.text();
    EXPECT_NE(answer.header("Allow").value_or("").find("GET"), std::string::npos) << target;
    EXPECT_EQ(answer.body, "");
  }
}

TEST_F(Connections, RequestIdsAreTakenOverOnlyIfTheyAreSane) {
  EXPECT_EQ(stage()
                .send({.target = "/healthz", .headers = {{"X-Request-Id", "abc-1_2.3"}}})
                .header("X-Request-Id"),
            "abc-1_2.3");
  auto connection = connect();
  for (const auto& id : {std::string(1000, 'x'), std::string{"a b"}, std::string{"<script>"}}) {
    const auto answer =
        connection.exchange({.target = "/healthz", .headers = {{"X-Request-Id", id}}});
    EXPECT_EQ(answer.status, 200U);
    EXPECT_NE(answer.header("X-Request-Id"), id);
    EXPECT_NE(answer.header("X-Request-Id").value_or(""), "");
  }
}

TEST_F(Connections, AHeaderOrABodyThatNeverEndsIsGivenUp) {
  auto header = connect();
  header.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n");
  auto body = connect();
  body.write(
      "POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: 100\r\n\r\n{");
  const auto deadline = Steady::now() + std::chrono::seconds{40};
  for (auto* connection : {&header, &body}) {
    const auto answer = connection->read_response(HttpConnection::Body::as_framed, deadline);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 408U);
    EXPECT_EQ(connection->read_to_end(), "");
  }
}

TEST_F(Connections, ClientsThatGoAwayDoNoHarm) {
  stage().add("ann");
  const std::string ann = stage().fill_in("/user/<ann>");
  const std::string token = "Authorization: Bearer " + stage().token("ann") + "\r\n";
  for (int i = 0; i < 100; ++i) {
    auto connection = connect();
    switch (i % 4) {
      case 0:
        break;
      case 1:
        connection.write("GET / HT");
        break;
      case 2:
        connection.write(get(ann, token + "Cache-Control: no-cache\r\n"));
        break;
      default:
        connection.write(
            "POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
            "application/json\r\nContent-Length: 100\r\n\r\n{");
    }
  }
  stage().run(Step{.who = "ann", .request = "GET /user/<ann>"});
}

}  // namespace
}  // namespace um::e2e

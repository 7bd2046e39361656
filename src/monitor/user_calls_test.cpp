#include "monitor/user_calls.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "user/time_text.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
using http_client::Answer;
using ::testing::Contains;
using ::testing::HasSubstr;
using Kind = Probe::Write::Kind;
using Outcome = WriteResult::Outcome;

const std::string kServer = "http://10.0.0.1:8080";
const std::string kUser = R"({"id":7,"email":"a@b","version":12})";

Answer answer(unsigned status, std::string body) {
  return {.status = status, .body = std::move(body), .received = true};
}
Answer problem(unsigned status, const std::string& code) {
  return answer(status, R"({"code":")" + code + R"("})");
}

TEST(UserCalls, AReadIsAPlainGet) {
  const auto call = get_call(kServer, "/user/7", Secret{"t"});
  EXPECT_EQ(call.method, "GET");
  EXPECT_EQ(call.url, kServer + "/user/7");
  EXPECT_THAT(call.fields, ::testing::ElementsAre("Authorization: Bearer t"));
  EXPECT_EQ(call.connection, http_client::Connection::shared);
}

TEST(UserCalls, AProbeIsCreatedInactiveAndWritesAreNeverRepeated) {
  const auto create = write_call(kServer, {.kind = Kind::create, .number = 3}, "p@x", Secret{"t"});
  EXPECT_EQ(create.method, "POST");
  EXPECT_THAT(create.body, HasSubstr(R"("is_active":false)"));
  EXPECT_THAT(create.body, HasSubstr(R"("email":"p@x")"));
  const auto change = write_call(kServer, {.kind = Kind::change, .number = 4, .id = 7}, "p@x", {});
  EXPECT_EQ(change.method, "PATCH");
  EXPECT_EQ(change.url, kServer + "/user/7");
  EXPECT_EQ(change.body, R"({"first_name":"probe 4"})");
  const auto remove = write_call(kServer, {.kind = Kind::remove, .id = 7}, "p@x", {});
  EXPECT_EQ(remove.method, "DELETE");
  for (const auto& call : {create, change, remove})
    EXPECT_EQ(call.connection, http_client::Connection::own);
}

TEST(UserCalls, AnAnswerIsAUserOrAnAbsence) {
  const auto found = read_answer(answer(200, kUser));
  ASSERT_EQ(found.kind, ReadAnswer::Kind::state);
  EXPECT_EQ(found.reading->id, 7);
  EXPECT_EQ(found.reading->version, 12);
  EXPECT_EQ(found.reading->email, "a@b");
  const auto absent = read_answer(problem(404, "user_not_found"));
  EXPECT_EQ(absent.kind, ReadAnswer::Kind::state);
  EXPECT_FALSE(absent.reading);
}

TEST(UserCalls, AnAnswerWithAnAgeIsExcused) {
  Answer stale = answer(200, kUser);
  stale.has_age = true;
  EXPECT_EQ(read_answer(stale).kind, ReadAnswer::Kind::excused);
}

TEST(UserCalls, EverythingElseIsAnError) {
  EXPECT_EQ(read_answer(problem(503, "unavailable")).error, "503 unavailable");
  EXPECT_EQ(read_answer(problem(404, "path_not_found")).error, "404 path_not_found");
  EXPECT_EQ(read_answer(answer(200, "[]")).error, "the answer is not a user");
  EXPECT_EQ(read_answer(answer(200, R"({"id":7})")).error, "the answer is not a user");
  EXPECT_EQ(read_answer(answer(502, "<html>")).error, "502");
  EXPECT_EQ(read_answer({.error = "connection refused"}).error, "connection refused");
  for (const auto& bad : {problem(404, "path_not_found"), answer(200, "{"), Answer{}})
    EXPECT_EQ(read_answer(bad).kind, ReadAnswer::Kind::error);
}

TEST(UserCalls, AWriteIsDoneOnlyIfTheAnswerSaysSo) {
  const auto created = write_result(Kind::create, answer(201, kUser));
  EXPECT_EQ(created.outcome, Outcome::done);
  EXPECT_EQ(created.user.id, 7);
  const auto changed =
      write_result(Kind::change, answer(200, R"({"message":"m","user":)" + kUser + "}"));
  EXPECT_EQ(changed.outcome, Outcome::done);
  EXPECT_EQ(changed.user.version, 12);
  EXPECT_EQ(write_result(Kind::remove, answer(200, "{}")).outcome, Outcome::done);
  EXPECT_EQ(write_result(Kind::change, answer(200, "{}")).outcome, Outcome::unknown);
}

TEST(UserCalls, AWriteWithoutAnAnswerIsUnknownIfItMayHaveBeenReceived) {
  EXPECT_EQ(write_result(Kind::change, {.received = true}).outcome, Outcome::unknown);
  EXPECT_EQ(write_result(Kind::change, {.received = false}).outcome, Outcome::not_done);
  EXPECT_EQ(write_result(Kind::change, problem(503, "unknown_outcome")).outcome, Outcome::unknown);
  EXPECT_EQ(write_result(Kind::change, problem(503, "timeout")).outcome, Outcome::unknown);
  EXPECT_EQ(write_result(Kind::change, problem(503, "overloaded")).outcome, Outcome::not_done);
  EXPECT_EQ(write_result(Kind::change, answer(502, "")).outcome, Outcome::unknown);
  EXPECT_EQ(write_result(Kind::change, problem(429, "too_many_attempts")).outcome,
            Outcome::not_done);
  EXPECT_EQ(write_result(Kind::change, problem(404, "user_not_found")).outcome, Outcome::gone);
  EXPECT_EQ(write_result(Kind::create, problem(409, "email_taken")).outcome, Outcome::unknown);
}

TEST(UserCalls, OnlyMarkedUsersThatNobodyChangedForAnHourAreLeftOver) {
  const std::string list =
      R"([{"id":1,"email":"probe-0123456789abcdef@monitor.invalid","version":1,"role":"user",)"
      R"("is_active":false,"updated_at":"2026-11-22T10:00:00Z"}])";
  const auto users = users_in(answer(200, list));
  ASSERT_TRUE(users);
  ASSERT_EQ(users->size(), 1U);
  ListedUser user = users->front();
  const WallTime changed = *parse_time("2026-11-22T10:00:00Z");
  EXPECT_TRUE(is_left_over(user, changed + 1h + 1s));
  EXPECT_FALSE(is_left_over(user, changed + 1h));
  user.email = "ann@monitor.invalid";
  EXPECT_FALSE(is_left_over(user, changed + 2h));
  user = users->front();
  user.is_plain = false;  // active, or an administrator
  EXPECT_FALSE(is_left_over(user, changed + 2h));
  EXPECT_FALSE(users_in(answer(200, "{}")));
  EXPECT_FALSE(users_in(answer(503, "[]")));
}

TEST(UserCalls, AnInstanceSaysItsPromise) {
  const auto bounded = promise_in(
      answer(200, R"({"promise":{"consistency":"bounded","staleness_bound_ms":250},"hits":{}})"));
  ASSERT_TRUE(bounded);
  EXPECT_FALSE(bounded->strict);
  EXPECT_EQ(bounded->staleness_bound, 250ms);
  EXPECT_FALSE(promise_in(answer(200, R"({"hits":{}})")));
  EXPECT_FALSE(promise_in(problem(403, "forbidden")));
}

}  // namespace
}  // namespace um

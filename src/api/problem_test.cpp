#include "api/problem.hpp"

#include <set>

#include <gtest/gtest.h>

#include "api/json_body.hpp"

namespace um::api {
namespace {

http::Response written(const Problem& problem) {
  http::Response response;
  write_problem(problem, response);
  return response;
}

TEST(Problem, CodesAreUniqueAndStatusesAreErrors) {
  std::set<std::string_view> names;
  for (const ProblemKind& kind : all_problem_kinds()) {
    EXPECT_TRUE(names.insert(kind.name).second) << kind.name;
    EXPECT_GE(kind.status, 400U);
    EXPECT_FALSE(kind.title.empty());
  }
}

TEST(Problem, EveryProblemIsJsonWithAllMembers) {
  for (const ProblemKind& kind : all_problem_kinds()) {
    const http::Response response = written({.code = kind.code});
    const auto body = parse_json(response.body);
    ASSERT_TRUE(body) << response.body;
    for (const char* name : {"type", "title", "status", "detail", "code", "error"}) {
      ASSERT_TRUE(body->find(name)) << name;
      EXPECT_FALSE(body->find(name)->text.empty()) << name;
    }
    EXPECT_EQ(body->find("status")->text, std::to_string(response.status));
    EXPECT_EQ(body->find("code")->text, kind.name);
    EXPECT_NE(response.headers.find("Content-Type: application/problem+json\r\n"),
              std::string::npos);
  }
}

TEST(Problem, TheHeadersThatAStatusDemandsAreThere) {
  for (const ProblemKind& kind : all_problem_kinds()) {
    const http::Response response = written({.code = kind.code});
    EXPECT_EQ(response.headers.find("WWW-Authenticate: Bearer") != std::string::npos,
              kind.status == 401);
    EXPECT_EQ(response.headers.find("Retry-After: 1\r\n") != std::string::npos,
              kind.status == 429 || kind.status == 503);
  }
}

TEST(Problem, RetryAfterIsTakenFromTheErrorAndNeverZero) {
  Error error{.code = ErrorCode::too_many_attempts, .retry_after = std::chrono::seconds{420}};
  EXPECT_NE(written(to_problem(error)).headers.find("Retry-After: 420\r\n"), std::string::npos);
  error.retry_after = std::chrono::seconds{0};
  EXPECT_NE(written(to_problem(error)).headers.find("Retry-After: 1\r\n"), std::string::npos);
}

TEST(Problem, ClientsOfTheGoProgramFindTheirTexts) {
  const auto error_text = [](ProblemCode code) { return std::string{kind_of(code).error}; };
  EXPECT_EQ(error_text(ProblemCode::user_not_found), "User not found");
  EXPECT_EQ(error_text(ProblemCode::invalid_credentials), "invalid email or password");
  EXPECT_EQ(error_text(ProblemCode::token_missing), "token not found");
  EXPECT_EQ(error_text(ProblemCode::forbidden), "not authorized");
}

TEST(Problem, InternalDetailsStayInside) {
  for (const ErrorCode code :
       {ErrorCode::internal, ErrorCode::unavailable, ErrorCode::timeout, ErrorCode::cancelled}) {
    const Problem problem = to_problem({.code = code, .detail = "table users is corrupt"});
    EXPECT_EQ(written(problem).body.find("corrupt"), std::string::npos);
    EXPECT_EQ(problem.log_detail, "table users is corrupt");
  }
}

TEST(Problem, FieldsAreListedAndToldInTheDetail) {
  const http::Response response = written(
      invalid_fields({{"email", "required", "is required"}, {"", "wrong_type", "no object"}}));
  EXPECT_EQ(response.status, 422U);
  EXPECT_NE(response.body.find(
                R"("errors":[{"field":"email","code":"required","detail":"is required"},)"),
            std::string::npos);
  EXPECT_NE(response.body.find(R"x("error":"email: is required (and 1 more)")x"),
            std::string::npos);
}

TEST(Problem, WhoReadsOnlyTheErrorLearnsWhichFieldIsWrong) {
  const Problem problem = to_problem({.code = ErrorCode::invalid,
                                      .detail = "some members are not valid",
                                      .fields = {{"email", "not_an_address", "must have one @"},
                                                 {"role", "unknown", "must be a role"},
                                                 {"id", "read_only", "cannot be set"}}});
  EXPECT_NE(written(problem).body.find(R"x("error":"email: must have one @ (and 2 more)")x"),
            std::string::npos);
  const Problem forbidden = to_problem({.code = ErrorCode::forbidden,
                                        .detail = "only an administrator may set role",
                                        .fields = {{"role", "forbidden", "not by you"}}});
  EXPECT_EQ(forbidden.detail, "only an administrator may set role");
}

}  // namespace
}  // namespace um::api

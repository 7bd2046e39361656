// The answers of the running program to every kind of caller: /openapi.json says which operations
// there are, support/access_matrix.hpp says which status each caller gets. An operation that is not
// in the matrix fails the test.
#include <set>

#include "support/access_matrix.hpp"
#include "support/json.hpp"
#include "support/stage_test.hpp"

namespace um::e2e {
namespace {

using testing::kAccessMatrix;

// Names of the stage, in the order of kAccessCallers.
constexpr std::array kCallers = {"", "bad", "other", "subject", "robot", "admin"};

unsigned expected_status(const testing::AccessRow& row, std::size_t caller) {
  switch (row.private_reading[caller]) {
    case '1':
      return 401;
    case '3':
      return 403;
    default:
      return row.success;
  }
}

class AuthorisationMatrix : public StageTest<AuthorisationMatrix> {};

TEST_F(AuthorisationMatrix, CoversEveryOperationThatIsOffered) {
  std::set<std::string> offered;
  const auto document = stage().send({.target = "/openapi.json"}).json();
  for (const auto& [path, operations] : document.at("paths").as_object()) {
    for (const auto& [method, operation] : operations.as_object()) {
      offered.insert(std::string{method} + " " + std::string{path});
    }
  }
  std::set<std::string> known;
  for (const auto& row : kAccessMatrix) known.emplace(row.operation);
  for (const auto& operation : offered) {
    EXPECT_TRUE(known.contains(operation)) << operation << " has no row in the table";
  }
  for (const auto& operation : known) {
    EXPECT_TRUE(offered.contains(operation)) << operation << " is not in /openapi.json";
  }
}

TEST_F(AuthorisationMatrix, EveryStatusOfTheTableIsDescribed) {
  const auto document = stage().send({.target = "/openapi.json"}).json();
  for (const auto& row : kAccessMatrix) {
    const auto space = row.operation.find(' ');
    const auto& responses = document.at("paths")
                                .at(row.operation.substr(space + 1))
                                .at(row.operation.substr(0, space))
                                .at("responses")
                                .as_object();
    for (std::size_t i = 0; i < kCallers.size(); ++i) {
      const unsigned status = expected_status(row, i);
      EXPECT_TRUE(responses.contains(std::to_string(status))) << row.operation << ' ' << status;
    }
  }
}

TEST_F(AuthorisationMatrix, EverybodyGetsWhatTheTableSays) {
  int fresh = 0;
  for (const auto& row : kAccessMatrix) {
    for (std::size_t i = 0; i < kCallers.size(); ++i) {
      SCOPED_TRACE(std::string{row.operation}.append(" by ").append(testing::kAccessCallers[i]));
      // New people for each caller: some operations end sessions or users.
      stage().sign_in_again("admin");
      stage().add({"subject", "other"});
      stage().add(Person{.name = "robot", .role = "service"});
      stage().remember("bad.token", "not-a-token");
      stage().remember("password", std::string{kPassword});
      stage().remember("fresh", "fresh" + std::to_string(++fresh) + "@example.test");
      stage().run(Step{.who = kCallers[i],
                       .request = method_of(row).append(" ").append(row.target),
                       .body = std::string{row.body},
                       .status = expected_status(row, i)});
    }
  }
}

TEST_F(AuthorisationMatrix, WhoIsDisabledGetsNothingAnywhere) {
  stage().sign_in_again("admin");
  for (const auto& row : kAccessMatrix) {
    if (expected_status(row, 0) != 401) continue;
    stage().add("subject");
    stage().remember("password", std::string{kPassword});
    stage().run(Step{
        .who = "admin", .request = "PATCH /user/<subject>", .body = R"({"is_active": false})"});
    stage().run(Step{.who = "subject",
                     .request = method_of(row).append(" ").append(row.target),
                     .body = std::string{row.body},
                     .status = 401});
  }
}

}  // namespace
}  // namespace um::e2e

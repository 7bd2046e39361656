// Who may do what, for every operation the running program offers: /openapi.json says which there
// are, the table says what everybody gets. An operation that is not in the table fails the test.
#include <set>

#include "support/json.hpp"
#include "support/stage_test.hpp"

namespace um::e2e {
namespace {

// Statuses for: nobody, a bad token, another user, the user themselves, a service, an
// administrator. 0: that caller is not tried (it would end the caller's own session or user).
struct Row {
  std::string operation;  // as in /openapi.json
  std::string target;     // with the parts filled in
  std::string body;
  std::array<unsigned, 6> statuses;
};

const std::vector<Row>& table() {
  // clang-format off
  static const std::vector<Row> rows = {
      //                                                                                nobody bad  other self service admin
      {"get /user/{id}", "/user/<subject>", "",                                         {401, 401, 403, 200, 200, 200}},
      {"get /users/by-email/{email}", "/users/by-email/<subject.email>", "",            {401, 401, 403, 200, 200, 200}},
      {"put /user/{id}", "/user/<subject>",
       R"({"first_name": "a", "last_name": "b", "email": "<subject.email>"})",          {401, 401, 403, 200, 403, 200}},
      {"patch /user/{id}", "/user/<subject>", R"({"last_name": "c"})",                  {401, 401, 403, 200, 403, 200}},
      {"delete /user/{id}", "/user/<victim>", "",                                       {401, 401, 403,   0, 403, 200}},
      {"post /user/{id}/usage", "/user/<subject>/usage", R"({"usd": "0.01"})",          {401, 401, 403, 403, 200, 200}},
      {"post /user", "/user", R"({"email": "<fresh>", "password": "open-Sesame-1"})",   {201, 401, 201, 201, 201, 201}},
      {"get /users", "/users", "",                                                      {401, 401, 403, 403, 200, 200}},
      {"get /users/search", "/users/search?keyword=x", "",                              {401, 401, 403, 403, 200, 200}},
      {"delete /cache/user/{id}", "/cache/user/<subject>", "",                          {401, 401, 403, 403, 403, 200}},
      {"get /cache/stats", "/cache/stats", "",                                          {401, 401, 403, 403, 200, 200}},
      {"post /auth/login", "/auth/login",
       R"({"email": "<subject.email>", "password": "open-Sesame-1"})",                  {200, 200, 200, 200, 200, 200}},
      {"get /auth/me", "/auth/me", "",                                                  {401, 401, 200, 200, 200, 200}},
      {"get /auth/sessions", "/auth/sessions", "",                                      {401, 401, 200, 200, 200, 200}},
      {"delete /auth/sessions/{id}", "/auth/sessions/0123456789abcdef0123456789abcdef", "",
                                                                                        {401, 401, 404, 404, 404, 404}},
      {"post /auth/logout", "/auth/logout", "",                                         {401, 401, 200, 200, 200, 200}},
      {"post /auth/logout-all", "/auth/logout-all", "",                                 {401, 401, 200, 200, 200, 200}},
      {"get /.well-known/jwks.json", "/.well-known/jwks.json", "",                      {200, 200, 200, 200, 200, 200}},
      {"get /healthz", "/healthz", "",                                                  {200, 200, 200, 200, 200, 200}},
      {"get /readyz", "/readyz", "",                                                    {200, 200, 200, 200, 200, 200}},
      {"get /metrics", "/metrics", "",                                                  {200, 200, 200, 200, 200, 200}},
      {"get /openapi.json", "/openapi.json", "",                                        {200, 200, 200, 200, 200, 200}},
  };
  // clang-format on
  return rows;
}

constexpr std::array kCallers = {"", "bad", "other", "subject", "robot", "admin"};

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
  for (const auto& row : table()) known.insert(row.operation);
  for (const auto& operation : offered) {
    EXPECT_TRUE(known.contains(operation)) << operation << " has no row in the table";
  }
  for (const auto& operation : known) {
    EXPECT_TRUE(offered.contains(operation)) << operation << " is not in /openapi.json";
  }
}

TEST_F(AuthorisationMatrix, EveryStatusOfTheTableIsDescribed) {
  const auto document = stage().send({.target = "/openapi.json"}).json();
  for (const auto& row : table()) {
    const auto space = row.operation.find(' ');
    const auto& responses = document.at("paths")
                                .at(row.operation.substr(space + 1))
                                .at(row.operation.substr(0, space))
                                .at("responses")
                                .as_object();
    for (const unsigned status : row.statuses) {
      EXPECT_TRUE(status == 0 || responses.contains(std::to_string(status)))
          << row.operation << ' ' << status;
    }
  }
}

TEST_F(AuthorisationMatrix, EverybodyGetsWhatTheTableSays) {
  int fresh = 0;
  for (const auto& row : table()) {
    for (std::size_t i = 0; i < kCallers.size(); ++i) {
      if (row.statuses[i] == 0) continue;
      // New people for each: some operations end sessions or users.
      stage().sign_in_again("admin");
      stage().add({"subject", "other", "victim"});
      stage().add(Person{.name = "robot", .role = "service"});
      stage().remember("bad.token", "not-a-token");
      stage().remember("fresh", "fresh" + std::to_string(++fresh) + "@example.test");
      std::string method = row.operation.substr(0, row.operation.find(' '));
      for (char& c : method) c = static_cast<char>(c - 'a' + 'A');
      stage().run(Step{.who = kCallers[i],
                       .request = method + " " + row.target,
                       .body = row.body,
                       .status = row.statuses[i]});
    }
  }
}

TEST_F(AuthorisationMatrix, WhoIsDisabledGetsNothingAnywhere) {
  stage().sign_in_again("admin");
  for (const auto& row : table()) {
    if (row.statuses[0] != 401) continue;
    stage().add({"subject", "victim"});
    stage().run(Step{
        .who = "admin", .request = "PATCH /user/<subject>", .body = R"({"is_active": false})"});
    std::string method = row.operation.substr(0, row.operation.find(' '));
    for (char& c : method) c = static_cast<char>(c - 'a' + 'A');
    stage().run(Step{
        .who = "subject", .request = method + " " + row.target, .body = row.body, .status = 401});
  }
}

}  // namespace
}  // namespace um::e2e

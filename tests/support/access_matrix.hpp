// The access matrix: which callers may use which operation. One table for two tests: api_test asks
// the API in memory, with private and public reading; api_e2e_test asks the running program for the
// exact status.
//
// <subject> stands for the id of the user that the request is about, <subject.email> for the
// address and <password> for the password of that user, <fresh> for an address that no user has
// yet.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace um::testing {

struct AccessRow {
  std::string_view operation;  // method and path as in /openapi.json
  std::string_view target;
  std::string_view body;
  unsigned success = 200;  // the status of callers that are allowed
  // One letter for each of kAccessCallers: 2 allowed, 1 needs a (valid) token: 401, 3 forbidden:
  // 403.
  std::string_view private_reading;
  std::string_view public_reading;  // the same if reading users is public
};

inline constexpr std::array<std::string_view, 6> kAccessCallers = {
    "nobody", "a bad token", "another user", "the user", "a service", "an administrator"};

// clang-format off
inline constexpr std::array kAccessMatrix{
//                                                                                                                private   public
AccessRow{"get /user/{id}",             "/user/<subject>",                  "",                              200, "113222", "212222"},
AccessRow{"get /users/by-email/{email}","/users/by-email/<subject.email>",  "",                              200, "113222", "212222"},
AccessRow{"put /user/{id}",             "/user/<subject>",
          R"({"first_name": "a", "last_name": "b", "email": "<subject.email>"})",                            200, "113232", "113232"},
AccessRow{"patch /user/{id}",           "/user/<subject>",                  R"({"last_name": "c"})",         200, "113232", "113232"},
AccessRow{"delete /user/{id}",          "/user/<subject>",                  "",                              200, "113232", "113232"},
AccessRow{"post /user/{id}/usage",      "/user/<subject>/usage",            R"({"usd": "0.01"})",            200, "113322", "113322"},
AccessRow{"post /user",                 "/user",
          R"({"email": "<fresh>", "password": "a long password"})",                                          201, "212232", "212232"},
AccessRow{"get /users",                 "/users",                           "",                              200, "113322", "212222"},
AccessRow{"get /users/search",          "/users/search?keyword=x",          "",                              200, "113322", "212222"},
AccessRow{"delete /cache/user/{id}",    "/cache/user/<subject>",            "",                              200, "113332", "113332"},
AccessRow{"get /cache/stats",           "/cache/stats",                     "",                              200, "113322", "113322"},
AccessRow{"post /auth/login",           "/auth/login",
          R"({"email": "<subject.email>", "password": "<password>"})",                                       200, "222222", "222222"},
AccessRow{"get /auth/me",               "/auth/me",                         "",                              200, "112222", "112222"},
AccessRow{"get /auth/sessions",         "/auth/sessions",                   "",                              200, "112222", "112222"},
AccessRow{"delete /auth/sessions/{id}", "/auth/sessions/0123456789abcdef0123456789abcdef", "",               404, "112222", "112222"},
AccessRow{"post /auth/logout",          "/auth/logout",                     "",                              200, "112222", "112222"},
AccessRow{"post /auth/logout-all",      "/auth/logout-all",                 "",                              200, "112222", "112222"},
AccessRow{"get /.well-known/jwks.json", "/.well-known/jwks.json",           "",                              200, "222222", "222222"},
AccessRow{"get /healthz",               "/healthz",                         "",                              200, "222222", "222222"},
AccessRow{"get /readyz",                "/readyz",                          "",                              200, "222222", "222222"},
AccessRow{"get /metrics",               "/metrics",                         "",                              200, "222222", "222222"},
AccessRow{"get /openapi.json",          "/openapi.json",                    "",                              200, "222222", "222222"},
};
// clang-format on

// The method of an operation as requests write it: "GET".
inline std::string method_of(const AccessRow& row) {
  std::string method{row.operation.substr(0, row.operation.find(' '))};
  for (char& c : method) c = static_cast<char>(c - 'a' + 'A');
  return method;
}

}  // namespace um::testing

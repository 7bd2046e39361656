#include "api/routes.hpp"

#include <set>

#include <gtest/gtest.h>

namespace um::api {
namespace {

using http::Method;

std::string name_of(Method method, std::string_view path) {
  const Match match = match_route(method, path);
  return match.route == nullptr ? "" : std::string{match.route->name};
}
std::string allowed(std::string_view path) {
  const Match match = match_route(Method::options, path);
  return match.methods == 0 ? "" : allow_field(match.methods);
}

TEST(Routes, NamesAndRequestsAreUnique) {
  std::set<std::string_view> names;
  std::set<std::pair<Method, std::string_view>> requests;
  for (const Route& route : routes()) {
    EXPECT_TRUE(names.insert(route.name).second) << route.name;
    EXPECT_TRUE(requests.insert({route.method, route.pattern.text}).second) << route.pattern.text;
  }
}

TEST(Routes, EveryRouteIsFoundUnderItsPath) {
  for (const Route& route : routes()) {
    std::string path{route.pattern.before};
    if (!route.pattern.name.empty()) path.append("x").append(route.pattern.after);
    EXPECT_EQ(name_of(route.method, path), route.name);
    EXPECT_EQ(match_route(route.method, path).argument, route.pattern.name.empty() ? "" : "x");
  }
}

TEST(Routes, AMethodThatIsOfferedNowhereFindsThePathAndNoRoute) {
  EXPECT_EQ(name_of(Method::other, "/user/1"), "");
  EXPECT_EQ(match_route(Method::other, "/user/1").methods,
            match_route(Method::options, "/user/1").methods);
  EXPECT_EQ(match_route(Method::other, "/nowhere").methods, 0U);
}

TEST(Routes, HeadGoesWhereGetGoes) {
  EXPECT_EQ(name_of(Method::head, "/user/1"), "user_get");
  EXPECT_EQ(name_of(Method::head, "/healthz"), "healthz");
  EXPECT_EQ(name_of(Method::head, "/auth/login"), "");
}

TEST(Routes, ATrailingSlashIsAcceptedOnlyWhereTheGoProgramHadOne) {
  EXPECT_EQ(name_of(Method::post, "/user"), "user_create");
  EXPECT_EQ(name_of(Method::post, "/user/"), "user_create");
  EXPECT_EQ(name_of(Method::post, "/user//"), "");
  EXPECT_EQ(name_of(Method::get, "/users/"), "");
  EXPECT_EQ(name_of(Method::get, "/user/1/"), "");
  EXPECT_EQ(name_of(Method::post, "/auth/login/"), "");
}

TEST(Routes, AnythingElseIsNoPath) {
  for (const std::string_view path :
       {"/", "", "/users/by-email/", "/users/by-email", "/USER/1", "/user/1/2", "//user/1",
        "/user//usage", "/user/1/usage/", "/usersearch", "/users/searchx", "/user%2F1",
        "/auth/sessions/", "x", "/cache/user/", "/cache/user/1/2", "/openapi", "*"}) {
    EXPECT_EQ(match_route(Method::get, path).route, nullptr) << path;
    EXPECT_EQ(match_route(Method::get, path).methods, 0U) << path;
  }
}

TEST(Routes, TheArgumentStaysRaw) {
  EXPECT_EQ(match_route(Method::get, "/users/by-email/a%2Fb%40c.d").argument, "a%2Fb%40c.d");
  EXPECT_EQ(match_route(Method::post, "/user/7/usage").argument, "7");
}

TEST(Routes, AllowListsTheMethodsOfThePath) {
  EXPECT_EQ(allowed("/user/1"), "GET, HEAD, PUT, PATCH, DELETE, OPTIONS");
  EXPECT_EQ(allowed("/user/"), "POST, OPTIONS");
  EXPECT_EQ(allowed("/auth/sessions"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(allowed("/auth/sessions/1"), "DELETE, OPTIONS");
  EXPECT_EQ(allow_field(all_methods()), "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
}

}  // namespace
}  // namespace um::api

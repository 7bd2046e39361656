#include "api/openapi.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "api/json_body.hpp"
#include "api/routes.hpp"
#include "base/json_writer.hpp"

namespace um::api {
namespace {

JsonValue document(ReadAccess reading = ReadAccess::private_) {
  auto parsed = parse_json(openapi_document(reading));
  if (!parsed) throw std::runtime_error{parsed.error().detail};
  return std::move(*parsed);
}
const JsonValue& at(const JsonValue& value, std::string_view name) {
  const JsonValue* const found = value.find(name);
  if (found == nullptr) throw std::runtime_error{"no member " + std::string{name}};
  return *found;
}
std::string lower(std::string_view text) {
  std::string out{text};
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

TEST(OpenApi, EveryRouteIsDescribedUnderItsPathAndMethod) {
  const JsonValue doc = document();
  std::size_t operations = 0;
  for (const JsonMember& path : at(doc, "paths").members) operations += path.value.members.size();
  EXPECT_EQ(operations, routes().size());
  for (const Route& route : routes()) {
    const JsonValue& operation =
        at(at(at(doc, "paths"), route.pattern.text), lower(http::to_string(route.method)));
    EXPECT_EQ(at(operation, "operationId").text, route.name);
    EXPECT_EQ(operation.find("requestBody") != nullptr, route.body != Schema::none) << route.name;
    EXPECT_EQ(!route.pattern.name.empty(),
              at(operation, "parameters").items.size() > 0 &&
                  at(at(operation, "parameters").items[0], "in").text == "path")
        << route.name;
  }
}

TEST(OpenApi, WhatNeedsATokenSaysSo) {
  for (const ReadAccess reading : {ReadAccess::private_, ReadAccess::public_}) {
    const JsonValue doc = document(reading);
    for (const Route& route : routes()) {
      const JsonValue& operation =
          at(at(at(doc, "paths"), route.pattern.text), lower(http::to_string(route.method)));
      const bool needed = token_use(route.access, reading) == TokenUse::required;
      const auto& security = at(operation, "security").items;
      EXPECT_EQ(security.size() == 1, needed) << route.name;
    }
  }
}

// Every reference of the document leads to a component of the document.
void expect_references(const JsonValue& value, const JsonValue& components) {
  if (const JsonValue* reference = value.find("$ref")) {
    constexpr std::string_view kPrefix = "#/components/";
    ASSERT_TRUE(reference->text.starts_with(kPrefix));
    const std::string place = reference->text.substr(kPrefix.size());
    const std::size_t slash = place.find('/');
    EXPECT_TRUE(at(components, place.substr(0, slash)).find(place.substr(slash + 1)))
        << reference->text;
  }
  for (const JsonMember& member : value.members) expect_references(member.value, components);
  for (const JsonValue& item : value.items) expect_references(item, components);
}

TEST(OpenApi, ReferencesLeadSomewhere) {
  const JsonValue doc = document();
  expect_references(doc, at(doc, "components"));
}

TEST(OpenApi, AnswersNeverHoldAPassword) {
  const JsonValue doc = document();
  const JsonValue& schemas = at(at(doc, "components"), "schemas");
  for (const char* name : {"User", "SignedIn", "UserChange", "SessionList"}) {
    EXPECT_EQ(canonical_json(at(schemas, name)).find("password"), std::string::npos) << name;
  }
}

std::string statuses(std::string_view name, ReadAccess reading = ReadAccess::private_) {
  const JsonValue doc = document(reading);
  const auto route = std::ranges::find(routes(), name, &Route::name);
  const JsonValue& operation =
      at(at(at(doc, "paths"), route->pattern.text), lower(http::to_string(route->method)));
  std::string all;
  for (const JsonMember& response : at(operation, "responses").members) {
    all += (all.empty() ? "" : " ") + response.name;
  }
  return all;
}

TEST(OpenApi, EveryOperationNamesItsStatuses) {
  EXPECT_EQ(statuses("user_get"), "200 304 401 403 404 503 default");
  EXPECT_EQ(statuses("user_get", ReadAccess::public_), "200 304 401 404 503 default");
  EXPECT_EQ(statuses("user_create"), "201 400 401 403 409 413 415 422 429 503 default");
  EXPECT_EQ(statuses("user_patch"), "200 400 401 403 404 409 412 413 415 422 429 503 default");
  EXPECT_EQ(statuses("user_delete"), "200 400 401 403 404 409 412 503 default");
  EXPECT_EQ(statuses("user_usage"), "200 400 401 403 404 409 413 415 422 503 default");
  EXPECT_EQ(statuses("user_list"), "200 401 403 422 503 default");
  EXPECT_EQ(statuses("auth_login"), "200 400 401 413 415 422 429 503 default");
  EXPECT_EQ(statuses("auth_me"), "200 304 401 404 503 default");
  EXPECT_EQ(statuses("auth_session_end"), "200 401 404 503 default");
  EXPECT_EQ(statuses("readyz"), "200 503 default");
  EXPECT_EQ(statuses("healthz"), "200 default");
}

TEST(OpenApi, IdsOfUsersAreNumbersAndThoseOfSessionsAreNot) {
  const JsonValue doc = document();
  const auto schema_of_id = [&](std::string_view path,
                                std::string_view method) -> const JsonValue& {
    return at(at(at(at(at(doc, "paths"), path), method), "parameters").items[0], "schema");
  };
  EXPECT_EQ(canonical_json(schema_of_id("/user/{id}", "get")),
            R"({"format":"int64","minimum":1,"type":"integer"})");
  EXPECT_EQ(at(schema_of_id("/auth/sessions/{id}", "delete"), "type").text, "string");
}

TEST(OpenApi, RequiredMembersAreListed) {
  const JsonValue doc = document();
  const JsonValue& schemas = at(at(doc, "components"), "schemas");
  EXPECT_EQ(canonical_json(at(at(schemas, "UserCreate"), "required")), R"(["email","password"])");
  EXPECT_EQ(canonical_json(at(at(schemas, "UserReplace"), "required")),
            R"(["email","first_name","last_name"])");
  EXPECT_EQ(at(schemas, "UserPatch").find("required"), nullptr);
}

}  // namespace
}  // namespace um::api

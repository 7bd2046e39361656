#include "api/openapi.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "api/list_query.hpp"
#include "api/routes.hpp"
#include "base/json_writer.hpp"
#include "base/text.hpp"
#include "drivers/http/limits.hpp"
#include "service/users.hpp"
#include "storage/rules.hpp"

namespace um::api {
namespace {

// Texts and parameters of an operation, which the route table does not have.
struct Text {
  std::string_view route;
  std::string_view tag;
  std::string_view summary;
  unsigned status = 200;
  std::string_view parameters{};  // keys out of parameters(), separated by spaces
};

constexpr std::array kTexts{
    Text{"user_get", "users", "A user", 200, "if_none_match cache_control"},
    Text{"user_by_email", "users", "A user by e-mail address", 200, "if_none_match cache_control"},
    Text{"auth_me", "sessions", "Who is signed in", 200, "if_none_match cache_control"},
    Text{"user_usage", "users", "Record usage", 200, "idempotency_key"},
    Text{"user_create", "users", "Create a user", 201},
    Text{"user_replace", "users", "Replace name and e-mail address (and password) of a user", 200,
         "if_match"},
    Text{"user_patch", "users", "Change members of a user (RFC 7396)", 200, "if_match"},
    Text{"user_delete", "users", "Delete a user", 200, "if_match"},
    Text{"user_list", "users", "Users by id", 200, "page per_page after count"},
    Text{"user_search", "users", "Users with a keyword in their name or e-mail address", 200,
         "keyword page per_page after count"},
    Text{"cache_drop", "operations", "Drop a user from every cache of every instance"},
    Text{"cache_stats", "operations", "Counters of the cache"},
    Text{"auth_login", "sessions", "Sign in"},
    Text{"auth_logout", "sessions", "Sign out: the token is refused from now on"},
    Text{"auth_logout_all", "sessions", "End every session of the user"},
    Text{"auth_sessions", "sessions", "The sessions of the user"},
    Text{"auth_session_end", "sessions", "End one session"},
    Text{"jwks", "operations", "The public keys that verify tokens (RFC 7517)"},
    Text{"healthz", "operations", "Is the process alive?"},
    Text{"readyz", "operations", "Can it serve?"},
    Text{"metrics", "operations", "Metrics in Prometheus' text format"},
    Text{"openapi", "operations", "This document"},
};

// The parameters by the names in kTexts, with the limits that the service checks.
struct Parameter {
  std::string_view key;
  std::string json;
};
const auto& parameters() {
  static const std::array all{
      Parameter{"id", R"({"name":"id","in":"path","required":true,"schema":{"type":"integer",)"
                      R"("format":"int64","minimum":1}})"},
      Parameter{"session_id", fmt::format(R"({{"name":"id","in":"path","required":true,"schema":)"
                                          R"({{"type":"string",{}}}}})",
                                          session_id_pattern())},
      Parameter{"email",
                R"({"name":"email","in":"path","required":true,"schema":{"type":"string"}})"},
      Parameter{
          "page",
          fmt::format(R"({{"name":"page","in":"query","schema":{{"type":"integer","minimum":1,)"
                      R"("maximum":{},"default":1}}}})",
                      ListQuery::kMaxPage)},
      Parameter{"per_page",
                fmt::format(R"({{"name":"per_page","in":"query","schema":{{"type":"integer",)"
                            R"("minimum":1,"maximum":{}}}}})",
                            ListQuery::kMaxPerPage)},
      Parameter{"after",
                R"({"name":"after","in":"query","description":"Go on after this id, at the )"
                R"(same cost at any depth; 0 begins. Not together with page.",)"
                R"("schema":{"type":"integer","format":"int64","minimum":0}})"},
      Parameter{"count", R"({"name":"count","in":"query","description":"true adds X-Total-Count.",)"
                         R"("schema":{"type":"boolean","default":false}})"},
      Parameter{"keyword", R"({"name":"keyword","in":"query","schema":{"type":"string"}})"},
      Parameter{"if_match", R"({"name":"If-Match","in":"header","description":"The ETag that was )"
                            R"(read: 412 instead of a lost update.","schema":{"type":"string"}})"},
      Parameter{"if_none_match", R"({"name":"If-None-Match","in":"header",)"
                                 R"("schema":{"type":"string"}})"},
      Parameter{
          "cache_control",
          R"({"name":"Cache-Control","in":"header","description":"no-cache asks the primary, )"
          R"(max-stale=N tolerates age where no session is needed.","schema":{"type":"string"}})"},
      Parameter{
          "idempotency_key",
          fmt::format(
              R"({{"name":"Idempotency-Key","in":"header","description":"A repeated call counts )"
              R"(once; kept for {} hours.","schema":{{"type":"string","maxLength":{}}}}})",
              rules::kUsageKeysKept.count(), kMaxIdempotencyKeyBytes)},
  };
  return all;
}

const Text& text_of(const Route& route) {
  const auto* const found = std::ranges::find(kTexts, route.name, &Text::route);
  if (found == kTexts.end()) {
    throw std::logic_error("no description of route " + std::string{route.name});
  }
  return *found;
}

void write_parameter(JsonWriter& json, std::string_view key) {
  const auto* const found = std::ranges::find(parameters(), key, &Parameter::key);
  if (found == parameters().end()) throw std::logic_error("no parameter " + std::string{key});
  json.raw(found->json);
}

void write_parameters(JsonWriter& json, const Route& route, std::string_view keys) {
  json.open_array();
  const bool of_session = route.pattern.text.starts_with("/auth/sessions/");
  if (!route.pattern.name.empty())
    write_parameter(json, of_session ? "session_id" : route.pattern.name);
  while (!keys.empty()) {
    const std::size_t space = keys.find(' ');
    write_parameter(json, keys.substr(0, space));
    keys = space == std::string_view::npos ? std::string_view{} : keys.substr(space + 1);
  }
  json.close();
}

// The facts on which the rules about statuses decide.
struct RouteFacts {
  const Route& route;
  ReadAccess reading = ReadAccess::private_;
  bool conditional_read = false;    // If-None-Match
  bool conditional_write = false;   // If-Match
  bool checked_parameters = false;  // of the query, or a header field that may be invalid
};
bool has(std::string_view parameters, std::string_view one) {
  return parameters.find(one) != std::string_view::npos;
}

RouteFacts facts_of(const Route& route, ReadAccess reading) {
  const Text& text = text_of(route);
  return {
      .route = route,
      .reading = reading,
      .conditional_read = has(text.parameters, "if_none_match"),
      .conditional_write = has(text.parameters, "if_match"),
      .checked_parameters = has(text.parameters, "page") || has(text.parameters, "idempotency")};
}

bool writes_user(const Route& route) {
  return route.body == Schema::user_create || route.answer == Schema::user_change ||
         (route.method == http::Method::del && route.access == Access::self_or_admin);
}

// Can a caller with a valid token be refused? (Creating a user: if registration is closed, or for
// members that only administrators set.)
bool may_forbid(const RouteFacts& facts) {
  const Access access = facts.route.access;
  if (access == Access::anyone_known || access == Access::registrant) return true;
  return access != Access::anyone && access != Access::signed_in &&
         token_use(access, facts.reading) == TokenUse::required;
}

bool takes_token(const RouteFacts& facts) {
  return token_use(facts.route.access, facts.reading) != TokenUse::ignored;
}

bool signs_in(const Route& route) {
  return route.answer == Schema::signed_in;
}

// An answer that needs nothing but the process itself is never unavailable.
bool needs_storage(const RouteFacts& facts) {
  const bool at_once = facts.route.handle_now != nullptr;
  return takes_token(facts) || !at_once;
}

// A status besides success: which operations may answer with it, and why. Statuses that the server
// itself gives to malformed or late requests (408, 414, 431, 501, …) are the document's "default".
struct Rule {
  unsigned status;
  std::string description;
  bool (*applies)(const RouteFacts&);
};

// In ascending order.
const auto& response_rules() {
  static const std::array rules{
      Rule{304, "Not changed since If-None-Match.",
           [](const RouteFacts& f) { return f.conditional_read; }},
      Rule{400, "The body is no JSON, or a header field is malformed.",
           [](const RouteFacts& f) { return f.route.body != Schema::none || f.conditional_write; }},
      Rule{401, "No valid token, or wrong credentials.",
           [](const RouteFacts& f) { return takes_token(f) || signs_in(f.route); }},
      Rule{403, "Not allowed.", may_forbid},
      Rule{404, "It does not exist.",
           [](const RouteFacts& f) { return !f.route.pattern.name.empty() || f.conditional_read; }},
      Rule{409,
           "The state of things forbids it: taken, the last administrator, a key used otherwise.",
           [](const RouteFacts& f) {
             return writes_user(f.route) || f.route.answer == Schema::usage_totals;
           }},
      Rule{412, "Changed since If-Match.", [](const RouteFacts& f) { return f.conditional_write; }},
      Rule{413, fmt::format("The body is larger than {} KiB.", http::Limits{}.body_bytes / 1024),
           [](const RouteFacts& f) { return f.route.body != Schema::none; }},
      Rule{415, "The body is not application/json.",
           [](const RouteFacts& f) { return f.route.body != Schema::none; }},
      Rule{
          422, "Members or parameters are not valid; `errors` lists them.",
          [](const RouteFacts& f) { return f.route.body != Schema::none || f.checked_parameters; }},
      Rule{429, "Too many attempts.",
           [](const RouteFacts& f) { return f.route.patience == Patience::password; }},
      Rule{503, "Too busy, or the database is away.", needs_storage},
  };
  return rules;
}

constexpr std::string_view kRetryAfter =
    R"({"Retry-After":{"description":"Seconds.","schema":{"type":"integer"}}})";
constexpr std::string_view kAuthenticate = R"({"WWW-Authenticate":{"schema":{"type":"string"}}})";

void write_component(JsonWriter& json, std::string_view name, std::string_view description) {
  json.key(name).open_object().member("description", description);
  if (name == "401") json.raw_member("headers", kAuthenticate);
  if (name == "429" || name == "503") json.raw_member("headers", kRetryAfter);
  if (name != "304") {
    json.key("content").open_object().key("application/problem+json").open_object();
    json.raw_member("schema", schema_reference("Problem")).close().close();
  }
  json.close();
}

std::string response_components() {
  JsonWriter json;
  json.open_object();
  for (const Rule& rule : response_rules())
    write_component(json, std::to_string(rule.status), rule.description);
  write_component(json, "default", "Refused before it was looked at.");
  return json.close().take();
}

std::string response_reference(std::string_view name) {
  return R"({"$ref":"#/components/responses/)" + std::string{name} + "\"}";
}

std::string content_json(Schema schema) {
  if (schema == Schema::text) return R"({"text/plain":{"schema":{"type":"string"}}})";
  return R"({"application/json":{"schema":)" + schema_reference(name_of(schema)) + "}}";
}

std::string_view security_json(TokenUse use) {
  switch (use) {
    case TokenUse::ignored:
      return "[]";
    case TokenUse::optional:
      return R"([{},{"token":[]}])";
    case TokenUse::required:
      return R"([{"token":[]}])";
  }
  return "[]";
}

void write_operation(JsonWriter& json, const Route& route, ReadAccess reading) {
  const Text& text = text_of(route);
  const TokenUse use = token_use(route.access, reading);
  const std::string_view callers = use == TokenUse::ignored ? "anyone" : to_string(route.access);
  json.open_object().member("operationId", route.name);
  json.key("tags").open_array().value(text.tag).close();
  json.member("summary", text.summary);
  json.member("description", std::string{"Who may: "}.append(callers));
  json.raw_member("security", security_json(use));
  write_parameters(json.key("parameters"), route, text.parameters);
  if (route.body != Schema::none) {
    json.key("requestBody").open_object().member("required", true);
    json.raw_member("content", content_json(route.body)).close();
  }
  json.key("responses").open_object();
  json.key(std::to_string(text.status)).open_object().member("description", "Done.");
  json.raw_member("content", content_json(route.answer)).close();
  const RouteFacts facts = facts_of(route, reading);
  for (const Rule& rule : response_rules()) {
    const std::string status = std::to_string(rule.status);
    if (rule.applies(facts)) json.raw_member(status, response_reference(status));
  }
  json.raw_member("default", response_reference("default")).close().close();
}

void write_path(JsonWriter& json, std::string_view pattern, ReadAccess reading) {
  json.open_object();
  for (const Route& route : routes()) {
    if (route.pattern.text != pattern) continue;
    write_operation(json.key(fold_ascii(http::to_string(route.method))), route, reading);
  }
  json.close();
}

}  // namespace

std::string openapi_document(ReadAccess reading) {
  JsonWriter paths;
  paths.open_object();
  std::vector<std::string_view> written;
  for (const Route& route : routes()) {
    if (std::ranges::find(written, route.pattern.text) != written.end()) continue;
    written.push_back(route.pattern.text);
    write_path(paths.key(route.pattern.text), route.pattern.text, reading);
  }
  paths.close();
  return R"({"openapi":"3.1.0","info":{"title":"user-manager","version":")" UM_VERSION
         R"(","description":"Stores users, signs them in and out, and serves their profiles."},)"
         R"("paths":)" +
         paths.text() + R"(,"components":{"schemas":)" + schema_components() + R"(,"responses":)" +
         response_components() +
         R"(,"securitySchemes":{"token":{"type":"http","scheme":"bearer","bearerFormat":"JWT"}}}})";
}

}  // namespace um::api

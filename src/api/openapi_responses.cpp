#include "api/openapi_responses.hpp"

#include <array>

#include "api/openapi_schemas.hpp"
#include "base/json_writer.hpp"

namespace um::api {
namespace {

bool writes_user(const Route& route) {
  return route.body == Schema::user_create || route.answer == Schema::user_change ||
         (route.method == http::Method::del && route.access == Access::self_or_admin);
}

// Some callers that have a valid token are refused for what they are. (Creating: closed
// registration, and members that only administrators set.)
bool may_forbid(const RouteFacts& facts) {
  const Access access = facts.route.access;
  if (access == Access::anyone_known) return true;
  return access != Access::anyone && access != Access::signed_in &&
         token_use(access, facts.reading) == TokenUse::required;
}

bool takes_token(const RouteFacts& facts) {
  return token_use(facts.route.access, facts.reading) != TokenUse::ignored;
}

bool signs_in(const Route& route) {
  return route.answer == Schema::signed_in;
}

// What needs nothing but the process itself is never unavailable.
bool needs_storage(const RouteFacts& facts) {
  const bool at_once = !std::holds_alternative<std::monostate>(facts.route.handle_now);
  return takes_token(facts) || !at_once;
}

struct Rule {
  unsigned status;
  std::string_view description;
  bool (*applies)(const RouteFacts&);
};

constexpr std::array kRules{
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
    Rule{413, "The body is larger than 64 KiB.",
         [](const RouteFacts& f) { return f.route.body != Schema::none; }},
    Rule{415, "The body is not application/json.",
         [](const RouteFacts& f) { return f.route.body != Schema::none; }},
    Rule{422, "Something is not valid; `errors` says what.",
         [](const RouteFacts& f) { return f.route.body != Schema::none || f.checked_parameters; }},
    Rule{429, "Too many attempts.",
         [](const RouteFacts& f) { return f.route.patience == Patience::password; }},
    Rule{503, "Too busy, or the database is away.", needs_storage},
};

constexpr std::string_view kRetryAfter =
    R"(,"headers":{"Retry-After":{"description":"Seconds.","schema":{"type":"integer"}}})";
constexpr std::string_view kAuthenticate =
    R"(,"headers":{"WWW-Authenticate":{"schema":{"type":"string"}}})";

void append_component(std::string& out, std::string_view name, std::string_view description) {
  append_json_key(out, name);
  out += R"({"description":)";
  append_json_string(out, description);
  if (name == "401") out += kAuthenticate;
  if (name == "429" || name == "503") out += kRetryAfter;
  if (name != "304") {
    out +=
        R"(,"content":{"application/problem+json":{"schema":)" + schema_reference("Problem") + "}}";
  }
  out += '}';
}

}  // namespace

std::vector<unsigned> other_statuses(const RouteFacts& facts) {
  std::vector<unsigned> statuses;
  for (const Rule& rule : kRules) {
    if (rule.applies(facts)) statuses.push_back(rule.status);
  }
  return statuses;
}

std::string response_components() {
  std::string out = "{";
  for (const Rule& rule : kRules) {
    append_component(out, std::to_string(rule.status), rule.description);
  }
  append_component(out, "default", "Refused before it was looked at.");
  return out + "}";
}

std::string response_reference(std::string_view name) {
  return R"({"$ref":"#/components/responses/)" + std::string{name} + "\"}";
}

}  // namespace um::api

#include "api/openapi_schemas.hpp"

#include "api/openapi_responses.hpp"
#include "base/json_writer.hpp"

namespace um::api {
namespace {

constexpr Schema kDescribed[] = {
    Schema::user,       Schema::user_list,    Schema::user_create, Schema::user_replace,
    Schema::user_patch, Schema::user_change,  Schema::message,     Schema::login,
    Schema::signed_in,  Schema::session_list, Schema::usage,       Schema::usage_totals,
    Schema::any_object, Schema::status,
};

constexpr std::string_view kProblem =
    R"({"type":"object","description":"RFC 9457.","properties":{)"
    R"("type":{"type":"string","format":"uri"},"title":{"type":"string"},)"
    R"("status":{"type":"integer"},"detail":{"type":"string"},)"
    R"("code":{"type":"string","description":"Stable; programs decide by it.","enum":[)";
constexpr std::string_view kProblemEnd =
    R"(]},"errors":{"type":"array","items":{"type":"object","properties":{)"
    R"("field":{"type":"string"},"code":{"type":"string"},"detail":{"type":"string"}},)"
    R"("required":["field","code","detail"]}},)"
    R"("error":{"type":"string","description":"The text that the Go program gave."}},)"
    R"("required":["type","title","status","detail","code","error"]})";

bool is_answer(Schema schema) {
  return schema == Schema::user || schema == Schema::user_list || schema == Schema::usage_totals;
}

// JSON types of a form. Amounts are numbers in answers and may be strings in requests.
std::string types_of(const Property& property, Schema schema) {
  const std::string null = property.nullable == Nullable::yes ? R"(,"null")" : "";
  const auto one = [&](std::string_view type) {
    const std::string quoted = '"' + std::string{type} + '"';
    return R"("type":)" + (null.empty() ? quoted : "[" + quoted + null + "]");
  };
  switch (property.form) {
    case Form::text:
      return one("string");
    case Form::secret:
      return one("string") + R"(,"format":"password","writeOnly":true)";
    case Form::timestamp:
      return one("string") + R"(,"format":"date-time")";
    case Form::boolean:
      return one("boolean");
    case Form::integer:
      return one("integer") + R"(,"format":"int64")";
    case Form::object:
      return one("object");
    case Form::amount:
      return is_answer(schema) ? one("number") : R"("type":["number","string")" + null + "]";
  }
  return {};
}

std::string property_json(const Property& property, Schema schema) {
  // A member that is itself a user has the user's schema.
  if (property.name == "user") return schema_reference(name_of(Schema::user));
  std::string out = "{" + types_of(property, schema);
  if (!property.limits.empty()) out.append(",").append(property.limits);
  if (!property.about.empty()) {
    append_json_key(out, "description");
    append_json_string(out, property.about);
  }
  return out + "}";
}

std::string object_json(Schema schema) {
  const auto members = members_of(schema);
  std::string out = R"({"type":"object")";
  if (members.empty()) return out + "}";
  std::string properties = "{";
  std::string required = "[";
  for (const SchemaMember& member : members) {
    append_json_key(properties, member.property.name);
    properties += property_json(member.property, schema);
    if (!member.required) continue;
    if (required.size() > 1) required += ',';
    append_json_string(required, member.property.name);
  }
  out += R"(,"properties":)" + properties + "}";
  if (required.size() > 1) out += R"(,"required":)" + required + "]";
  return out + "}";
}

std::string schema_json(Schema schema) {
  if (schema == Schema::user_list) {
    return R"({"type":"array","items":)" + schema_reference(name_of(Schema::user)) + "}";
  }
  if (schema == Schema::session_list)
    return R"({"type":"array","items":)" + object_json(schema) + "}";
  return object_json(schema);
}

std::string problem_json() {
  std::string out{kProblem};
  for (const ProblemKind& kind : all_problem_kinds()) {
    if (out.back() != '[') out += ',';
    append_json_string(out, kind.name);
  }
  return out.append(kProblemEnd);
}

}  // namespace

std::string schema_reference(std::string_view name) {
  return R"({"$ref":"#/components/schemas/)" + std::string{name} + "\"}";
}

std::string openapi_components() {
  std::string schemas = "{";
  for (const Schema schema : kDescribed) {
    append_json_key(schemas, name_of(schema));
    schemas += schema_json(schema);
  }
  append_json_key(schemas, "Problem");
  schemas += problem_json() + "}";
  return R"({"schemas":)" + schemas + R"(,"responses":)" + response_components() +
         R"(,"securitySchemes":{"token":{"type":"http","scheme":"bearer","bearerFormat":"JWT"}}})";
}

}  // namespace um::api

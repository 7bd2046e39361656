#include "api/schemas.hpp"

#include <bit>

#include <fmt/format.h>

#include "auth/passwords/password_rules.hpp"
#include "base/json_writer.hpp"
#include "service/users.hpp"
#include "storage/rules.hpp"
#include "user/validation.hpp"

namespace um::api {
namespace {

// JSON Schema keywords and sentences made from the limits that the service checks.
std::string max_length(std::size_t characters) {
  return fmt::format(R"("maxLength":{})", characters);
}
std::string one_of(std::initializer_list<std::string_view> values) {
  return fmt::format(R"("enum":["{}"])", fmt::join(values, "\",\""));
}
std::string kinds_of_session() {
  return one_of(
      {rules::to_string(SessionKind::login), rules::to_string(SessionKind::service_token)});
}
std::string roles() {
  return one_of({to_string(Role::user), to_string(Role::admin), to_string(Role::service)});
}
std::string username_limits() {
  return fmt::format(R"("minLength":{},"maxLength":{},"pattern":"^[A-Za-z0-9._-]+$")",
                     kMinUsernameBytes, kMaxUsernameBytes);
}
constexpr std::string_view kCounter =
    "A counter. May be sent back as it was read: an older value is ignored, one beyond the current "
    "is refused.";

}  // namespace

// The tables are not constants, because their text is put together from the limits; made once.
std::span<const Field<UserInput>> user_fields() {
  static const std::array fields{
      Field<UserInput>{
          {.name = "id",
           .form = Form::integer,
           .use = Use::only_out,
           .limits = R"("minimum":1)",
           .about = fmt::format(
               "Handed out by the service, above every id there was. An import may give ids of "
               "its own up to 2^{}, the largest that every JSON reader keeps exactly.",
               std::bit_width(static_cast<std::uint64_t>(rules::kMaxGivenId)) - 1)},
          &UserInput::id},
      Field<UserInput>{{.name = "email",
                        .limits = max_length(Email::kMaxBytes),
                        .about = "Unique without case."},
                       &UserInput::email},
      Field<UserInput>{{.name = "username",
                        .nullable = Nullable::yes,
                        .limits = username_limits(),
                        .about = "Unique without case. Set by administrators."},
                       &UserInput::username},
      Field<UserInput>{{.name = "first_name", .limits = max_length(kMaxNameCharacters)},
                       &UserInput::first_name},
      Field<UserInput>{{.name = "last_name", .limits = max_length(kMaxNameCharacters)},
                       &UserInput::last_name},
      Field<UserInput>{
          {.name = "password",
           .form = Form::secret,
           .use = Use::only_in,
           .about = fmt::format("{} to {} bytes.", kMinPasswordBytes, kMaxPasswordBytes)},
          &UserInput::password},
      Field<UserInput>{{.name = "current_password",
                        .form = Form::secret,
                        .use = Use::only_in,
                        .about = "Needed when users change their own password."},
                       &UserInput::current_password},
      Field<UserInput>{{.name = "role", .limits = roles(), .about = "Set by administrators."},
                       &UserInput::role},
      Field<UserInput>{{.name = "is_active",
                        .form = Form::boolean,
                        .about = "Set by administrators; false ends every session of the user."},
                       &UserInput::is_active},
      Field<UserInput>{{.name = "quota_usd",
                        .form = Form::amount,
                        .nullable = Nullable::yes,
                        .about = "At most six decimals; null is unlimited. Set by administrators."},
                       &UserInput::quota_usd},
      Field<UserInput>{{.name = "used_usd",
                        .form = Form::amount,
                        .use = Use::only_out,
                        .about = std::string{kCounter}},
                       &UserInput::used_usd},
      Field<UserInput>{{.name = "model_capability_settings",
                        .form = Form::object,
                        .nullable = Nullable::yes,
                        .about = fmt::format("Any object of at most {} KiB. Set by administrators.",
                                             kMaxSettingsBytes / 1024)},
                       &UserInput::model_capability_settings},
      Field<UserInput>{{.name = "created_at", .form = Form::timestamp, .use = Use::only_out},
                       &UserInput::created_at},
      Field<UserInput>{{.name = "updated_at", .form = Form::timestamp, .use = Use::only_out},
                       &UserInput::updated_at},
      Field<UserInput>{{.name = "last_login_at",
                        .form = Form::timestamp,
                        .nullable = Nullable::yes,
                        .use = Use::only_out,
                        .about = std::string{kCounter}},
                       &UserInput::last_login_at},
      Field<UserInput>{{.name = "version", .form = Form::integer, .use = Use::only_out},
                       &UserInput::version},
  };
  return fields;
}

std::span<const Field<LoginBody>> login_fields() {
  static const std::array fields{
      Field<LoginBody>{{.name = "email", .use = Use::only_in}, &LoginBody::email},
      Field<LoginBody>{{.name = "password", .form = Form::secret, .use = Use::only_in},
                       &LoginBody::password},
  };
  return fields;
}

std::span<const Field<UsageBody>> usage_fields() {
  static const std::array fields{
      Field<UsageBody>{{.name = "usd",
                        .form = Form::amount,
                        .use = Use::only_in,
                        .about = fmt::format("From 0 to {}, at most six decimals.",
                                             Usd::from_micros(Usd::kMaxMicros)->text())},
                       &UsageBody::usd},
  };
  return fields;
}

std::string session_id_pattern() {
  return fmt::format(R"("pattern":"^[0-9a-f]{{{}}}$")", SessionId::kTextLength);
}

std::string_view name_of(Schema schema) {
  switch (schema) {
    case Schema::none:
      return "";
    case Schema::user:
      return "User";
    case Schema::user_list:
      return "UserList";
    case Schema::user_create:
      return "UserCreate";
    case Schema::user_replace:
      return "UserReplace";
    case Schema::user_patch:
      return "UserPatch";
    case Schema::user_change:
      return "UserChange";
    case Schema::message:
      return "Message";
    case Schema::login:
      return "Login";
    case Schema::signed_in:
      return "SignedIn";
    case Schema::session_list:
      return "SessionList";
    case Schema::usage:
      return "Usage";
    case Schema::usage_totals:
      return "UsageTotals";
    case Schema::any_object:
      return "Object";
    case Schema::status:
      return "Status";
    case Schema::text:
      return "Text";
  }
  return "";
}

namespace {

bool needed(Schema schema, std::string_view name) {
  if (schema == Schema::user_create) return name == "email" || name == "password";
  if (schema == Schema::user_replace) {
    return name == "email" || name == "first_name" || name == "last_name";
  }
  return schema == Schema::user || schema == Schema::user_list;
}

std::vector<SchemaMember> user_members(Schema schema) {
  const Use hidden =
      schema == Schema::user || schema == Schema::user_list ? Use::only_in : Use::only_out;
  std::vector<SchemaMember> members;
  for (const Field<UserInput>& field : user_fields()) {
    const Property& property = field.property;
    if (property.use == hidden) continue;
    if (schema == Schema::user_create && property.name == "current_password") continue;
    members.push_back({property, needed(schema, property.name)});
  }
  return members;
}

template <class T>
std::vector<SchemaMember> required_members(std::span<const Field<T>> fields) {
  std::vector<SchemaMember> members;
  for (const Field<T>& field : fields) members.push_back({field.property, true});
  return members;
}

}  // namespace

std::vector<SchemaMember> members_of(Schema schema) {
  switch (schema) {
    case Schema::user:
    case Schema::user_list:
    case Schema::user_create:
    case Schema::user_replace:
    case Schema::user_patch:
      return user_members(schema);
    case Schema::user_change:
      return {
          SchemaMember{{.name = "message"}, true},
          SchemaMember{{.name = "user", .form = Form::object}, true},
      };
    case Schema::message:
      return {SchemaMember{{.name = "message"}, true}};
    case Schema::login:
      return required_members(login_fields());
    case Schema::signed_in:
      return {
          SchemaMember{{.name = "token", .about = "For the header Authorization."}, true},
          SchemaMember{{.name = "token_type", .limits = R"("const":"Bearer")"}, true},
          SchemaMember{{.name = "expires_in", .form = Form::integer, .about = "Seconds."}, true},
          SchemaMember{{.name = "user", .form = Form::object}, true},
      };
    case Schema::session_list:
      return {
          SchemaMember{{.name = "id", .limits = session_id_pattern()}, true},
          SchemaMember{{.name = "kind", .limits = kinds_of_session()}, true},
          SchemaMember{{.name = "current", .form = Form::boolean, .about = "Is it the asking one?"},
                       true},
          SchemaMember{{.name = "created_at", .form = Form::timestamp}, true},
          SchemaMember{{.name = "expires_at", .form = Form::timestamp}, true},
          SchemaMember{{.name = "address"}, true},
          SchemaMember{{.name = "user_agent"}, true},
      };
    case Schema::usage:
      return required_members(usage_fields());
    case Schema::usage_totals:
      return {
          SchemaMember{{.name = "used_usd", .form = Form::amount}, true},
          SchemaMember{{.name = "quota_usd", .form = Form::amount, .nullable = Nullable::yes},
                       true},
          SchemaMember{{.name = "remaining_usd",
                        .form = Form::amount,
                        .nullable = Nullable::yes,
                        .about = "Negative when the quota is exceeded."},
                       true},
          SchemaMember{{.name = "quota_exceeded", .form = Form::boolean}, true},
      };
    case Schema::status:
      return {SchemaMember{{.name = "status"}, true}};
    case Schema::none:
    case Schema::any_object:
    case Schema::text:
      return {};
  }
  return {};
}

std::string schema_reference(std::string_view name) {
  return R"({"$ref":"#/components/schemas/)" + std::string{name} + "\"}";
}

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
    R"("code":{"type":"string","description":"Stable; programs decide by it.","enum":)";
constexpr std::string_view kProblemEnd =
    R"(},"errors":{"type":"array","items":{"type":"object","properties":{)"
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
  JsonWriter json;
  json.open_object().raw(types_of(property, schema));
  if (!property.limits.empty()) json.raw(property.limits);
  if (!property.about.empty()) json.member("description", property.about);
  return json.close().take();
}

std::string object_json(Schema schema) {
  const auto members = members_of(schema);
  JsonWriter json;
  json.open_object().member("type", "object");
  if (members.empty()) return json.close().take();
  json.key("properties").open_object();
  for (const SchemaMember& member : members)
    json.raw_member(member.property.name, property_json(member.property, schema));
  json.close();
  if (std::ranges::any_of(members, &SchemaMember::required)) {
    json.key("required").open_array();
    for (const SchemaMember& member : members) {
      if (member.required) json.value(member.property.name);
    }
    json.close();
  }
  return json.close().take();
}

std::string array_json(std::string_view items) {
  return JsonWriter{}
      .open_object()
      .member("type", "array")
      .raw_member("items", items)
      .close()
      .take();
}

std::string schema_json(Schema schema) {
  if (schema == Schema::user_list) return array_json(schema_reference(name_of(Schema::user)));
  if (schema == Schema::session_list) return array_json(object_json(schema));
  return object_json(schema);
}

std::string problem_json() {
  JsonWriter codes;
  codes.open_array();
  for (const ProblemKind& kind : all_problem_kinds()) codes.value(kind.name);
  return std::string{kProblem}.append(codes.close().text()).append(kProblemEnd);
}

}  // namespace

std::string schema_components() {
  JsonWriter json;
  json.open_object();
  for (const Schema schema : kDescribed) json.raw_member(name_of(schema), schema_json(schema));
  return json.raw_member("Problem", problem_json()).close().take();
}

}  // namespace um::api

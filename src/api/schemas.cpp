#include "api/schemas.hpp"

namespace um::api {
namespace {

constexpr std::string_view kName = R"("maxLength":200)";
constexpr std::string_view kRoles = R"("enum":["user","admin","service"])";

constexpr std::array kUserFields{
    Field<UserInput>{
        {.name = "id",
         .form = Form::integer,
         .use = Use::only_out,
         .limits = R"("minimum":1)",
         .about = "Handed out by the service, above every id there was. An import may give ids of "
                  "its own up to 2^53, the largest that every JSON reader keeps exactly."},
        &UserInput::id},
    Field<UserInput>{
        {.name = "email", .limits = R"("maxLength":254)", .about = "Unique without case."},
        &UserInput::email},
    Field<UserInput>{{.name = "username",
                      .nullable = Nullable::yes,
                      .limits = R"("minLength":3,"maxLength":64,"pattern":"^[A-Za-z0-9._-]+$")",
                      .about = "Unique without case. Set by administrators."},
                     &UserInput::username},
    Field<UserInput>{{.name = "first_name", .limits = kName}, &UserInput::first_name},
    Field<UserInput>{{.name = "last_name", .limits = kName}, &UserInput::last_name},
    Field<UserInput>{
        {.name = "password", .form = Form::secret, .use = Use::only_in, .about = "8 to 72 bytes."},
        &UserInput::password},
    Field<UserInput>{{.name = "current_password",
                      .form = Form::secret,
                      .use = Use::only_in,
                      .about = "Needed by who changes their own password."},
                     &UserInput::current_password},
    Field<UserInput>{{.name = "role", .limits = kRoles, .about = "Set by administrators."},
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
                      .about = "A counter. May be sent back as it was read: an older value is "
                               "ignored, one beyond the current is refused."},
                     &UserInput::used_usd},
    Field<UserInput>{{.name = "model_capability_settings",
                      .form = Form::object,
                      .nullable = Nullable::yes,
                      .about = "Any object of at most 16 KiB. Set by administrators."},
                     &UserInput::model_capability_settings},
    Field<UserInput>{{.name = "created_at", .form = Form::timestamp, .use = Use::only_out},
                     &UserInput::created_at},
    Field<UserInput>{{.name = "updated_at", .form = Form::timestamp, .use = Use::only_out},
                     &UserInput::updated_at},
    Field<UserInput>{{.name = "last_login_at",
                      .form = Form::timestamp,
                      .nullable = Nullable::yes,
                      .use = Use::only_out,
                      .about = "A counter. May be sent back as it was read: an older value is "
                               "ignored, one beyond the current is refused."},
                     &UserInput::last_login_at},
    Field<UserInput>{{.name = "version", .form = Form::integer, .use = Use::only_out},
                     &UserInput::version},
};

constexpr std::array kLoginFields{
    Field<LoginBody>{{.name = "email", .use = Use::only_in}, &LoginBody::email},
    Field<LoginBody>{{.name = "password", .form = Form::secret, .use = Use::only_in},
                     &LoginBody::password},
};

constexpr std::array kUsageFields{
    Field<UsageBody>{{.name = "usd",
                      .form = Form::amount,
                      .use = Use::only_in,
                      .about = "From 0 to 9000000000, at most six decimals."},
                     &UsageBody::usd},
};

constexpr std::array kMessage{SchemaMember{{.name = "message"}, true}};
constexpr std::array kStatus{SchemaMember{{.name = "status"}, true}};

constexpr std::array kSignedIn{
    SchemaMember{{.name = "token", .about = "For the header Authorization."}, true},
    SchemaMember{{.name = "token_type", .limits = R"("const":"Bearer")"}, true},
    SchemaMember{{.name = "expires_in", .form = Form::integer, .about = "Seconds."}, true},
    SchemaMember{{.name = "user", .form = Form::object}, true},
};

constexpr std::array kUserChange{
    SchemaMember{{.name = "message"}, true},
    SchemaMember{{.name = "user", .form = Form::object}, true},
};

constexpr std::array kSession{
    SchemaMember{{.name = "id", .limits = R"("pattern":"^[0-9a-f]{32}$")"}, true},
    SchemaMember{{.name = "kind", .limits = R"("enum":["login","service_token"])"}, true},
    SchemaMember{{.name = "current", .form = Form::boolean, .about = "Is it the asking one?"},
                 true},
    SchemaMember{{.name = "created_at", .form = Form::timestamp}, true},
    SchemaMember{{.name = "expires_at", .form = Form::timestamp}, true},
    SchemaMember{{.name = "address"}, true},
    SchemaMember{{.name = "user_agent"}, true},
};

constexpr std::array kUsageTotals{
    SchemaMember{{.name = "used_usd", .form = Form::amount}, true},
    SchemaMember{{.name = "quota_usd", .form = Form::amount, .nullable = Nullable::yes}, true},
    SchemaMember{{.name = "remaining_usd",
                  .form = Form::amount,
                  .nullable = Nullable::yes,
                  .about = "Negative when the quota is exceeded."},
                 true},
    SchemaMember{{.name = "quota_exceeded", .form = Form::boolean}, true},
};

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
  for (const Field<UserInput>& field : kUserFields) {
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

std::vector<SchemaMember> list_of(std::span<const SchemaMember> members) {
  return {members.begin(), members.end()};
}

}  // namespace

std::span<const Field<UserInput>> user_fields() {
  return kUserFields;
}
std::span<const Field<LoginBody>> login_fields() {
  return kLoginFields;
}
std::span<const Field<UsageBody>> usage_fields() {
  return kUsageFields;
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

std::vector<SchemaMember> members_of(Schema schema) {
  switch (schema) {
    case Schema::user:
    case Schema::user_list:
    case Schema::user_create:
    case Schema::user_replace:
    case Schema::user_patch:
      return user_members(schema);
    case Schema::user_change:
      return list_of(kUserChange);
    case Schema::message:
      return list_of(kMessage);
    case Schema::login:
      return required_members(login_fields());
    case Schema::signed_in:
      return list_of(kSignedIn);
    case Schema::session_list:
      return list_of(kSession);
    case Schema::usage:
      return required_members(usage_fields());
    case Schema::usage_totals:
      return list_of(kUsageTotals);
    case Schema::status:
      return list_of(kStatus);
    case Schema::none:
    case Schema::any_object:
    case Schema::text:
      return {};
  }
  return {};
}

}  // namespace um::api

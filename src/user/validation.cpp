#include "user/validation.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "base/utf8.hpp"

namespace um {

namespace {

std::unexpected<FieldError> wrong(FieldError error) {
  return std::unexpected(std::move(error));
}

bool is_username_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

bool has_control_character(std::string_view text) {
  while (!text.empty()) {
    const Utf8Step step = next_code_point(text);
    if (step.code_point && is_control(*step.code_point)) return true;
    text.remove_prefix(step.bytes);
  }
  return false;
}

struct Name {
  const char* field;
  std::string_view text;
};
Validated<std::string> check_name(Name name) {
  const auto characters = count_code_points(name.text);
  if (!characters) return wrong({name.field, "not_utf8", "must be valid UTF-8"});
  if (*characters > kMaxNameCharacters)
    return wrong({name.field, "too_long",
                  fmt::format("must have at most {} characters", kMaxNameCharacters)});
  if (has_control_character(name.text))
    return wrong({name.field, "control_character", "must not contain control characters"});
  return std::string{name.text};
}

struct Amount {
  const char* field;
  std::string_view text;
};
Validated<Usd> check_amount(Amount amount) {
  const auto usd = Usd::parse(amount.text);
  if (!usd) {
    return wrong({amount.field, "not_an_amount",
                  fmt::format("must be a plain decimal of at most {} with at most {} decimals",
                              Usd::max().text(), Usd::kDecimals)});
  }
  if (usd->negative()) return wrong({amount.field, "negative", "must not be negative"});
  return *usd;
}

const char* code_of(JsonProblem problem) {
  switch (problem) {
    case JsonProblem::syntax:
    case JsonProblem::incomplete:
    case JsonProblem::trailing_text:
      return "not_json";
    case JsonProblem::not_an_object:
      return "not_an_object";
    case JsonProblem::too_deep:
      return "too_deep";
    case JsonProblem::too_many_values:
      return "too_long";
    case JsonProblem::duplicate_member:
      return "duplicate_member";
    case JsonProblem::nul_character:
      return "nul_character";
    case JsonProblem::out_of_range:
      return "out_of_range";
  }
  return "not_json";
}

}  // namespace

Validated<Email> check_email(std::string_view text) {
  if (auto email = Email::parse(text)) return *std::move(email);
  if (text.size() > Email::kMaxBytes)
    return wrong(
        {"email", "too_long", fmt::format("must have at most {} bytes", Email::kMaxBytes)});
  return wrong({"email", "not_an_address",
                "must be an e-mail address: one @, no white space, no control characters"});
}

Validated<std::string> check_username(std::string_view text) {
  if (text.size() < kMinUsernameBytes)
    return wrong({"username", "too_short",
                  fmt::format("must have at least {} characters", kMinUsernameBytes)});
  if (text.size() > kMaxUsernameBytes)
    return wrong({"username", "too_long",
                  fmt::format("must have at most {} characters", kMaxUsernameBytes)});
  if (!std::ranges::all_of(text, is_username_character))
    return wrong({"username", "bad_character", "must consist of a-z A-Z 0-9 . _ -"});
  return std::string{text};
}

Validated<std::string> check_first_name(std::string_view text) {
  return check_name({.field = "first_name", .text = text});
}
Validated<std::string> check_last_name(std::string_view text) {
  return check_name({.field = "last_name", .text = text});
}

Validated<Role> check_role(std::string_view text) {
  if (const auto role = parse_role(text)) return *role;
  return wrong({"role", "unknown_value", "must be one of user, admin, service"});
}

Validated<Usd> check_quota_usd(std::string_view text) {
  return check_amount({.field = "quota_usd", .text = text});
}
Validated<Usd> check_used_usd(std::string_view text) {
  return check_amount({.field = "used_usd", .text = text});
}

Validated<std::string> check_model_capability_settings(std::string_view text) {
  constexpr const char* kField = "model_capability_settings";
  static_assert(kMaxSettingsBytes % 1024 == 0);
  const auto too_long = [] {
    return FieldError{
        kField, "too_long",
        fmt::format("must have at most {} KiB of JSON text", kMaxSettingsBytes / 1024)};
  };
  // White space is not counted, but reading it costs time too.
  if (text.size() > 4 * kMaxSettingsBytes) return wrong(too_long());
  const auto object = read_json_object(text, kMaxSettingsDepth);
  if (!object) {
    if (object.error() == JsonProblem::too_many_values) return wrong(too_long());
    return wrong({kField, code_of(object.error()), std::string{describe(object.error())}});
  }
  std::string compact = compact_json(*object);
  if (compact.size() > kMaxSettingsBytes) return wrong(too_long());
  return compact;
}

}  // namespace um

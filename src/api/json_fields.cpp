#include "api/json_fields.hpp"

#include <charconv>

#include "user/money.hpp"

namespace um::api {
namespace {

std::string_view expected_by(Form form) {
  switch (form) {
    case Form::text:
    case Form::secret:
      return "must be a string";
    case Form::timestamp:
      return "must be a string with a time (RFC 3339)";
    case Form::boolean:
      return "must be true or false";
    case Form::integer:
      return "must be a whole number";
    case Form::amount:
      return "must be a number or a string with a decimal";
    case Form::object:
      return "must be an object";
  }
  return "has the wrong type";
}

FieldError wrong_type(const JsonMember& from, Form form) {
  return {from.name, "wrong_type", std::string{expected_by(form)}};
}

// The text under which the value is handed on, or nullopt if the form is another one.
std::optional<std::string> text_of(const JsonValue& value, Form form) {
  using Kind = JsonValue::Kind;
  if (form == Form::object && value.kind == Kind::object) return canonical_json(value);
  if (form == Form::amount && value.kind == Kind::number) {
    return plain_decimal(value.text).value_or(value.text);
  }
  if (form != Form::object && value.kind == Kind::string) return value.text;
  return std::nullopt;
}

}  // namespace

std::optional<FieldError> read_member(const JsonMember& from, Form form, Member<std::string>& to) {
  to.present = true;
  if (from.value.kind == JsonValue::Kind::null) return std::nullopt;
  to.value = text_of(from.value, form);
  if (!to.value) return wrong_type(from, form);
  return std::nullopt;
}

std::optional<FieldError> read_member(const JsonMember& from, Form form, Member<Secret>& to) {
  to.present = true;
  if (from.value.kind == JsonValue::Kind::null) return std::nullopt;
  if (from.value.kind != JsonValue::Kind::string) return wrong_type(from, form);
  to.value.emplace(from.value.text);
  return std::nullopt;
}

std::optional<FieldError> read_member(const JsonMember& from, Form form, Member<bool>& to) {
  to.present = true;
  if (from.value.kind == JsonValue::Kind::null) return std::nullopt;
  if (from.value.kind != JsonValue::Kind::boolean) return wrong_type(from, form);
  to.value = from.value.boolean;
  return std::nullopt;
}

std::optional<FieldError> read_member(const JsonMember& from, Form form, Member<std::int64_t>& to) {
  to.present = true;
  if (from.value.kind == JsonValue::Kind::null) return std::nullopt;
  if (from.value.kind != JsonValue::Kind::number || !is_integer(from.value.text)) {
    return wrong_type(from, form);
  }
  const std::string& text = from.value.text;
  std::int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{}) {
    return FieldError{from.name, "number_out_of_range", "does not fit in 64 bits"};
  }
  to.value = value;
  return std::nullopt;
}

FieldError unknown_member(std::string_view name) {
  return {std::string{name.substr(0, 200)}, "unknown_field", "is not a member that is known here"};
}

Problem not_an_object() {
  return invalid_field({"", "wrong_type", "the body must be a JSON object"});
}

}  // namespace um::api

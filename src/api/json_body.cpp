#include "api/json_body.hpp"

#include <algorithm>

#include "base/exact_number.hpp"
#include "base/json_writer.hpp"

namespace um::api {
namespace {

constexpr std::size_t kMaxUnstorableParts = 20;

std::string_view detail_of(JsonProblem problem) {
  switch (problem) {
    case JsonProblem::duplicate_member:
      return "the body has a name twice in one object";
    case JsonProblem::too_deep:
      return "the body is nested too deeply";
    case JsonProblem::incomplete:
      return "the body ends too early";
    case JsonProblem::trailing_text:
      return "the body goes on after its value";
    case JsonProblem::syntax:
    case JsonProblem::not_an_object:
    case JsonProblem::too_many_values:
    case JsonProblem::nul_character:
    case JsonProblem::out_of_range:
      break;
  }
  return "the body is not valid JSON in UTF-8";
}

// nullopt: the body is not JSON at all.
std::optional<FieldError> field_error(const JsonError& error) {
  switch (error.problem) {
    case JsonProblem::nul_character:
      return FieldError{error.member, "nul_character", "the character U+0000 cannot be stored"};
    case JsonProblem::out_of_range:
      return FieldError{error.member, "number_out_of_range",
                        "a number here is outside the range that can be stored"};
    case JsonProblem::too_many_values:
      return FieldError{error.member, "too_many_values",
                        "the body has more values than anything here can have"};
    case JsonProblem::syntax:
    case JsonProblem::incomplete:
    case JsonProblem::trailing_text:
    case JsonProblem::not_an_object:
    case JsonProblem::too_deep:
    case JsonProblem::duplicate_member:
      break;
  }
  return std::nullopt;
}

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

// The text that stands for the value from here on; nullopt if the value has another form.
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

std::expected<JsonValue, Problem> parse_json(std::string_view text) {
  auto value = um::read_json(text);
  if (!value) {
    const JsonError& error = value.error();
    if (auto field = field_error(error)) return refuse(invalid_field(*std::move(field)));
    return refuse(ProblemCode::malformed_json, std::string{detail_of(error.problem)});
  }
  std::vector<FieldError> errors;
  for (const JsonError& part : unstorable_parts(*value)) {
    auto field = field_error(part);
    if (field && errors.size() < kMaxUnstorableParts) errors.push_back(*std::move(field));
  }
  if (!errors.empty()) return refuse(invalid_fields(std::move(errors)));
  return *std::move(value);
}

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
  to.value = from.value.integer();
  if (!to.value) return FieldError{from.name, "number_out_of_range", "does not fit in 64 bits"};
  return std::nullopt;
}

FieldError unknown_member(std::string_view name) {
  return {std::string{name.substr(0, 200)}, "unknown_field", "is not a member that is known here"};
}

Problem not_an_object() {
  return invalid_field({"", "wrong_type", "the body must be a JSON object"});
}

}  // namespace um::api

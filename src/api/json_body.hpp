// JSON bodies: read strictly, and taken member by member into a struct.
//
// The members of bodies and answers are declared in tables, one line for each. The same line reads
// the member from a request, refuses a value of another type, and describes the member in the
// OpenAPI document. Pure; thread safety: any.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "api/problem.hpp"
#include "base/json.hpp"
#include "service/user_rules.hpp"

namespace um::api {

// malformed_json (400) for a text that read_json() refuses; validation_failed (422), naming the
// member, for values that cannot be stored and for too many values.
std::expected<JsonValue, Problem> parse_json(std::string_view text);

// How a member is written in JSON. An `amount` is a decimal string or a number and keeps its text,
// except that the exponent of a number is written out exactly (some programs write 1e-05).
enum class Form { text, secret, boolean, integer, amount, object, timestamp };
enum class Nullable { no, yes };
enum class Use {
  in_and_out,
  only_in,   // never in an answer
  only_out,  // set by the server; accepted in a request if it equals the current value
};

struct Property {
  std::string_view name;
  Form form = Form::text;
  Nullable nullable = Nullable::no;
  Use use = Use::in_and_out;
  std::string limits{};  // JSON Schema keywords, ready to be put into the document
  std::string about{};
};

// A property with the place in T where it goes.
template <class T>
struct Field {
  Property property;
  std::variant<Member<std::string> T::*, Member<Secret> T::*, Member<bool> T::*,
               Member<std::int64_t> T::*>
      place;
};

// Each sets `to` or returns what is wrong with the value. null makes `to` present and empty.
std::optional<FieldError> read_member(const JsonMember& from, Form form, Member<std::string>& to);
std::optional<FieldError> read_member(const JsonMember& from, Form form, Member<Secret>& to);
std::optional<FieldError> read_member(const JsonMember& from, Form form, Member<bool>& to);
std::optional<FieldError> read_member(const JsonMember& from, Form form, Member<std::int64_t>& to);

FieldError unknown_member(std::string_view name);
Problem not_an_object();

// Every member is checked, and the errors of all are collected (at most kMaxFieldErrors).
inline constexpr std::size_t kMaxFieldErrors = 50;

template <class T>
std::expected<T, Problem> read_object(const JsonValue& body, std::span<const Field<T>> fields) {
  if (body.kind != JsonValue::Kind::object) return refuse(not_an_object());
  T result{};
  std::vector<FieldError> errors;
  for (const JsonMember& member : body.members) {
    const Field<T>* known = nullptr;
    for (const Field<T>& field : fields) {
      if (field.property.name == member.name) known = &field;
    }
    std::optional<FieldError> error;
    if (known == nullptr) {
      error = unknown_member(member.name);
    } else {
      error = std::visit(
          [&](auto place) { return read_member(member, known->property.form, result.*place); },
          known->place);
    }
    if (error && errors.size() < kMaxFieldErrors) errors.push_back(std::move(*error));
  }
  if (!errors.empty()) return refuse(invalid_fields(std::move(errors)));
  return result;
}

}  // namespace um::api

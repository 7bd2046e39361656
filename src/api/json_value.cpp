#include "api/json_value.hpp"

#include <algorithm>

#include "api/json_text.hpp"

namespace um::api {
namespace {

// Recursion is bounded by the parser's limit on depth.
void append(std::string& out, const JsonValue& value);

void append_items(std::string& out, const JsonValue& value) {
  out += '[';
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    if (i > 0) out += ',';
    append(out, value.items[i]);
  }
  out += ']';
}

void append_members(std::string& out, const JsonValue& value) {
  std::vector<const JsonMember*> members;
  members.reserve(value.members.size());
  for (const JsonMember& member : value.members) members.push_back(&member);
  std::ranges::sort(members, {}, [](const JsonMember* m) -> std::string_view { return m->name; });
  out += '{';
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (i > 0) out += ',';
    append_json_string(out, members[i]->name);
    out += ':';
    append(out, members[i]->value);
  }
  out += '}';
}

void append(std::string& out, const JsonValue& value) {
  switch (value.kind) {
    case JsonValue::Kind::null:
      out += "null";
      return;
    case JsonValue::Kind::boolean:
      out += value.boolean ? "true" : "false";
      return;
    case JsonValue::Kind::number:
      out += value.text;
      return;
    case JsonValue::Kind::string:
      append_json_string(out, value.text);
      return;
    case JsonValue::Kind::array:
      append_items(out, value);
      return;
    case JsonValue::Kind::object:
      append_members(out, value);
      return;
  }
}

}  // namespace

JsonValue::JsonValue() = default;
JsonValue::JsonValue(Kind kind_in, std::string text_in) : kind{kind_in}, text{std::move(text_in)} {}

const JsonValue* JsonValue::find(std::string_view name) const {
  const auto found = std::ranges::find(members, name, &JsonMember::name);
  return found == members.end() ? nullptr : &found->value;
}

bool is_integer(std::string_view number) {
  return number.find_first_of(".eE") == std::string_view::npos;
}

std::string canonical_json(const JsonValue& value) {
  std::string out;
  append(out, value);
  return out;
}

}  // namespace um::api

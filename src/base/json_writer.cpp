#include "base/json_writer.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/printable.hpp"
#include "base/utf8.hpp"

namespace um {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr char kLines = '\n';  // an array with an element on every line is open

enum class Order { as_given, by_name };

std::vector<const JsonMember*> members_in(const JsonValue& object, Order order) {
  std::vector<const JsonMember*> members;
  members.reserve(object.members.size());
  for (const JsonMember& member : object.members) members.push_back(&member);
  if (order == Order::by_name)
    std::ranges::sort(members, {}, [](const JsonMember* m) -> std::string_view { return m->name; });
  return members;
}

void write(JsonWriter& json, const JsonValue& value, Order order) {
  switch (value.kind) {
    case JsonValue::Kind::null:
      json.value(nullptr);
      return;
    case JsonValue::Kind::boolean:
      json.value(value.boolean);
      return;
    case JsonValue::Kind::number:
      json.raw(value.text);
      return;
    case JsonValue::Kind::string:
      json.value(value.text);
      return;
    case JsonValue::Kind::array:
      json.open_array();
      for (const JsonValue& item : value.items) write(json, item, order);
      json.close();
      return;
    case JsonValue::Kind::object:
      json.open_object();
      for (const JsonMember* member : members_in(value, order)) {
        json.key(member->name);
        write(json, member->value, order);
      }
      json.close();
      return;
  }
}

std::string written(const JsonValue& value, Order order) {
  JsonWriter json;
  write(json, value, order);
  return json.take();
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const char c = text.front();
    if (static_cast<unsigned char>(c) < 0x80) {
      if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20) {
        append_escape(out, static_cast<unsigned char>(c));
      } else {
        out += c;
      }
      text.remove_prefix(1);
      continue;
    }
    const Utf8Step step = next_code_point(text);
    out += step.code_point ? text.substr(0, step.bytes) : kReplacement;
    text.remove_prefix(step.bytes);
  }
  out += '"';
}

JsonWriter& JsonWriter::open_object() {
  separate();
  out_ += '{';
  open_ += '}';
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::open_array(Layout layout) {
  separate();
  out_ += '[';
  open_ += layout == Layout::lines ? kLines : ']';
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close() {
  const char end = open_.back();
  open_.pop_back();
  if (end == kLines && comma_) out_ += '\n';
  out_ += end == kLines ? ']' : end;
  comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_json_string(out_, name);
  out_ += ':';
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  append_json_string(out_, text);
  comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::value(double number) {
  return raw(fmt::format("{}", number));
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  comma_ = true;
  return *this;
}

// Writes the comma before a key or value, if one is due.
void JsonWriter::separate() {
  if (comma_) out_ += ',';
  if (!open_.empty() && open_.back() == kLines) out_ += '\n';
}

std::string compact_json(const JsonValue& value) {
  return written(value, Order::as_given);
}

std::string canonical_json(const JsonValue& value) {
  return written(value, Order::by_name);
}

}  // namespace um

// JsonObjectText: one flat JSON object, member by member, for --json.
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>

#include "user/text.hpp"

namespace um {

class JsonObjectText {
 public:
  JsonObjectText& text(std::string_view name, std::string_view value) {
    key(name);
    append_json_string(out_, value);
    return *this;
  }
  JsonObjectText& text_or_null(std::string_view name, const std::optional<std::string>& value) {
    return value ? text(name, *value) : raw(name, "null");
  }
  template <std::integral N>
  JsonObjectText& number(std::string_view name, N value) {
    return raw(name, std::to_string(value));
  }
  // `json` is JSON already.
  JsonObjectText& raw(std::string_view name, std::string_view json) {
    key(name);
    out_ += json;
    return *this;
  }
  std::string str() const { return out_ + '}'; }

 private:
  void key(std::string_view name) {
    if (out_.size() > 1) out_ += ',';
    append_json_string(out_, name);
    out_ += ':';
  }
  std::string out_ = "{";
};

// "[\n{…},\n{…}\n]\n": one object a line.
template <class Range, class ToJson>
std::string json_lines_array(const Range& range, ToJson to_json) {
  std::string out = "[";
  for (const auto& element : range) {
    out += out.size() == 1 ? "\n" : ",\n";
    out += to_json(element);
  }
  return out += out.size() == 1 ? "]\n" : "\n]\n";
}

}  // namespace um

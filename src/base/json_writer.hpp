// JsonWriter: writes one JSON text (RFC 8259) value by value and puts the commas. The only writer
// of JSON, except for log lines, which escape more than JSON asks for (base/printable.hpp).
//
//   JsonWriter{}.open_object().member("id", 7).member("name", name).close().text()
//
// The text is complete once everything that was opened is closed. Not thread-safe.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace um {

// Appends `text` as a JSON string with its quotes. Bytes that are not UTF-8 (rows written by other
// programs) become U+FFFD, so that the result is always valid JSON.
void append_json_string(std::string& out, std::string_view text);

class JsonWriter {
 public:
  enum class Layout { compact, lines };  // lines: every element of the array on a line of its own

  JsonWriter& open_object();
  JsonWriter& open_array(Layout layout = Layout::compact);
  JsonWriter& close();  // the object or array that was opened last

  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);  // a string
  JsonWriter& value(double number);          // REQUIRES: finite
  JsonWriter& value(std::nullptr_t) { return raw("null"); }
  JsonWriter& value(std::same_as<bool> auto boolean) { return raw(boolean ? "true" : "false"); }
  template <std::integral N>
    requires(!std::same_as<N, bool>)
  JsonWriter& value(N number) {
    return raw(std::to_string(number));
  }
  template <class T>
  JsonWriter& value(const std::optional<T>& value_or_null) {
    return value_or_null ? value(*value_or_null) : value(nullptr);
  }
  // `json` is JSON text already: a value, or members of the object that is open.
  JsonWriter& raw(std::string_view json);

  template <class T>
  JsonWriter& member(std::string_view name, const T& of_member) {
    return key(name).value(of_member);
  }
  JsonWriter& raw_member(std::string_view name, std::string_view json) {
    return key(name).raw(json);
  }

  const std::string& text() const { return out_; }
  std::string take() { return std::move(out_); }

 private:
  void separate();

  std::string out_;
  std::string open_;  // the bracket that ends each open object or array, or kLines
  bool comma_ = false;
};

// The value without white space, members in their order, numbers as they were written.
std::string compact_json(const JsonValue& value);
// The same with members ordered by the bytes of their names: one text for one value.
std::string canonical_json(const JsonValue& value);

}  // namespace um

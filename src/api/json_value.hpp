// JsonValue: a parsed JSON document. Numbers stay as they were written: an amount of money never
// passes through binary floating point, and what a client stores it gets back digit by digit.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace um::api {

struct JsonMember;

struct JsonValue {
  enum class Kind { null, boolean, number, string, array, object };

  JsonValue();  // null
  explicit JsonValue(Kind kind_in, std::string text_in = {});

  Kind kind = Kind::null;
  bool boolean = false;
  std::string text;                 // string: decoded, valid UTF-8 without NUL; number: as written
  std::vector<JsonValue> items;     // array
  std::vector<JsonMember> members;  // object: in the order sent, names are unique

  // Null if it is no object or has no such member.
  const JsonValue* find(std::string_view name) const;
};

struct JsonMember {
  std::string name;
  JsonValue value;
};

// A number without fraction and exponent.
bool is_integer(std::string_view number);

// One text for one value: no white space, members ordered by the bytes of their names, numbers as
// they were written.
std::string canonical_json(const JsonValue& value);

}  // namespace um::api

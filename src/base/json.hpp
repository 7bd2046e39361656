// JsonValue: one JSON text (RFC 8259) as a tree, and read_json(), the only reader of JSON.
//
// Numbers stay as they were written: an amount of money never passes through binary floating point,
// and settings come back digit by digit. The reader is stricter than the RFC: it bounds depth and
// the number of values, and refuses a name that appears twice in one object (most parsers keep the
// last one silently). The caller bounds the size of the text.
//
// Functions over trees recurse; the reader's bound on depth bounds them. Pure; thread safety: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace um {

struct JsonMember;

struct JsonValue {
  enum class Kind { null, boolean, number, string, array, object };

  JsonValue();  // null
  explicit JsonValue(Kind kind_in, std::string text_in = {});

  Kind kind = Kind::null;
  bool boolean = false;
  std::string text;                 // string: decoded, valid UTF-8; number: as it was written
  std::vector<JsonValue> items;     // array
  std::vector<JsonMember> members;  // object: in the order of the text; names are unique

  // nullptr if the value is not an object or has no such member (of that kind).
  const JsonValue* find(std::string_view name) const;
  const std::string* find_string(std::string_view name) const;
  // The value of a number without fraction and exponent; nullopt for anything else and for a number
  // that needs more than 64 bits.
  std::optional<std::int64_t> integer() const;
};

struct JsonMember {
  std::string name;
  JsonValue value;
};

// Is this number (RFC 8259, section 6) written without fraction and exponent?
bool is_integer(std::string_view number);

enum class JsonProblem {
  syntax,         // not JSON, not UTF-8, or a lone surrogate
  incomplete,     // the text ends within the value
  trailing_text,  // the text goes on after the value
  not_an_object,
  too_deep,
  too_many_values,
  duplicate_member,
  nul_character,  // U+0000 in a string or name: PostgreSQL cannot store it
  out_of_range,   // an integer that needs more than 64 bits, or a number that no double is near to
};
// For people: "is not valid JSON", "nests too deeply", …
std::string_view describe(JsonProblem problem);

struct JsonError {
  JsonProblem problem = JsonProblem::syntax;
  std::string member{};  // of the outermost object, without U+0000; empty if there is none
};

inline constexpr std::size_t kMaxJsonDepth = 32;
// Every input that fits the limits of its members has fewer (16 KiB of `1,` are 8,192), and
// building more must not keep an event loop for milliseconds.
inline constexpr std::size_t kMaxJsonValues = 10'000;
struct JsonLimits {
  std::size_t depth = kMaxJsonDepth;    // objects and arrays around a value; the root counts
  std::size_t values = kMaxJsonValues;  // the root counts
};

// Every JsonProblem but nul_character and not_an_object can be the error. A number is out_of_range
// here only if its exponent does not fit an int: see unstorable_parts().
std::expected<JsonValue, JsonError> read_json(std::string_view text, JsonLimits limits = {});

// The parts that are JSON but cannot be stored: nul_character and out_of_range, each once for every
// member of the outermost object that has it.
std::vector<JsonError> unstorable_parts(const JsonValue& value);

// read_json() for an object of which every part can be stored. `depth` counts the object itself.
std::expected<JsonValue, JsonProblem> read_json_object(std::string_view text,
                                                       std::size_t depth = kMaxJsonDepth);

}  // namespace um

// Reading one JSON object (RFC 8259) strictly and without losing anything: numbers stay as they
// were written, duplicate members are refused instead of the last one winning. Pure; any thread.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace um {

enum class JsonKind { null, boolean, number, string, object, array };

struct JsonMember {
  std::string name;
  JsonKind kind = JsonKind::null;
  // string: its characters; everything else: its JSON text without white space, numbers as written.
  std::string text{};
};

struct JsonObject {
  std::vector<JsonMember> members{};  // in the order of the text
  std::string compact{};              // the whole object without white space
};

enum class JsonProblem {
  syntax,  // not JSON, or not UTF-8, or a lone surrogate
  not_an_object,
  too_deep,
  duplicate_member,  // in this object or one within it
  nul_character,     // \u0000 in a string or name: databases cannot store it
  out_of_range,      // a number that is no double, or an integer that is no 64-bit one
};
// For people: "is not valid JSON", "nests too deeply", …
std::string_view describe(JsonProblem problem);

inline constexpr std::size_t kMaxJsonDepth = 32;

// `max_depth` counts the object itself. The caller bounds the size of the text.
std::expected<JsonObject, JsonProblem> read_json_object(std::string_view text,
                                                        std::size_t max_depth = kMaxJsonDepth);

}  // namespace um

// FlatJson: a JSON object (RFC 8259) whose members are scalars, read strictly: what a JOSE header
// and the claims of a token are.
//
// Refused: anything but an object at the top, nested objects and arrays, a name that appears twice
// (RFC 7515 section 4 allows to refuse it; the parser underneath would keep the last one silently),
// invalid UTF-8, more than kMaxMembers members, anything behind the object. Thread safety: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace um {

class FlatJson {
 public:
  static constexpr std::size_t kMaxMembers = 32;
  // monostate: a member of another type (boolean, null, a number that is no 64-bit integer).
  using Value = std::variant<std::monostate, std::string, std::int64_t>;
  struct Member {
    std::string name;
    Value value;
  };

  static std::optional<FlatJson> parse(std::string_view text);

  const std::vector<Member>& members() const { return members_; }
  const Value* find(std::string_view name) const;
  // nullptr unless there is such a member of that type.
  const std::string* string(std::string_view name) const;
  const std::int64_t* integer(std::string_view name) const;

 private:
  std::vector<Member> members_;
};

// `text` as a JSON string, with its quotes. Control characters, quotes and backslashes are escaped;
// everything else is copied.
std::string json_quoted(std::string_view text);

}  // namespace um

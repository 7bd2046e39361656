#include "base/json.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include <boost/json/basic_parser_impl.hpp>

namespace um {

namespace {

using boost::json::error_code;
using boost::json::string_view;
using Kind = JsonValue::Kind;

constexpr std::string_view kWhiteSpace = " \t\r\n";

std::string without_nul(std::string text) {
  std::erase(text, '\0');
  return text;
}

bool repeats_a_name(const JsonValue& object) {
  std::vector<std::string_view> names;
  names.reserve(object.members.size());
  for (const JsonMember& member : object.members) names.push_back(member.name);
  std::ranges::sort(names);
  return std::ranges::adjacent_find(names) != names.end();
}

// Receives the events of Boost.JSON's parser and builds the tree. The parser's own limits on sizes
// are off: the caller bounds the text.
class TreeBuilder {
 public:
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  explicit TreeBuilder(std::size_t max_values) : max_values_{max_values} {}

  static bool on_document_begin(error_code&) { return true; }
  static bool on_document_end(error_code&) { return true; }
  // Never called: the parser does not accept comments unless it is told to.
  static bool on_comment_part(string_view, error_code&) { return true; }
  static bool on_comment(string_view, error_code&) { return true; }

  bool on_object_begin(error_code&) { return open(Kind::object); }
  bool on_object_end(std::size_t, error_code& code) {
    if (repeats_a_name(open_.back().value)) return stop(JsonProblem::duplicate_member, code);
    return close(code);
  }
  bool on_array_begin(error_code&) { return open(Kind::array); }
  bool on_array_end(std::size_t, error_code& code) { return close(code); }

  bool on_key_part(string_view part, std::size_t, error_code&) { return keep(part); }
  bool on_key(string_view rest, std::size_t, error_code&) {
    keep(rest);
    open_.back().name = std::exchange(pending_, {});
    if (open_.size() == 1) outermost_member_ = open_.back().name;
    return true;
  }
  bool on_string_part(string_view part, std::size_t, error_code&) { return keep(part); }
  bool on_string(string_view rest, std::size_t, error_code& code) {
    keep(rest);
    return add(JsonValue{Kind::string, std::exchange(pending_, {})}, code);
  }
  bool on_number_part(string_view part, error_code&) { return keep(part); }
  bool on_int64(std::int64_t, string_view rest, error_code& code) { return number(rest, code); }
  bool on_uint64(std::uint64_t, string_view rest, error_code& code) { return number(rest, code); }
  bool on_double(double, string_view rest, error_code& code) { return number(rest, code); }
  bool on_bool(bool value, error_code& code) {
    JsonValue boolean{Kind::boolean};
    boolean.boolean = value;
    return add(std::move(boolean), code);
  }
  bool on_null(error_code& code) { return add(JsonValue{}, code); }

  JsonValue take() { return std::move(root_); }
  JsonError error(JsonProblem problem) const {
    return {.problem = problem, .member = without_nul(outermost_member_)};
  }
  std::optional<JsonProblem> problem() const { return problem_; }

 private:
  struct Open {
    JsonValue value;
    std::string name{};  // of the member that gets the next value
  };

  bool stop(JsonProblem problem, error_code& code) {
    problem_ = problem;
    code = boost::json::error::syntax;
    return false;
  }
  bool keep(string_view part) {
    pending_.append(part.data(), part.size());
    return true;
  }
  bool number(string_view rest, error_code& code) {
    keep(rest);
    return add(JsonValue{Kind::number, std::exchange(pending_, {})}, code);
  }
  bool open(Kind kind) {
    open_.push_back({.value = JsonValue{kind}});
    return true;
  }
  bool close(error_code& code) {
    JsonValue value = std::move(open_.back().value);
    open_.pop_back();
    return add(std::move(value), code);
  }
  bool add(JsonValue value, error_code& code) {
    if (++values_ > max_values_) return stop(JsonProblem::too_many_values, code);
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back().value.kind == Kind::array) {
      open_.back().value.items.push_back(std::move(value));
    } else {
      open_.back().value.members.push_back({std::move(open_.back().name), std::move(value)});
    }
    return true;
  }

  std::size_t max_values_;
  std::size_t values_ = 0;
  JsonValue root_;
  std::vector<Open> open_;
  std::string pending_;  // the parts of a name, string or number so far
  std::string outermost_member_;
  std::optional<JsonProblem> problem_;
};

JsonProblem problem_of(const error_code& code) {
  if (code == boost::json::error::too_deep) return JsonProblem::too_deep;
  if (code == boost::json::error::incomplete) return JsonProblem::incomplete;
  if (code == boost::json::error::exponent_overflow) return JsonProblem::out_of_range;
  return JsonProblem::syntax;
}

bool fits_64_bits(std::string_view number) {
  const char* const begin = number.data();
  const char* const end = begin + number.size();
  if (number.front() == '-') {
    std::int64_t value = 0;
    return std::from_chars(begin, end, value).ec == std::errc{};
  }
  std::uint64_t value = 0;
  return std::from_chars(begin, end, value).ec == std::errc{};
}

bool in_range(std::string_view number) {
  if (is_integer(number)) return fits_64_bits(number);
  double value = 0;
  return std::from_chars(number.data(), number.data() + number.size(), value).ec == std::errc{};
}

struct Unstorable {
  bool nul_character = false;
  bool out_of_range = false;
};

void look_for_unstorable(const JsonValue& value, Unstorable& found) {
  if (value.kind == Kind::string && value.text.find('\0') != std::string::npos)
    found.nul_character = true;
  if (value.kind == Kind::number && !in_range(value.text)) found.out_of_range = true;
  for (const JsonValue& item : value.items) look_for_unstorable(item, found);
  for (const JsonMember& member : value.members) {
    if (member.name.find('\0') != std::string::npos) found.nul_character = true;
    look_for_unstorable(member.value, found);
  }
}

void append_unstorable(std::vector<JsonError>& errors, const Unstorable& found,
                       const std::string& member) {
  if (found.nul_character) errors.push_back({JsonProblem::nul_character, without_nul(member)});
  if (found.out_of_range) errors.push_back({JsonProblem::out_of_range, without_nul(member)});
}

}  // namespace

JsonValue::JsonValue() = default;
JsonValue::JsonValue(Kind kind_in, std::string text_in) : kind{kind_in}, text{std::move(text_in)} {}

const JsonValue* JsonValue::find(std::string_view name) const {
  const auto found = std::ranges::find(members, name, &JsonMember::name);
  return found == members.end() ? nullptr : &found->value;
}

const std::string* JsonValue::find_string(std::string_view name) const {
  const JsonValue* const found = find(name);
  return found != nullptr && found->kind == Kind::string ? &found->text : nullptr;
}

std::optional<std::int64_t> JsonValue::integer() const {
  if (kind != Kind::number || !is_integer(text)) return std::nullopt;
  std::int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc{} ? std::optional{value} : std::nullopt;
}

bool is_integer(std::string_view number) {
  return number.find_first_of(".eE") == std::string_view::npos;
}

std::string_view describe(JsonProblem problem) {
  switch (problem) {
    case JsonProblem::syntax:
    case JsonProblem::incomplete:
    case JsonProblem::trailing_text:
      return "is not valid JSON";
    case JsonProblem::not_an_object:
      return "must be a JSON object";
    case JsonProblem::too_deep:
      return "nests too deeply";
    case JsonProblem::too_many_values:
      return "has too many values";
    case JsonProblem::duplicate_member:
      return "has the same member twice";
    case JsonProblem::nul_character:
      return "contains the character U+0000";
    case JsonProblem::out_of_range:
      return "contains a number that is out of range";
  }
  return "is not valid JSON";
}

std::expected<JsonValue, JsonError> read_json(std::string_view text, JsonLimits limits) {
  boost::json::parse_options options;
  options.max_depth = limits.depth;
  boost::json::basic_parser<TreeBuilder> parser{options, limits.values};
  error_code code;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), code);
  TreeBuilder& builder = parser.handler();
  if (code) return std::unexpected(builder.error(builder.problem().value_or(problem_of(code))));
  if (text.find_first_not_of(kWhiteSpace, used) != std::string_view::npos)
    return std::unexpected(builder.error(JsonProblem::trailing_text));
  return builder.take();
}

std::vector<JsonError> unstorable_parts(const JsonValue& value) {
  std::vector<JsonError> errors;
  if (value.kind != Kind::object) {
    Unstorable found;
    look_for_unstorable(value, found);
    append_unstorable(errors, found, "");
    return errors;
  }
  for (const JsonMember& member : value.members) {
    Unstorable found{.nul_character = member.name.find('\0') != std::string::npos};
    look_for_unstorable(member.value, found);
    append_unstorable(errors, found, member.name);
  }
  return errors;
}

std::expected<JsonValue, JsonProblem> read_json_object(std::string_view text, std::size_t depth) {
  auto value = read_json(text, {.depth = depth});
  if (!value) return std::unexpected(value.error().problem);
  if (value->kind != Kind::object) return std::unexpected(JsonProblem::not_an_object);
  const std::vector<JsonError> unstorable = unstorable_parts(*value);
  if (!unstorable.empty()) return std::unexpected(unstorable.front().problem);
  return *std::move(value);
}

}  // namespace um

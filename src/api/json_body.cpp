#include "api/json_body.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include <boost/json/basic_parser_impl.hpp>

#include "user/json_handler.hpp"

namespace um::api {
namespace {

using boost::json::error_code;
using boost::json::string_view;

void append(std::string& out, string_view part) {
  out.append(part.data(), part.size());
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

// Receives the events of the parser and builds the value. A name sent twice ends the parse; what is
// well-formed but unacceptable is remembered and reported if the rest is well-formed, too.
class Builder : public JsonHandler {
 public:
  bool on_array_begin(error_code&) { return open(JsonValue::Kind::array); }
  bool on_array_end(std::size_t, error_code& ec) { return close(ec); }
  bool on_object_begin(error_code&) { return open(JsonValue::Kind::object); }
  bool on_object_end(std::size_t, error_code& ec) {
    if (repeats_a_name(open_.back().value)) {
      repeated_ = true;
      ec = boost::json::error::syntax;
      return false;
    }
    return close(ec);
  }
  bool on_key_part(string_view part, std::size_t, error_code&) { return keep(part); }
  bool on_key(string_view rest, std::size_t, error_code&) {
    append(text_, rest);
    open_.back().name = std::exchange(text_, {});
    if (open_.size() == 1) top_level_name_ = open_.back().name;
    check_nul(open_.back().name);
    return true;
  }
  bool on_string_part(string_view part, std::size_t, error_code&) { return keep(part); }
  bool on_string(string_view rest, std::size_t, error_code& ec) {
    append(text_, rest);
    check_nul(text_);
    return add(JsonValue{JsonValue::Kind::string, std::exchange(text_, {})}, ec);
  }
  bool on_number_part(string_view part, error_code&) { return keep(part); }
  bool on_int64(std::int64_t, string_view rest, error_code& ec) { return number(rest, ec); }
  bool on_uint64(std::uint64_t, string_view rest, error_code& ec) { return number(rest, ec); }
  bool on_double(double, string_view rest, error_code& ec) { return number(rest, ec); }
  bool on_bool(bool value, error_code& ec) {
    JsonValue boolean{JsonValue::Kind::boolean};
    boolean.boolean = value;
    return add(std::move(boolean), ec);
  }
  bool on_null(error_code& ec) { return add(JsonValue{}, ec); }

  JsonValue take() { return std::move(root_); }
  bool repeated() const { return repeated_; }
  const std::vector<FieldError>& errors() const { return errors_; }
  void out_of_range() {
    reject("number_out_of_range", "a number here is outside the range that can be stored");
  }

 private:
  struct Open {
    JsonValue value;
    std::string name{};  // of the member that comes next
  };

  bool open(JsonValue::Kind kind) {
    open_.push_back({.value = JsonValue{kind}});
    return true;
  }
  bool close(error_code& ec) {
    JsonValue value = std::move(open_.back().value);
    open_.pop_back();
    return add(std::move(value), ec);
  }
  bool add(JsonValue value, error_code& ec) {
    if (++values_ > kMaxJsonValues) {
      reject("too_many_values", "the body has more values than anything here can have");
      ec = boost::json::error::object_too_large;
      return false;
    }
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back().value.kind == JsonValue::Kind::array) {
      open_.back().value.items.push_back(std::move(value));
    } else {
      open_.back().value.members.push_back({std::move(open_.back().name), std::move(value)});
    }
    return true;
  }
  bool keep(string_view part) {
    append(text_, part);
    return true;
  }
  bool number(string_view rest, error_code& ec) {
    append(text_, rest);
    if (!in_range(text_)) out_of_range();
    return add(JsonValue{JsonValue::Kind::number, std::exchange(text_, {})}, ec);
  }
  void check_nul(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) {
      reject("nul_character", "the character U+0000 cannot be stored");
    }
  }
  // Once for every member of the document and code, so that the list is bounded by the schema's
  // size.
  void reject(std::string_view code, std::string_view message) {
    std::string name = top_level_name_;
    std::erase(name, '\0');
    for (const FieldError& error : errors_) {
      if (error.field == name && error.code == code) return;
    }
    if (errors_.size() < 20) {
      errors_.push_back({std::move(name), std::string{code}, std::string{message}});
    }
  }
  static bool repeats_a_name(const JsonValue& object) {
    std::vector<std::string_view> names;
    names.reserve(object.members.size());
    for (const JsonMember& member : object.members) names.push_back(member.name);
    std::ranges::sort(names);
    return std::ranges::adjacent_find(names) != names.end();
  }

  JsonValue root_;
  std::vector<Open> open_;
  std::string text_;  // of the string, name or number being read
  std::string top_level_name_;
  std::vector<FieldError> errors_;
  std::size_t values_ = 0;
  bool repeated_ = false;
};

std::string describe(const error_code& ec, bool repeated) {
  if (repeated) return "the body has a name twice in one object";
  if (ec == boost::json::error::too_deep) return "the body is nested too deeply";
  if (ec == boost::json::error::incomplete) return "the body ends too early";
  if (ec == boost::json::error::extra_data) return "the body goes on after its value";
  return "the body is not valid JSON in UTF-8";
}

}  // namespace

std::expected<JsonValue, Problem> parse_json(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = kMaxJsonDepth;
  boost::json::basic_parser<Builder> parser{options};
  error_code ec;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
  Builder& builder = parser.handler();
  if (!ec && used < text.size()) ec = boost::json::error::extra_data;
  if (ec == boost::json::error::exponent_overflow) {
    builder.out_of_range();
    return refuse(invalid_fields(builder.errors()));
  }
  if (ec == boost::json::error::object_too_large) return refuse(invalid_fields(builder.errors()));
  if (ec) return refuse(ProblemCode::malformed_json, describe(ec, builder.repeated()));
  if (!builder.errors().empty()) return refuse(invalid_fields(builder.errors()));
  return builder.take();
}

}  // namespace um::api

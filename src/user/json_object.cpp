#include "user/json_object.hpp"

#include <cmath>
#include <set>

#include <boost/json/basic_parser_impl.hpp>

#include "user/json_handler.hpp"
#include "user/text.hpp"

namespace um {

namespace {

namespace json = boost::json;
using Code = boost::json::error_code;

// The events of the parser, written out again as compact text. Members of the outermost object are
// collected on the way.
class Collector : public JsonHandler {
 public:
  bool on_object_begin(Code&) {
    begin_value();
    open('{');
    return true;
  }
  bool on_object_end(std::size_t, Code&) { return close('}', JsonKind::object); }
  bool on_array_begin(Code& code) {
    if (levels_.empty()) return stop(JsonProblem::not_an_object, code);
    begin_value();
    open('[');
    return true;
  }
  bool on_array_end(std::size_t, Code&) { return close(']', JsonKind::array); }

  bool on_key_part(json::string_view part, std::size_t, Code&) {
    pending_ += std::string_view{part.data(), part.size()};
    return true;
  }
  bool on_key(json::string_view part, std::size_t, Code& code) {
    const std::string name = finish_pending(part);
    if (name.find('\0') != std::string::npos) return stop(JsonProblem::nul_character, code);
    if (!levels_.back().names.insert(name).second) return stop(JsonProblem::duplicate_member, code);
    separate();
    append_json_string(object_.compact, name);
    object_.compact += ':';
    after_name_ = true;
    if (levels_.size() == 1) object_.members.push_back({.name = name});
    return true;
  }

  bool on_string_part(json::string_view part, std::size_t, Code&) {
    pending_ += std::string_view{part.data(), part.size()};
    return true;
  }
  bool on_string(json::string_view part, std::size_t, Code& code) {
    if (levels_.empty()) return stop(JsonProblem::not_an_object, code);
    const std::string text = finish_pending(part);
    if (text.find('\0') != std::string::npos) return stop(JsonProblem::nul_character, code);
    begin_value();
    append_json_string(object_.compact, text);
    end_value(JsonKind::string);
    if (levels_.size() == 1) object_.members.back().text = text;
    return true;
  }

  bool on_number_part(json::string_view part, Code&) {
    pending_ += std::string_view{part.data(), part.size()};
    return true;
  }
  bool on_int64(std::int64_t, json::string_view part, Code& code) {
    return scalar(finish_pending(part), JsonKind::number, code);
  }
  bool on_uint64(std::uint64_t, json::string_view part, Code& code) {
    return scalar(finish_pending(part), JsonKind::number, code);
  }
  bool on_double(double value, json::string_view part, Code& code) {
    const std::string text = finish_pending(part);
    // An integer that arrives here did not fit 64 bits and has lost digits.
    const bool integer = text.find_first_of(".eE") == std::string::npos;
    if (integer || !std::isfinite(value)) return stop(JsonProblem::out_of_range, code);
    return scalar(text, JsonKind::number, code);
  }
  bool on_bool(bool value, Code& code) {
    return scalar(value ? "true" : "false", JsonKind::boolean, code);
  }
  bool on_null(Code& code) { return scalar("null", JsonKind::null, code); }

  JsonObject take() { return std::move(object_); }
  JsonProblem problem() const { return problem_; }

 private:
  struct Level {
    std::set<std::string> names{};
    bool empty = true;
  };

  bool stop(JsonProblem problem, Code& code) {
    problem_ = problem;
    code = json::error::syntax;
    return false;
  }
  std::string finish_pending(json::string_view part) {
    pending_ += std::string_view{part.data(), part.size()};
    return std::exchange(pending_, {});
  }
  void separate() {
    if (!levels_.back().empty) object_.compact += ',';
    levels_.back().empty = false;
  }
  void begin_value() {
    if (!levels_.empty() && !std::exchange(after_name_, false)) separate();
    if (levels_.size() == 1) value_start_ = object_.compact.size();
  }
  void end_value(JsonKind kind) {
    if (levels_.size() != 1) return;
    object_.members.back().kind = kind;
    object_.members.back().text = object_.compact.substr(value_start_);
  }
  bool scalar(const std::string& text, JsonKind kind, Code& code) {
    if (levels_.empty()) return stop(JsonProblem::not_an_object, code);
    begin_value();
    object_.compact += text;
    end_value(kind);
    return true;
  }
  void open(char bracket) {
    object_.compact += bracket;
    levels_.emplace_back();
  }
  bool close(char bracket, JsonKind kind) {
    object_.compact += bracket;
    levels_.pop_back();
    end_value(kind);
    return true;
  }

  JsonObject object_;
  JsonProblem problem_ = JsonProblem::syntax;
  std::vector<Level> levels_;
  std::string pending_;  // the parts of a name, string or number so far
  std::size_t value_start_ = 0;
  bool after_name_ = false;
};

}  // namespace

std::string_view describe(JsonProblem problem) {
  switch (problem) {
    case JsonProblem::syntax:
      return "is not valid JSON";
    case JsonProblem::not_an_object:
      return "must be a JSON object";
    case JsonProblem::too_deep:
      return "nests too deeply";
    case JsonProblem::duplicate_member:
      return "has the same member twice";
    case JsonProblem::nul_character:
      return "contains the character U+0000";
    case JsonProblem::out_of_range:
      return "contains a number that is out of range";
  }
  return "is not valid JSON";
}

std::expected<JsonObject, JsonProblem> read_json_object(std::string_view text,
                                                        std::size_t max_depth) {
  json::parse_options options;
  options.max_depth = max_depth;
  json::basic_parser<Collector> parser{options};
  Code code;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), code);
  if (code == json::error::too_deep) return std::unexpected(JsonProblem::too_deep);
  if (code) return std::unexpected(parser.handler().problem());
  // The parser stops after the value; anything but white space behind it is not JSON.
  if (text.find_first_not_of(" \t\r\n", used) != std::string_view::npos)
    return std::unexpected(JsonProblem::syntax);
  return parser.handler().take();
}

}  // namespace um

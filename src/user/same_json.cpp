#include "user/same_json.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>

#include "user/exact_number.hpp"
#include "user/json_handler.hpp"
#include "user/json_object.hpp"
#include "user/text.hpp"

namespace um {

namespace {

namespace json = boost::json;
using Code = boost::json::error_code;

// The events of the parser as a text that is the same for all texts that say the same. Not JSON:
// only to be compared.
class Normalizer : public JsonHandler {
 public:
  bool on_object_begin(Code&) { return open(); }
  bool on_array_begin(Code&) { return open(); }
  bool on_array_end(std::size_t, Code& code) { return add('[' + close().items + ']', code); }
  bool on_object_end(std::size_t, Code& code) {
    const Level object = close();
    std::string text = "{";
    for (const auto& [name, value] : object.members)
      text.append(name).append(":").append(value).append(",");
    return add(text + '}', code);
  }
  bool on_key_part(json::string_view part, std::size_t, Code&) { return keep(part); }
  bool on_key(json::string_view part, std::size_t, Code&) {
    keep(part);
    levels_.back().name = quoted(take());
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, Code&) { return keep(part); }
  bool on_string(json::string_view part, std::size_t, Code& code) {
    keep(part);
    return add(quoted(take()), code);
  }
  bool on_number_part(json::string_view part, Code&) { return keep(part); }
  bool on_int64(std::int64_t, json::string_view part, Code& code) { return number(part, code); }
  bool on_uint64(std::uint64_t, json::string_view part, Code& code) { return number(part, code); }
  bool on_double(double, json::string_view part, Code& code) { return number(part, code); }
  bool on_bool(bool value, Code& code) { return add(value ? "true" : "false", code); }
  bool on_null(Code& code) { return add("null", code); }

  std::string result() { return std::move(result_); }

 private:
  struct Level {
    std::map<std::string, std::string> members{};
    std::string items{};
    std::optional<std::string> name{};  // of the member whose value comes next
  };

  static std::string quoted(const std::string& text) {
    std::string out;
    append_json_string(out, text);
    return out;
  }
  bool keep(json::string_view part) {
    pending_.append(part.data(), part.size());
    return true;
  }
  std::string take() { return std::exchange(pending_, {}); }
  bool open() {
    levels_.emplace_back();
    return true;
  }
  Level close() {
    Level level = std::move(levels_.back());
    levels_.pop_back();
    return level;
  }
  bool number(json::string_view part, Code& code) {
    keep(part);
    const auto value = ExactNumber::read(take());
    if (!value) return stop(code);
    std::string text = value->negative ? "-" : "";
    return add(text.append(value->digits).append("e").append(std::to_string(value->point)), code);
  }
  bool add(std::string text, Code& code) {
    if (levels_.empty()) {
      result_ = std::move(text);
    } else if (auto name = std::exchange(levels_.back().name, std::nullopt)) {
      if (!levels_.back().members.emplace(std::move(*name), std::move(text)).second)
        return stop(code);
    } else {
      levels_.back().items += text + ',';
    }
    return true;
  }
  static bool stop(Code& code) {
    code = json::error::syntax;
    return false;
  }

  std::vector<Level> levels_;
  std::string pending_;  // the parts of a name, string or number so far
  std::string result_;
};

std::optional<std::string> normalized(std::string_view text) {
  json::parse_options options;
  options.max_depth = kMaxJsonDepth;
  json::basic_parser<Normalizer> parser{options};
  Code code;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), code);
  if (code || text.find_first_not_of(" \t\r\n", used) != std::string_view::npos)
    return std::nullopt;
  return parser.handler().result();
}

}  // namespace

bool same_json(std::string_view one, std::string_view other) {
  if (one == other) return true;
  const auto first = normalized(one);
  return first && first == normalized(other);
}

}  // namespace um

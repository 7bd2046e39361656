#include "support/json.hpp"

#include <regex>
#include <stdexcept>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace um::e2e {
namespace {

namespace json = boost::json;

std::string complain(const std::string& path, const std::string& what, const json::value& actual) {
  return (path.empty() ? "(root)" : path) + ": expected " + what + ", got " +
         json::serialize(actual);
}

std::string mismatch_special(std::string_view wanted, const json::value& actual,
                             const std::string& path) {
  static const std::regex kTime{R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z)"};
  constexpr std::string_view kMatch = "@match:";
  bool fits = false;
  if (wanted == "@any") {
    fits = true;
  } else if (wanted == "@string") {
    fits = actual.is_string();
  } else if (wanted == "@number") {
    fits = actual.is_number();
  } else if (wanted == "@time") {
    fits = actual.is_string() && std::regex_match(std::string{actual.get_string()}, kTime);
  } else if (wanted.starts_with(kMatch)) {
    const std::regex pattern{std::string{wanted.substr(kMatch.size())}};
    fits = actual.is_string() && std::regex_search(std::string{actual.get_string()}, pattern);
  } else {
    fits = actual.is_string() && actual.get_string() == wanted;
  }
  return fits ? "" : complain(path, std::string{wanted}, actual);
}

std::string mismatch_object(const json::object& pattern, const json::value& actual,
                            const std::string& path) {
  if (!actual.is_object()) return complain(path, "an object", actual);
  for (const auto& [name, expected] : pattern) {
    const std::string member_path = path + "/" + std::string{name};
    const json::value* found = actual.get_object().if_contains(name);
    if (expected == "@absent") {
      if (found != nullptr) return complain(member_path, "no such member", *found);
      continue;
    }
    if (found == nullptr) return complain(member_path, json::serialize(expected), actual);
    if (auto why = mismatch(expected, *found, member_path); !why.empty()) return why;
  }
  return "";
}

std::string mismatch_array(const json::array& pattern, const json::value& actual,
                           const std::string& path) {
  if (!actual.is_array() || actual.get_array().size() != pattern.size()) {
    return complain(path, json::serialize(pattern), actual);
  }
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const std::string element_path = path + "/" + std::to_string(i);
    if (auto why = mismatch(pattern[i], actual.get_array()[i], element_path); !why.empty()) {
      return why;
    }
  }
  return "";
}

}  // namespace

std::string mismatch(const json::value& pattern, const json::value& actual,
                     const std::string& path) {
  if (pattern.is_string()) return mismatch_special(pattern.get_string(), actual, path);
  if (pattern.is_object()) return mismatch_object(pattern.get_object(), actual, path);
  if (pattern.is_array()) return mismatch_array(pattern.get_array(), actual, path);
  const bool equal = pattern.is_number() && actual.is_number()
                         ? !(pattern.to_number<double>() < actual.to_number<double>()) &&
                               !(actual.to_number<double>() < pattern.to_number<double>())
                         : pattern == actual;
  return equal ? "" : complain(path, json::serialize(pattern), actual);
}

json::value parse_json(std::string_view text) {
  boost::system::error_code error;
  auto value = json::parse(json::string_view{text.data(), text.size()}, error);
  if (error) throw std::runtime_error("not JSON (" + error.message() + "): " + std::string{text});
  return value;
}

std::string text_at(const json::value& value, std::string_view pointer) {
  boost::system::error_code error;
  const auto* found = value.find_pointer(json::string_view{pointer.data(), pointer.size()}, error);
  if (found == nullptr) return "";
  return found->is_string() ? std::string{found->get_string()} : json::serialize(*found);
}

bool has_member_anywhere(const json::value& value, std::string_view name) {
  if (const auto* object = value.if_object()) {
    for (const auto& [key, member] : *object) {
      if (std::string_view{key.data(), key.size()} == name || has_member_anywhere(member, name)) {
        return true;
      }
    }
  }
  if (const auto* array = value.if_array()) {
    for (const auto& element : *array) {
      if (has_member_anywhere(element, name)) return true;
    }
  }
  return false;
}

}  // namespace um::e2e

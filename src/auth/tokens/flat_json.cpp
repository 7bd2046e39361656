#include "auth/tokens/flat_json.hpp"

#include <algorithm>

#include <boost/json/basic_parser_impl.hpp>
#include <fmt/format.h>

namespace um {
namespace {

using boost::json::error_code;
using boost::json::string_view;

class Handler {
 public:
  static constexpr std::size_t max_object_size = FlatJson::kMaxMembers;
  static constexpr std::size_t max_array_size = 1;
  static constexpr std::size_t max_key_size = 1024;
  static constexpr std::size_t max_string_size = 4096;

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code& ec) {
    if (inside_) return refuse(ec);
    inside_ = true;
    return true;
  }
  bool on_object_end(std::size_t, error_code&) { return true; }
  bool on_array_begin(error_code& ec) { return refuse(ec); }
  bool on_array_end(std::size_t, error_code& ec) { return refuse(ec); }

  bool on_key_part(string_view part, std::size_t, error_code&) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_key(string_view part, std::size_t size, error_code& ec) {
    on_key_part(part, size, ec);
    const auto same = [this](const FlatJson::Member& member) { return member.name == text_; };
    if (std::ranges::any_of(members, same)) return refuse(ec);
    members.push_back({.name = std::exchange(text_, {}), .value = {}});
    return true;
  }
  bool on_string_part(string_view part, std::size_t, error_code& ec) {
    if (!inside_) return refuse(ec);
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_string(string_view part, std::size_t size, error_code& ec) {
    return on_string_part(part, size, ec) && set(std::exchange(text_, {}), ec);
  }
  bool on_number_part(string_view, error_code&) { return true; }
  bool on_int64(std::int64_t value, string_view, error_code& ec) { return set(value, ec); }
  bool on_uint64(std::uint64_t, string_view, error_code& ec) { return set({}, ec); }
  bool on_double(double, string_view, error_code& ec) { return set({}, ec); }
  bool on_bool(bool, error_code& ec) { return set({}, ec); }
  bool on_null(error_code& ec) { return set({}, ec); }
  bool on_comment_part(string_view, error_code& ec) { return refuse(ec); }
  bool on_comment(string_view, error_code& ec) { return refuse(ec); }

  std::vector<FlatJson::Member> members;

 private:
  static bool refuse(error_code& ec) {
    ec = boost::json::make_error_code(boost::json::error::syntax);
    return false;
  }
  bool set(FlatJson::Value value, error_code& ec) {
    if (!inside_) return refuse(ec);
    members.back().value = std::move(value);
    return true;
  }

  bool inside_ = false;
  std::string text_;
};

}  // namespace

std::optional<FlatJson> FlatJson::parse(std::string_view text) {
  boost::json::basic_parser<Handler> parser{boost::json::parse_options{}};
  error_code ec;
  const std::size_t consumed = parser.write_some(false, text.data(), text.size(), ec);
  if (ec || consumed != text.size() || !parser.done()) return std::nullopt;
  FlatJson object;
  object.members_ = std::move(parser.handler().members);
  return object;
}

const FlatJson::Value* FlatJson::find(std::string_view name) const {
  const auto found = std::ranges::find(members_, name, &Member::name);
  return found == members_.end() ? nullptr : &found->value;
}

const std::string* FlatJson::string(std::string_view name) const {
  const Value* value = find(name);
  return value == nullptr ? nullptr : std::get_if<std::string>(value);
}

const std::int64_t* FlatJson::integer(std::string_view name) const {
  const Value* value = find(name);
  return value == nullptr ? nullptr : std::get_if<std::int64_t>(value);
}

std::string json_quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      quoted += c;
    }
  }
  quoted += '"';
  return quoted;
}

}  // namespace um

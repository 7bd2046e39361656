#include "config/config_file.hpp"

#include <fstream>
#include <system_error>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "base/printable.hpp"

namespace um {
namespace {

constexpr std::size_t kMaxBytes = 1U << 20U;

std::unexpected<Error> bad_file(std::string line) {
  return fail(ErrorCode::invalid, std::move(line));
}

Result<std::string> read_all(const std::string& path) {
  errno = 0;
  std::ifstream in{path, std::ios::binary};
  std::string text(kMaxBytes + 1, '\0');
  if (in) in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.eof() && !in) {
    const auto reason = std::error_code{errno, std::generic_category()}.message();
    return bad_file(fmt::format("config: cannot read {}: {}", printable(path), reason));
  }
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kMaxBytes)
    return bad_file(fmt::format("config: {} is over 1 MiB", printable(path)));
  return text;
}

std::optional<std::string> join_strings(const toml::array& array) {
  std::string out;
  for (const toml::node& element : array) {
    const auto text = element.value_exact<std::string>();
    if (!text || text->find(',') != std::string::npos) return std::nullopt;
    if (!out.empty()) out += ',';
    out += *text;
  }
  return out;
}

std::optional<std::string> text_of(const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) return text;
  if (const auto number = node.value_exact<std::int64_t>()) return std::to_string(*number);
  if (const auto* array = node.as_array()) return join_strings(*array);
  return std::nullopt;
}

}  // namespace

Result<std::map<std::string, FileValue>> read_config_file(const std::string& path) {
  const auto text = read_all(path);
  if (!text) return fail(text.error());
  toml::table table;
  try {
    table = toml::parse(*text, path);
  } catch (const toml::parse_error& error) {
    return bad_file(fmt::format("config: {}:{}: {}", printable(path), error.source().begin.line,
                                printable(error.description())));
  }
  std::map<std::string, FileValue> values;
  for (const auto& [key, node] : table) {
    const std::string name = printable(key.str());
    const std::string origin = fmt::format("{}:{}", printable(path), node.source().begin.line);
    auto value = text_of(node);
    if (!value && node.is_table()) {
      return bad_file(fmt::format(
          "{} ({}): there are no sections; allowed: the settings at the top level", name, origin));
    }
    if (!value) {
      return bad_file(fmt::format("{} ({}): not a string, a whole number or an array of strings",
                                  name, origin));
    }
    values.emplace(key.str(), FileValue{.text = std::move(*value), .origin = origin});
  }
  return values;
}

}  // namespace um

// The kinds of settings: how each is read, bounded and written. Used by the table only.
#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "config/setting.hpp"
#include "config/units.hpp"

namespace um::setting_kinds {

// The members that rows of all kinds have.
struct Row {
  std::string_view name;
  std::string_view help;
};

template <class T>
struct Bounds {
  T min;
  T max;
};

// `plain_seconds`: a number without a unit counts seconds.
struct DurationForm {
  bool plain_seconds = false;
};

template <class D>
Setting duration(Row row, D Config::* member, Bounds<std::chrono::milliseconds> bounds,
                 DurationForm form = {}) {
  Setting setting{.name = row.name, .placeholder = "DURATION", .help = row.help};
  setting.allowed = fmt::format(
      "a duration from {} to {} in ms, s, min, h or d, such as {}{}", format_duration(bounds.min),
      format_duration(bounds.max),
      format_duration(std::max<std::chrono::milliseconds>(Config{}.*member, bounds.min)),
      form.plain_seconds ? "; a plain number counts seconds" : "");
  setting.assign = [=](Config& config, std::string_view text) {
    auto value = parse_duration(text);
    if (!value && form.plain_seconds) value = parse_duration(std::string{text} + "s");
    if (!value || *value < bounds.min || *value > bounds.max) return false;
    const auto exact = std::chrono::duration_cast<D>(*value);
    if (exact != *value) return false;  // finer than the setting
    config.*member = exact;
    return true;
  };
  setting.show = [=](const Config& config) { return format_duration(config.*member); };
  return setting;
}

template <std::integral N>
Setting number(Row row, N Config::* member, Bounds<std::uint64_t> bounds) {
  Setting setting{.name = row.name, .placeholder = "NUMBER", .help = row.help};
  setting.allowed = fmt::format("a whole number from {} to {}", bounds.min, bounds.max);
  setting.assign = [=](Config& config, std::string_view text) {
    const auto value = parse_whole_number(text);
    if (!value || *value < bounds.min || *value > bounds.max) return false;
    config.*member = static_cast<N>(*value);
    return true;
  };
  setting.show = [=](const Config& config) { return std::to_string(config.*member); };
  return setting;
}

template <class E, std::size_t N>
Setting choice(Row row, E Config::* member, std::array<std::pair<std::string_view, E>, N> names) {
  Setting setting{.name = row.name, .placeholder = "NAME", .help = row.help};
  for (const auto& [name, value] : names) {
    if (!setting.allowed.empty()) setting.allowed += name == names.back().first ? " or " : ", ";
    setting.allowed += name;
  }
  setting.assign = [=](Config& config, std::string_view text) {
    for (const auto& [name, value] : names) {
      if (name != text) continue;
      config.*member = value;
      return true;
    }
    return false;
  };
  setting.show = [=](const Config& config) -> std::string {
    for (const auto& [name, value] : names) {
      if (value == config.*member) return std::string{name};
    }
    return {};
  };
  return setting;
}

Setting bytes(Row row, std::uint64_t Config::* member, Bounds<std::uint64_t> bounds);
// A path, or none if empty.
Setting optional_path(Row row, std::optional<std::string> Config::* member);
Setting listen_address(Row row);
Setting database_url(Row row);
Setting redis_url(Row row);
Setting issuer(Row row);
Setting networks(Row row, std::vector<IpNetwork> Config::* member);

}  // namespace um::setting_kinds

// Setting: one row of the table of settings, and the table.
//
// A value is text until `assign` accepts it. The flag, the environment variable, the key of the
// file, the help text, `user-manager config` and the table in the documentation are made from this
// row.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

namespace um {

struct Setting {
  std::string_view name;         // "cache-ttl"
  std::string_view placeholder;  // of the value, in the help: "DURATION"
  std::string_view help;         // a phrase, without the default
  std::string allowed{};         // ends "allowed: …": "a duration from 1s to 1d, such as 5min"
  std::string default_text{};    // for people: "5min", "none", "number of cores"
  bool secret = false;           // the value may hold a password: no message repeats it

  // Stores the value; false, and nothing changed, if it is not allowed.
  std::function<bool(Config&, std::string_view)> assign{};
  // The value in the form that `assign` takes, with passwords masked; empty: none.
  std::function<std::string(const Config&)> show{};

  std::string flag() const;      // "--cache-ttl"
  std::string variable() const;  // "USER_MANAGER_CACHE_TTL"
};

// In the order in which help and the documentation show them.
std::vector<Setting> make_setting_table();

inline constexpr std::string_view kVariablePrefix = "USER_MANAGER_";
inline constexpr std::string_view kConfigFileVariable = "USER_MANAGER_CONFIG";

// The table as Markdown, for README.md.
std::string settings_markdown();

}  // namespace um

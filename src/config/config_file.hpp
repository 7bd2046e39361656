// The TOML file of --config, as text by key. Types and ranges are checked where every source is.
#pragma once

#include <map>
#include <string>

#include "base/error.hpp"

namespace um {

struct FileValue {
  std::string text;    // numbers in decimal; the elements of an array joined with commas
  std::string origin;  // "um.toml:3"
};

// ErrorCode::invalid with one line: not readable, over 1 MiB, no TOML, a table, or a value that is
// neither a string, a whole number nor an array of strings.
Result<std::map<std::string, FileValue>> read_config_file(const std::string& path);

}  // namespace um

// Files that settings name. What is wrong with one is said in one line, in words of this program
// and not of the library that would have read it. Thread safety: any thread; may block in the file
// system.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace um {

struct SettingFile {
  std::string_view setting;  // "tls-key"
  const std::string& path;
};

// invalid: there is none, it is a directory, may not be read, or is empty. Does not open it: the
// end of a pipe (`<(…)` of a shell) can be read once only.
Result<void> check_setting_file(SettingFile file);

// The same, or it is larger than 64 KiB.
Result<Secret> read_setting_file(SettingFile file);

}  // namespace um

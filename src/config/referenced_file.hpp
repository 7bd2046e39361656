// Files that settings refer to, such as tls-key; the file of --config is config_file.hpp. An error
// is one line in the words of this program, not of the library that would have read the file.
// Thread safety: any thread; may block in the file system.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace um {

struct ReferencedFile {
  std::string_view setting;  // "tls-key"
  const std::string& path;
};

// invalid: the file does not exist, is a directory or empty, or may not be read. Does not open it:
// the end of a pipe (`<(…)` of a shell) can be read once only.
Result<void> check_referenced_file(ReferencedFile file);

// invalid: as above, or the file is larger than 64 KiB.
Result<Secret> read_referenced_file(ReferencedFile file);

}  // namespace um

// TempDir: a new empty directory that is removed with everything in it. Thread safety: none needed.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace um::e2e {

class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::filesystem::path& path() const { return path_; }
  // Absolute path of `name` in it.
  std::string file(std::string_view name) const { return (path_ / name).string(); }
  // Writes a file and answers its absolute path.
  std::string write(std::string_view name, std::string_view content) const;

 private:
  std::filesystem::path path_;
};

std::string read_file(const std::string& path);

}  // namespace um::e2e

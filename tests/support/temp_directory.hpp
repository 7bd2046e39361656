// TempDirectory: a new empty directory that the destructor removes with its content. Header only,
// for tests that do not link the support library. Failures throw std::runtime_error. Thread safety:
// none.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace um::test {

class TempDirectory {
 public:
  TempDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "um-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    path_ = name;
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  ~TempDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }
  // Absolute path of `name` in it.
  std::string file(std::string_view name) const { return (path_ / name).string(); }
  // Writes a file and returns its absolute path.
  std::string write(std::string_view name, std::string_view content) const {
    std::string target = file(name);
    std::ofstream out{target, std::ios::binary};
    out << content;
    if (!out.flush()) throw std::runtime_error("cannot write " + target);
    return target;
  }

 private:
  std::filesystem::path path_;
};

inline std::string read_file(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  if (!in) throw std::runtime_error("cannot read " + path);
  std::ostringstream out;
  out << in.rdbuf();
  return std::move(out).str();
}

}  // namespace um::test

#include "config/referenced_file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/printable.hpp"

namespace um {
namespace {

constexpr std::size_t kMaxSecretBytes = 64UL * 1024;

std::unexpected<Error> bad(ReferencedFile file, const std::string& what) {
  const std::string path = printable(file.path, {.escapes = Escapes::display});
  return fail(ErrorCode::invalid, std::string{file.setting} + ": " + path + " " + what);
}

std::unexpected<Error> unreadable(ReferencedFile file, int error) {
  return bad(file, std::string{"cannot be read: "} + std::strerror(error));
}

}  // namespace

Result<void> check_referenced_file(ReferencedFile file) {
  struct stat found{};
  if (::stat(file.path.c_str(), &found) != 0) return unreadable(file, errno);
  if (S_ISDIR(found.st_mode)) return bad(file, "is a directory");
  if (::faccessat(AT_FDCWD, file.path.c_str(), R_OK, AT_EACCESS) != 0)
    return unreadable(file, errno);
  if (S_ISREG(found.st_mode) && found.st_size == 0) return bad(file, "is empty");
  return {};
}

Result<Secret> read_referenced_file(ReferencedFile file) {
  if (const auto checked = check_referenced_file(file); !checked)
    return std::unexpected(checked.error());
  std::ifstream in{file.path, std::ios::binary};
  std::string bytes(kMaxSecretBytes + 1, '\0');
  if (in) in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  Secret content{std::move(bytes)};
  if (content.reveal().size() > kMaxSecretBytes)
    return bad(file, fmt::format("is larger than {} KiB", kMaxSecretBytes / 1024));
  if (!in.eof()) return bad(file, "cannot be read");
  if (content.empty()) return bad(file, "is empty");
  return content;
}

}  // namespace um

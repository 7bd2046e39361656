#include "cli/import_state.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "cli/messages.hpp"
#include "config/units.hpp"

namespace um {
namespace {

constexpr std::string_view kTitle = "user-manager import state 2";

std::optional<std::string> read_word(std::istream& in, std::string_view name) {
  std::string word;
  std::string value;
  if (!(in >> word >> value) || word != name) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> read_number(std::istream& in, std::string_view name) {
  const auto value = read_word(in, name);
  return value ? parse_whole_number(*value) : std::nullopt;
}

std::optional<ImportState> parse(std::istream& in) {
  std::string title;
  ImportState state;
  constexpr std::string_view kDatabase = "database ";
  if (!std::getline(in, title) || title != kTitle) return std::nullopt;
  if (!std::getline(in, state.database) || !state.database.starts_with(kDatabase))
    return std::nullopt;
  state.database.erase(0, kDatabase.size());
  const auto bytes = read_number(in, "bytes");
  const auto read = read_number(in, "read");
  auto sha256 = read_word(in, "sha256");
  const auto line = read_number(in, "line");
  const auto imported = read_number(in, "imported");
  const auto failed = read_number(in, "failed");
  if (!bytes || !read || !sha256 || !line || *line > INT64_MAX || !imported || !failed)
    return std::nullopt;
  state.file_bytes = *bytes;
  state.read_bytes = *read;
  state.read_sha256 = *std::move(sha256);
  state.line = static_cast<std::int64_t>(*line);
  state.imported = *imported;
  state.failed = *failed;
  return state;
}

}  // namespace

Result<std::optional<ImportState>> ImportStateFile::load() const {
  std::ifstream in{path_};
  if (!in) return std::optional<ImportState>{};
  auto state = parse(in);
  if (!state) return misuse(shown(path_) + " is damaged; remove it and use --resume");
  return state;
}

bool ImportStateFile::save(const ImportState& state) const {
  const std::string next = path_ + ".new";
  std::ofstream out{next, std::ios::trunc};
  out << kTitle << "\ndatabase " << state.database << "\nbytes " << state.file_bytes << "\nread "
      << state.read_bytes << "\nsha256 " << state.read_sha256 << "\nline " << state.line
      << "\nimported " << state.imported << "\nfailed " << state.failed << '\n';
  out.close();
  return out && std::rename(next.c_str(), path_.c_str()) == 0;
}

void ImportStateFile::remove() const {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

}  // namespace um

// How far an import of a file came, recorded beside the file, so that it can go on after Ctrl-C, a
// crash or a full disk. It only saves work: `--resume` skips users who are there already, recorded
// or not.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.hpp"

namespace um {

struct ImportState {
  std::string database;          // where the users went: database_identity()
  std::uint64_t file_bytes = 0;  // size of the input: another one means another file
  std::uint64_t read_bytes = 0;  // how much of it was read up to `line` or a little further
  std::string read_sha256{};     // of these bytes, as hexadecimal digits
  std::int64_t line = 0;         // records that begin up to here are done
  std::uint64_t imported = 0;
  std::uint64_t failed = 0;
  bool operator==(const ImportState&) const = default;
};

class ImportStateFile {
 public:
  explicit ImportStateFile(const std::string& input) : path_{input + ".import-state"} {}

  const std::string& path() const { return path_; }
  // nullopt: there is none. ErrorCode::invalid: it is there and cannot be understood.
  Result<std::optional<ImportState>> load() const;
  // Replaces the file in one step. False if it cannot be written.
  bool save(const ImportState& state) const;
  void remove() const;

 private:
  std::string path_;
};

}  // namespace um

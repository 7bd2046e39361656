// DatabaseProbe: another program's connection to the SQLite file. Thread safety: one thread at a
// time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

struct sqlite3;

namespace um::e2e {

class DatabaseProbe {
 public:
  // Throws std::runtime_error, as every function does on an SQLite error.
  enum class Missing { refuse, create };
  explicit DatabaseProbe(const std::string& path, Missing missing = Missing::refuse);
  ~DatabaseProbe();
  DatabaseProbe(const DatabaseProbe&) = delete;
  DatabaseProbe& operator=(const DatabaseProbe&) = delete;

  void execute(const std::string& sql);
  // The first column of every row, as text.
  std::vector<std::string> column(const std::string& sql);
  std::string value(const std::string& sql);

  // The result of PRAGMA integrity_check; "ok" if the file is sound.
  std::string integrity() { return value("PRAGMA integrity_check"); }

 private:
  sqlite3* connection_ = nullptr;
};

// Holds the write lock of the database (BEGIN EXCLUSIVE) during its lifetime.
class HeldDatabase {
 public:
  explicit HeldDatabase(const std::string& path);
  ~HeldDatabase();

 private:
  DatabaseProbe probe_;
};

}  // namespace um::e2e

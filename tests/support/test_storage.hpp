// TestStorage: the database of a server under test. The same scenarios run on every set-up of the
// product; UM_TEST_SET_UP selects the set-up of this process (sqlite, postgresql, postgresql_redis;
// unset: sqlite).
//
// Thread safety: one thread at a time; the texts from any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace um::e2e {

enum class SetUp { sqlite, postgresql, postgresql_redis };
SetUp set_up();

class TestStorage {
 public:
  virtual ~TestStorage() = default;
  // The value for --database.
  virtual std::string database() const = 0;
  // Further arguments of `serve`.
  virtual std::vector<std::string> serve_arguments() const { return {}; }
  // Runs a statement as another program would, and commits. Throws if it fails.
  virtual void execute(const std::string& sql) = 0;
};

// A new and empty database. `directory`: for files.
std::unique_ptr<TestStorage> make_test_storage(const std::string& directory);
// A SQLite file at `path`, which may exist.
std::unique_ptr<TestStorage> sqlite_test_storage(std::string path);

}  // namespace um::e2e

#include "support/test_storage.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string_view>

#include "support/database_probe.hpp"
#include "support/postgres_database.hpp"
#include "support/redis_server.hpp"

namespace um::e2e {
namespace {

class SqliteTestStorage final : public TestStorage {
 public:
  explicit SqliteTestStorage(std::string path) : path_{std::move(path)} {}
  std::string database() const override { return "sqlite:" + path_; }
  void execute(const std::string& sql) override { DatabaseProbe{path_}.execute(sql); }

 private:
  std::string path_;
};

class PostgresTestStorage : public TestStorage {
 public:
  std::string database() const override { return database_.url(); }
  void execute(const std::string& sql) override { database_.session().execute(sql); }

 private:
  test::TestDatabase database_;
};

class PostgresRedisTestStorage final : public PostgresTestStorage {
 public:
  std::vector<std::string> serve_arguments() const override { return {"--redis", redis_.url()}; }

 private:
  RedisServer redis_;
};

}  // namespace

SetUp set_up() {
  const char* name = std::getenv("UM_TEST_SET_UP");  // NOLINT(concurrency-mt-unsafe)
  const std::string_view wanted = name == nullptr ? "sqlite" : name;
  if (wanted == "sqlite") return SetUp::sqlite;
  if (wanted == "postgresql") return SetUp::postgresql;
  if (wanted == "postgresql_redis") return SetUp::postgresql_redis;
  throw std::runtime_error("UM_TEST_SET_UP is none of sqlite, postgresql, postgresql_redis");
}

std::unique_ptr<TestStorage> sqlite_test_storage(std::string path) {
  return std::make_unique<SqliteTestStorage>(std::move(path));
}

std::unique_ptr<TestStorage> make_test_storage(const std::string& directory) {
  switch (set_up()) {
    case SetUp::sqlite:
      return sqlite_test_storage(directory + "/users.db");
    case SetUp::postgresql:
      return std::make_unique<PostgresTestStorage>();
    case SetUp::postgresql_redis:
      return std::make_unique<PostgresRedisTestStorage>();
  }
  throw std::logic_error("unknown set-up");
}

}  // namespace um::e2e

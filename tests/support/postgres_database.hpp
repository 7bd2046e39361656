// TestDatabase: a database of one test, made from a template with the schema, and dropped at the
// end.
//
// It is in the cluster that ctest starts for all tests (UM_TEST_POSTGRES names it). A test program
// that runs without ctest starts a cluster itself when it first needs one. fsync is off there.
// Tests that crash or configure a server start a PostgresServer instead.
//
// The owner of the schema is "um_owner", which has no privileges but to own databases. Thread
// safety: none.
#pragma once

#include <string>

#include "storage/postgres/blocking_connection.hpp"
#include "support/postgres_server.hpp"

namespace um::test {

inline constexpr const char* kOwner = "um_owner";

class TestDatabase {
 public:
  enum class Content { migrated, empty };
  explicit TestDatabase(Content content = Content::migrated);
  // In a server of the test. Calls prepare_templates() if that was not done yet.
  explicit TestDatabase(const PostgresServer& server, Content content = Content::migrated);
  ~TestDatabase();
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  // From now on it is the database of this name on another server: a standby that was promoted.
  void moved_to(const PostgresServer& server);

  const std::string& name() const { return name_; }
  std::string url() const { return url_as(kOwner); }
  std::string url_as(const std::string& user) const;

  BlockingConnection session() const { return session_as(kOwner); }
  BlockingConnection admin() const { return session_as("postgres"); }
  BlockingConnection session_as(const std::string& user) const;

 private:
  TestDatabase(std::string server_url, Content content);
  std::string server_url_;  // with USER and DATABASE in it
  std::string name_;
};

// T of this deployment becomes `bound`, for storages that write without a feed: such writes wait
// for T. PostgresOptions::times of a storage with a feed has to say the same.
inline constexpr std::chrono::milliseconds kShortBound{20};
void shorten_waits(const TestDatabase& database, std::chrono::milliseconds bound = kShortBound);

// Changes a setting of the server for all sessions, and waits until `admin` has it; empty: its
// default.
void alter_system(BlockingConnection& admin, const std::string& setting, const std::string& value);

// Makes the role um_owner and the database um_template with the migrated schema.
void prepare_templates(const PostgresServer& server);

// The URL of another database on the same server: URLs of test servers have a fixed form.
std::string server_url_of(const PostgresServer& server);

// Deletes the recorded cache keys and returns them, sorted and separated by spaces; "*" stands for
// every key.
inline std::string taken_changes(BlockingConnection& db) {
  return db.text(
      "WITH taken AS (DELETE FROM public.user_changes RETURNING ckey)"
      " SELECT coalesce(string_agg(coalesce(convert_from(ckey, 'UTF8'), '*'), ' '"
      " ORDER BY convert_from(ckey, 'UTF8') COLLATE \"C\"), '') FROM taken");
}

// The namespace; empty if there is none.
inline std::string name_space(BlockingConnection& db) {
  return db.text("SELECT coalesce(public.cache_namespace(), '')");
}

}  // namespace um::test

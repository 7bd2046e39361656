// TestDatabase: a database of a test's own, made from a template that already has the schema, and
// dropped at the end.
//
// Where: in the cluster that ctest starts for all tests (the fixture of um_pgtest(), named by
// UM_TEST_POSTGRES), or, in a test run by hand, in one that this process starts when it first needs
// it. fsync is off there; a test that crashes or configures a server starts a PostgresServer.
//
// The schema is owned by "um_owner", who may nothing but own databases. Thread safety: none.
#pragma once

#include <string>

#include "storage/postgres/session.hpp"
#include "support/postgres_server.hpp"

namespace um::test {

inline constexpr const char* kOwner = "um_owner";

class TestDatabase {
 public:
  enum class Content { migrated, empty };
  explicit TestDatabase(Content content = Content::migrated);
  // In a server of the test's own. prepare_templates() is called if nobody did.
  explicit TestDatabase(const PostgresServer& server, Content content = Content::migrated);
  ~TestDatabase();
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  const std::string& name() const { return name_; }
  std::string url() const { return url_as(kOwner); }
  std::string url_as(const std::string& user) const;

  PostgresSession session() const { return session_as(kOwner); }
  PostgresSession admin() const { return session_as("postgres"); }
  PostgresSession session_as(const std::string& user) const;

 private:
  TestDatabase(std::string server_url, Content content);
  std::string server_url_;  // with USER and DATABASE in it
  std::string name_;
};

// Makes the role um_owner and the database um_template with the migrated schema.
void prepare_templates(const PostgresServer& server);

// Another database's URL on the same server: users and databases stand in a URL at fixed places.
std::string server_url_of(const PostgresServer& server);

}  // namespace um::test

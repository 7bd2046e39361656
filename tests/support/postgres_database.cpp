#include "support/postgres_database.hpp"

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <unistd.h>

#include <gtest/gtest.h>

#include "storage/postgres/migrator.hpp"
#include "support/patience.hpp"

namespace um::test {

namespace {

std::string filled(std::string pattern, const PostgresLogin& login) {
  pattern.replace(pattern.find("USER"), 4, login.user);
  pattern.replace(pattern.rfind("DATABASE"), 8, login.database);
  return pattern;
}

BlockingConnection open(const std::string& server_url, const PostgresLogin& login) {
  return BlockingConnection{{.url = Secret{filled(server_url, login)}}};
}

// For making and dropping databases: a new session takes longer than either, so each thread keeps
// one.
void administer(const std::string& server_url, const std::string& sql) {
  thread_local std::optional<BlockingConnection> session;
  thread_local std::string of;
  if (session && of == server_url) {
    try {
      return session->execute(sql);
    } catch (const PostgresError&) {
      // The server was restarted, or the statement fails again.
    }
  }
  of = server_url;
  session.emplace(open(server_url, {}));
  session->execute(sql);
}

std::string next_name() {
  static std::atomic<int> count = 0;
  return "um_" + std::to_string(::getpid()) + '_' + std::to_string(++count);
}

std::string prepared(const PostgresServer& server) {
  auto db = open(server_url_of(server), {});
  if (db.integer("SELECT count(*) FROM pg_database WHERE datname = 'um_template'") == 0)
    prepare_templates(server);
  return server_url_of(server);
}

std::string shared_server_url() {
  if (const char* file = std::getenv("UM_TEST_POSTGRES")) {
    std::string url;
    if (std::ifstream stream{file}; std::getline(stream, url)) return url;
    throw std::runtime_error(std::string{"there is no cluster behind "} + file);
  }
  static const PostgresServer server;
  return prepared(server);
}

}  // namespace

std::string server_url_of(const PostgresServer& server) {
  return server.url({.user = "USER", .database = "DATABASE"});
}

void shorten_waits(const TestDatabase& database, std::chrono::milliseconds bound) {
  database.session().run(
      "UPDATE public.cache_settings SET staleness_bound_ms = $1, former_staleness_bound_ms = $1",
      {bound.count()});
}

void alter_system(BlockingConnection& admin, const std::string& setting, const std::string& value) {
  admin.execute("ALTER SYSTEM " +
                (value.empty() ? "RESET " + setting : "SET " + setting + " = '" + value + "'"));
  admin.execute("SELECT pg_reload_conf()");
  EXPECT_TRUE(e2e::eventually([&] {
    return admin.integer(
               "SELECT count(*) FROM pg_settings WHERE name = $1 AND (setting = $2 OR "
               "($2 = '' AND setting = boot_val))",
               {std::string_view{setting}, std::string_view{value}}) == 1;
  })) << setting;
}

void prepare_templates(const PostgresServer& server) {
  auto db = open(server_url_of(server), {});
  db.execute(std::string{"CREATE ROLE "} + kOwner + " LOGIN");
  db.execute(std::string{"CREATE DATABASE um_template OWNER "} + kOwner);
  const PostgresMigrator migrator{
      {.url = Secret{server.url({.user = kOwner, .database = "um_template"})}}};
  if (const auto done = migrator.apply(Misfits::refuse); !done)
    throw std::runtime_error("the template cannot be migrated: " + done.error().detail);
}

TestDatabase::TestDatabase(Content content) : TestDatabase{shared_server_url(), content} {}

TestDatabase::TestDatabase(const PostgresServer& server, Content content)
    : TestDatabase{prepared(server), content} {}

TestDatabase::TestDatabase(std::string server_url, Content content)
    : server_url_{std::move(server_url)}, name_{next_name()} {
  administer(server_url_, "CREATE DATABASE " + name_ + " OWNER " + kOwner +
                              (content == Content::migrated ? " TEMPLATE um_template" : "") +
                              " STRATEGY file_copy");
}

TestDatabase::~TestDatabase() {
  try {
    administer(server_url_, "DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)");
  } catch (const PostgresError&) {
    // The server has ended, and the database with it.
  }
}

void TestDatabase::moved_to(const PostgresServer& server) {
  server_url_ = server_url_of(server);
}

std::string TestDatabase::url_as(const std::string& user) const {
  return filled(server_url_, {.user = user, .database = name_});
}

BlockingConnection TestDatabase::session_as(const std::string& user) const {
  return open(server_url_, {.user = user, .database = name_});
}

}  // namespace um::test

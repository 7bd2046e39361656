// PostgresServer: a PostgreSQL cluster of one test, on a free loopback port in a temporary
// directory. The constructor makes it and the destructor removes it. If the test's process ends
// without the destructor, a watching shell ends the server and removes the directory.
//
// initdb refuses to run as root: then everything runs as the system's user postgres. Authentication
// is "trust"; the superuser is "postgres". Databases are UTF-8, locale C.UTF-8.
//
// Thread safety: none. Throws std::runtime_error with the server's message.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

#include "support/process.hpp"

namespace um::test {

// Parts of a connection URL.
struct PostgresLogin {
  std::string user = "postgres";
  std::string database = "postgres";
};

class PostgresServer {
 public:
  struct Options {
    std::vector<std::string>
        settings{};      // "wal_level=logical"; they override the settings used here
    bool fsync = false;  // no test needs data after a crash of the machine
    const PostgresServer* primary = nullptr;  // makes a standby of that server
  };
  PostgresServer() : PostgresServer{Options{}} {}
  explicit PostgresServer(Options options);
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  int port() const { return port_; }
  std::string url(const PostgresLogin& login = {}) const;
  const std::filesystem::path& data() const { return data_; }
  pid_t postmaster() const { return process_->pid(); }
  bool running() { return process_ && process_->running(); }

  // start() waits until the server accepts connections. The port stays the same.
  void start();
  enum class Stop { fast, immediate };
  void stop(Stop how = Stop::fast);
  void restart() {
    stop();
    start();
  }
  // SIGKILL, which the kernel sends when memory runs out. Only children of the postmaster are
  // killed.
  void kill_postmaster();
  void kill_backend(pid_t backend);

  // See test::psql.
  std::string psql(const std::string& script, const PostgresLogin& login = {}) const;
  // A cold copy of the stopped server, and its restoration. Only the last copy is kept.
  void copy_data() const;
  void put_copy_back() const;

  // The lines of its log since the last start.
  std::string log() const { return process_ ? process_->err() : std::string{}; }

 private:
  struct Watcher;
  e2e::Command command(const std::string& program, std::vector<std::string> arguments) const;

  Options options_;
  std::filesystem::path root_;
  std::filesystem::path data_;
  int port_ = 0;
  std::unique_ptr<Watcher> watcher_;
  std::unique_ptr<e2e::Process> process_;
};

// Runs a script with psql and returns its output (unaligned, rows only); throws if a statement
// fails. For COPY FROM stdin and dumps; statements are faster in a BlockingConnection.
std::string psql(const std::string& url, const std::string& script);
// The database as a script for psql. `options`: more of pg_dump's.
std::string pg_dump(const std::string& url, std::vector<std::string> options = {});

}  // namespace um::test

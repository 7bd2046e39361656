// ServerUnderTest: `user-manager serve` as a child process on a free loopback port, and the command
// line on the same database. Thread safety: endpoint() and client() from any thread, the rest from
// the owner.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/http_client.hpp"
#include "support/process.hpp"
#include "support/temp_directory.hpp"
#include "support/test_storage.hpp"

namespace um::e2e {

const std::string& program();  // path of the binary

struct ServeOptions {
  // Defaults: a free port, cheap hashing, and long time limits for the database.
  std::vector<std::string> arguments{};
  std::map<std::string, std::string> environment{};
  bool tls = false;  // the arguments give a certificate
  // start() after stop() or kill() takes a new port, or the port of before.
  enum class Port : std::uint8_t { any, same } port = Port::any;
  // Path of a SQLite file; empty: a new database of the set-up (test_storage.hpp).
  std::string database{};
  // Instead of these: a database that other servers use as well.
  std::shared_ptr<TestStorage> storage{};
};

class ServerUnderTest {
 public:
  // Returns when /readyz responds with 200. Throws, with the output of the process, if it does not
  // start.
  explicit ServerUnderTest(ServeOptions options = {});

  const Endpoint& endpoint() const { return endpoint_; }
  HttpClient client() const { return HttpClient{endpoint_}; }
  // Every address of 127.0.0.0/8 is this machine, but a different client for limits per address.
  HttpClient client_from(std::string source) const;
  // REQUIRES: a SQLite file.
  const std::string& database() const { return options_.database; }
  TestStorage& storage() { return *storage_; }
  const std::string& directory() const { return directory_; }
  Process& process() { return *process_; }

  void start();  // again, after stop() or kill()
  Exit stop();   // SIGTERM; throws if it does not end
  void kill();   // SIGKILL; waits until it has ended

  // The command line with --database of this server. `arguments` follow the program's name.
  RunResult cli(std::vector<std::string> arguments, std::string input = {}) const;

 private:
  std::string why_not() const;

  ServeOptions options_;
  test::TempDirectory own_directory_;
  std::string directory_;
  std::shared_ptr<TestStorage> storage_;
  Endpoint endpoint_{};
  std::unique_ptr<Process> process_;
};

// An administrator made by the command line, and a token of a fresh sign-in.
inline constexpr std::string_view kAdminEmail = "root@example.test";
inline constexpr std::string_view kPassword = "open-Sesame-1";
void create_admin(const ServerUnderTest& server, std::string_view email = kAdminEmail);
// Throws unless the answer is 200.
std::string sign_in(HttpClient& client, std::string_view email,
                    std::string_view password = kPassword);
inline Header bearer(const std::string& token) {
  return {"Authorization", "Bearer " + token};
}

}  // namespace um::e2e

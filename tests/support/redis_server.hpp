// RedisServer: a real redis-server on a free loopback port, in a temporary directory, that keeps
// nothing on disk. Stopped by its id when the object goes away.
//
// Thread safety: none needed; url() from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "support/process.hpp"
#include "support/temp_directory.hpp"

namespace um::e2e {

struct RedisServerOptions {
  std::string password{};  // empty: none
  enum class Tls { no, yes } tls = Tls::no;
  std::vector<std::string> arguments{};  // further ones of redis-server: "--maxmemory", "2mb"
};

class RedisServer {
 public:
  // Answers when it takes connections. Throws with its output if it does not start.
  explicit RedisServer(RedisServerOptions options = {});
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  std::uint16_t port() const { return port_; }
  // With password and CA file, as they are: redis://:secret@127.0.0.1:1234, rediss://localhost:….
  std::string url() const;
  const std::string& ca_file() const { return ca_file_; }

  void pause();   // SIGSTOP: it takes connections and answers nothing
  void resume();  // SIGCONT
  void stop();    // at once
  // Again, on the same port; with what SAVE wrote last, or empty.
  enum class Content : std::uint8_t { none, snapshot };
  void start(Content content = Content::none);

  // redis-cli, with the password: its output without the last line end.
  std::string cli(std::vector<std::string> words) const;

 private:
  const RedisServerOptions options_;
  test::TempDirectory directory_;
  std::string ca_file_;
  std::string key_file_;
  std::uint16_t port_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace um::e2e

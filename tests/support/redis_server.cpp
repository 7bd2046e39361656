#include "support/redis_server.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <filesystem>
#include <netinet/in.h>
#include <signal.h>
#include <stdexcept>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

#include "support/self_signed.hpp"

namespace um::e2e {
namespace {

// Free at this moment. Another process could take it before the server does; then start() fails
// and the constructor tries another.
std::uint16_t free_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  const bool done =
      probe >= 0 && ::bind(probe, raw, size) == 0 && ::getsockname(probe, raw, &size) == 0;
  const int error = errno;
  if (probe >= 0) ::close(probe);
  if (!done) throw std::system_error(error, std::generic_category(), "a free port");
  return ntohs(address.sin_port);
}

}  // namespace

RedisServer::RedisServer(RedisServerOptions options) : options_{std::move(options)} {
  if (options_.tls == RedisServerOptions::Tls::yes) {
    const SelfSigned own = make_self_signed();
    ca_file_ = directory_.write("server.crt", own.certificate_pem);
    key_file_ = directory_.write("server.key", own.key_pem);
  }
  constexpr int kTries = 5;
  for (int left = kTries; process_ == nullptr; --left) {
    port_ = free_port();
    try {
      start();
    } catch (const std::runtime_error&) {
      process_.reset();
      if (left == 1) throw;
    }
  }
}

RedisServer::~RedisServer() {
  if (process_) stop();
}

std::string RedisServer::url() const {
  const std::string credentials = options_.password.empty() ? "" : ":" + options_.password + "@";
  const std::string port = std::to_string(port_);
  if (ca_file_.empty()) return "redis://" + credentials + "127.0.0.1:" + port;
  return "rediss://" + credentials + "localhost:" + port + "/0?ca=" + ca_file_;
}

void RedisServer::start(Content content) {
  if (content == Content::none) std::filesystem::remove(directory_.file("dump.rdb"));
  const bool tls = !ca_file_.empty();
  std::vector<std::string> arguments{"--port",       tls ? "0" : std::to_string(port_),
                                     "--bind",       "127.0.0.1",
                                     "--dir",        directory_.path().string(),
                                     "--save",       "",
                                     "--appendonly", "no"};
  auto add = [&](std::string name, std::string value) {
    arguments.push_back(std::move(name));
    arguments.push_back(std::move(value));
  };
  if (!options_.password.empty()) add("--requirepass", options_.password);
  if (tls) {
    add("--tls-port", std::to_string(port_));
    add("--tls-cert-file", ca_file_);
    add("--tls-key-file", key_file_);
    add("--tls-auth-clients", "no");
  }
  arguments.insert(arguments.end(), options_.arguments.begin(), options_.arguments.end());
  process_ = std::make_unique<Process>(
      Command{.program = "/usr/bin/redis-server", .arguments = std::move(arguments)});
  std::string line;
  if (!process_->wait_for_output(std::regex{"Ready to accept connections"}, line))
    throw std::runtime_error("redis-server does not start:\n" + process_->all());
}

void RedisServer::pause() {
  process_->send_signal(SIGSTOP);
}

void RedisServer::resume() {
  process_->send_signal(SIGCONT);
}

void RedisServer::stop() {
  process_->send_signal(SIGKILL);
  process_->wait();
  process_.reset();
}

std::string RedisServer::cli(std::vector<std::string> words) const {
  std::vector<std::string> arguments{"-h", "127.0.0.1", "-p", std::to_string(port_)};
  if (!ca_file_.empty()) {
    arguments[1] = "localhost";
    arguments.insert(arguments.end(), {"--tls", "--cacert", ca_file_});
  }
  arguments.insert(arguments.end(), words.begin(), words.end());
  const RunResult result = run({.program = "/usr/bin/redis-cli",
                                .arguments = std::move(arguments),
                                .environment = {{"REDISCLI_AUTH", options_.password}}});
  std::string out = result.out;
  while (out.ends_with('\n')) out.pop_back();
  return out;
}

}  // namespace um::e2e

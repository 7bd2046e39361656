// Server: HTTP/1.1 on one event loop per core, each with its own listener (SO_REUSEPORT).
//
// Life: construct (binds; throws std::system_error if the address is taken or bad), start(),
// drain(), destroy. Thread safety: start, drain and stats from any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>

#include "drivers/http/handler.hpp"

namespace um::http {

// Bounds of what one client can make the server hold or wait for.
struct Limits {
  std::size_t request_line_bytes = 8'000;
  std::size_t header_bytes = 16 * 1024;
  std::size_t header_fields = 100;
  std::size_t chunk_overhead_bytes = 4 * 1024;  // extensions and trailers
  std::size_t body_bytes = 64 * 1024;
  std::chrono::seconds header_time{10};
  std::chrono::seconds body_time{30};
  std::size_t body_bytes_per_second = 500;
  std::chrono::seconds idle_time{75};
  std::chrono::seconds write_time{30};
  std::size_t connections = 10'000;
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;  // 0: any free one, see Server::port()
  Limits limits{};
  std::shared_ptr<boost::asio::ssl::context> tls{};  // HTTPS if set
};

struct ServerStats {
  std::uint64_t accepted = 0;
  std::uint64_t refused_connections = 0;
  std::size_t open_connections = 0;
  std::uint64_t refusals = 0;  // requests answered by the server itself
};

class Server {
 public:
  // `loops` run on threads of the caller and outlive the server; one listener on each.
  Server(ServerOptions options, std::vector<boost::asio::io_context*> loops, Handler& handler);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void start();
  std::uint16_t port() const;
  // Stops accepting, closes idle connections, lets requests under way finish (their answers carry
  // Connection: close); returns when all are closed or `at_most` has passed, then closes the rest.
  // Blocks the calling thread, which is not a loop. True if nothing had to be cut off.
  bool drain(std::chrono::nanoseconds at_most);
  ServerStats stats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace um::http

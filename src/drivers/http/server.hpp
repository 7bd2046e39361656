// Server: HTTP/1.1 on one event loop per core, each with its own listener (SO_REUSEPORT).
//
// Life: construct (binds; throws std::system_error if the address is taken or invalid), start(),
// announce_end() if wanted, drain(), destroy. Thread safety: any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "base/counters.hpp"
#include "drivers/http/handler.hpp"
#include "drivers/http/limits.hpp"

namespace boost::asio::ssl {
class context;
}

namespace um::http {

class Listener;
class Loop;
struct ServerState;

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;  // 0: any free one, see Server::port()
  Limits limits{};
  std::shared_ptr<boost::asio::ssl::context> tls{};  // HTTPS if set; see make_server_tls_context()
  // Called with the exception of a handler (its request is answered with 500) and with the error
  // that keeps the server from accepting for a while. From any loop; must not block.
  std::function<void(std::string_view)> on_error{};
};

template <class Number>
struct ServerNumbers {
  Number accepted{};
  Number refused_connections{};
  Number open_connections{};
  Number refusals{};  // requests answered by the server itself

  static constexpr auto table() {
    using N = ServerNumbers;
    return std::tuple{
        count_of(&N::accepted, {"http_connections_total", "Connections accepted"}),
        count_of(&N::refused_connections,
                 {"http_connections_refused_total", "Connections over the limit"}),
        level_of(&N::open_connections, {"http_connections_open", "Connections open now"}),
        count_of(&N::refusals,
                 {"http_refusals_total", "Requests refused before they reached a route"})};
  }
};
using ServerStats = ServerNumbers<std::uint64_t>;

class Server {
 public:
  // Each of `loops` runs on one thread of the caller, gets one listener and outlives the server.
  // Destroy the server when its loops have stopped, or after a drain that returned true.
  Server(ServerOptions options, std::vector<boost::asio::io_context*> loops, Handler& handler);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void start();
  std::uint16_t port() const { return port_; }
  // Goes on serving, new clients as well, but each answer carries Connection: close, so that
  // clients have moved to other servers before drain().
  void announce_end();
  // Stops accepting, closes idle connections, lets requests under way finish (their answers carry
  // Connection: close); returns when all are closed or `at_most` has passed, then closes the rest.
  // Blocks the calling thread, which is not a loop. True if nothing had to be cut off.
  // A second call does nothing.
  bool drain(std::chrono::nanoseconds at_most);
  ServerStats stats() const;

 private:
  class Countdown;
  template <class Action>
  void on_every_loop(Action action);
  void close_all();

  const std::shared_ptr<ServerState> state_;
  std::vector<std::shared_ptr<Loop>> loops_;
  std::vector<std::shared_ptr<Listener>> listeners_;
  std::uint16_t port_ = 0;
  std::atomic<bool> drained_{false};
};

}  // namespace um::http

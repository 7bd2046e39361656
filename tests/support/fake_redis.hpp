// FakeRedis: a TCP server on loopback that sends exactly the bytes a test wants, for behaviour that
// no real server shows on demand.
//
// Each connection is handled by `handle` on a thread of its own, with a Peer to read from and write
// to. Everything blocks; the destructor closes all sockets and joins. Thread safety: port() and
// connections() from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace um::test {

class FakeRedis {
 public:
  class Peer {
   public:
    explicit Peer(int socket) : socket_{socket} {}
    // The words of the next command; nullopt: the peer has closed.
    std::optional<std::vector<std::string>> command();
    bool say(std::string_view bytes);
    void wait_for_close();  // reads and drops everything

   private:
    std::optional<std::string> line();
    std::optional<std::string> exactly(std::size_t bytes);
    bool more();
    const int socket_;
    std::string input_;
  };
  using Handle = std::function<void(Peer&)>;

  explicit FakeRedis(Handle handle);
  ~FakeRedis();
  FakeRedis(const FakeRedis&) = delete;
  FakeRedis& operator=(const FakeRedis&) = delete;

  std::uint16_t port() const { return port_; }
  std::string url() const { return "redis://127.0.0.1:" + std::to_string(port_); }
  int connections() const { return connections_; }

  // Answers the greeting of a client (CLIENT SETNAME and PING) in order; false: it disconnected.
  static bool greet(Peer& peer);
  // A handler that greets and then answers each command with the result of `answer`.
  static Handle greeting_then(std::function<std::string(const std::vector<std::string>&)> answer);

 private:
  void accept_all();

  const Handle handle_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::mutex mutex_;
  bool stopping_ = false;           // guarded by mutex_
  std::vector<int> sockets_;        // guarded by mutex_
  std::vector<std::thread> peers_;  // guarded by mutex_
  std::thread acceptor_;
};

}  // namespace um::test

// FakeServer: speaks enough of PostgreSQL's protocol (documentation, chapter 55) to be connected
// to, and misbehaves on request, byte by byte. For tests only.
//
// Every statement that begins with "select" answers one row with the text "1"; BEGIN, COMMIT and
// ROLLBACK are followed; nothing else is understood. Like the real one it answers at a Sync, and
// what it has at a Flush.
//
// Thread safety: behaviour() and the numbers from any thread. The destructor ends its threads.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace um::pg {

class FakeServer {
 public:
  enum class Reaction {
    answer,
    error,         // an ERROR with SQLSTATE XX000
    read_only,     // an ERROR with SQLSTATE 25006
    fatal,         // FATAL 57P01, and the end of the connection
    silence,       // nothing, for ever
    wait,          // nothing until end_waiting() says what
    close,         // instead of an answer
    answer_close,  // the answer, and the end
    garbage,       // bytes that are no message
  };
  struct Behaviour {
    // Of every connection made from now on; asked for each statement that is executed.
    std::function<Reaction(const std::string& sql)> react{};
    std::size_t close_after_bytes = static_cast<std::size_t>(-1);  // of a connection, sent by us
    std::string startup_error{};  // a SQLSTATE: what a connection gets instead of its start
    bool silent_start = false;    // takes connections and says nothing
    bool read_only = false;       // what it says of itself
  };

  FakeServer();
  ~FakeServer();
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  void behave(Behaviour behaviour);
  // A statement that begins so gets this reaction.
  void react_to(std::string beginning, Reaction reaction);
  // Every statement that waits, now or from now on, gets this reaction.
  void end_waiting(Reaction reaction);

  int port() const { return port_; }
  std::string url() const;
  std::size_t connections() const { return connections_.load(); }  // taken so far
  std::size_t open_connections() const { return open_.load(); }    // of these, not ended
  std::size_t executed() const { return executed_.load(); }        // statements

 private:
  struct Peer;
  void accept_all();

  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  Behaviour behaviour_;
  Reaction after_waiting_ = Reaction::answer;
  int waiting_over_ = -1;  // a descriptor that is readable once after_waiting_ was chosen
  std::list<std::unique_ptr<Peer>> peers_;
  std::atomic<std::size_t> connections_{0};
  std::atomic<std::size_t> open_{0};
  std::atomic<std::size_t> executed_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace um::pg

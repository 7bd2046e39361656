// Connection: one connection of a pool. It is opened on demand, runs a Pipeline over a Handle until
// it is lost or closed, and can then be opened again.
//
//     closed → opening → open → closed
//                   ↘      ↓       ↑
//                    stalled ──────┘
//
// Opening includes the statements that every new connection runs. The owner hears of every change
// exactly once, and gets back the units in flight when the connection is lost or stalled.
//
// A connection is stalled when the server owes it an answer beyond its time: a commit that waits
// for a synchronous standby, for example. It sends nothing more, but its socket stays open and
// watched, because the server's backend does not end with the socket: a second connection would
// occupy a second backend. It is closed when the socket has ended, or when the server has answered
// everything that was sent.
//
// Thread safety: none; the loop of its executor. The owner outlives it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "drivers/pg/handle.hpp"
#include "drivers/pg/pipeline.hpp"

namespace um::pg {

class Connection {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void opened(Connection& connection) = 0;
    virtual void not_opened(Connection& connection, const Failure& why) = 0;
    virtual void answered(Connection& connection, std::shared_ptr<Unit> unit) = 0;
    virtual void lost(Connection& connection, std::vector<std::shared_ptr<Unit>> in_flight,
                      const Failure& why) = 0;
    // An open connection is stalled; one that stalls while it is being opened is not_opened().
    virtual void stalled(Connection& connection, std::vector<std::shared_ptr<Unit>> in_flight,
                         const Failure& why) = 0;
    // A stalled connection is closed.
    virtual void ended(Connection& connection) = 0;
  };
  struct Settings {
    Opener::Settings opener;
    // Run by every new connection. The first value that it returns is pg_backend_pid(): a pooler
    // makes up the id that libpq knows.
    std::vector<Command> setup;
    enum class Note { none, last_value } note;  // of the last command of setup
    std::shared_ptr<const void> queries;        // keeps alive the texts that setup refers to
    std::chrono::nanoseconds stall_bound;       // then an open connection is stalled
    // Called for every query that was executed, on the loop.
    std::function<void(const Query& query, std::chrono::nanoseconds took, bool failed)> executed;
  };
  enum class State { closed, opening, open, stalled };

  Connection(Handle::Executor executor, std::shared_ptr<const Settings> settings, Owner& owner);

  // REQUIRES: closed. `epoch` is another one at each opening. `keep_alive` is held until the
  // connection is closed and has let go.
  void open(std::shared_ptr<void> keep_alive, std::uint64_t epoch);

  // REQUIRES: open. False: the connection was found lost (the owner was told) and this unit was not
  // sent.
  bool send(const std::shared_ptr<Unit>& unit);

  // Tells the owner that it is lost, not opened or ended, and hands back the units in flight.
  void close(const Failure& why) { lose(why); }
  // The same without telling the owner.
  std::vector<std::shared_ptr<Unit>> stop();

  // Gives up an address that does not answer, or the answers of a connection that is stalled now.
  void expire(BootTime now);

  State state() const { return state_; }
  std::size_t in_flight() const { return pipeline_.in_flight(); }
  bool in_transaction() const { return handle_->in_transaction(); }
  // Tells a connection from the one that was lost in the same place.
  std::uint64_t epoch() const { return epoch_; }
  // REQUIRES: open. The session note (rows.hpp), and the id of the process that serves it.
  const Rows::Note& note() const { return note_; }
  int server_process() const { return server_process_; }

  // The owner's marks.
  struct Marks {
    bool taken = false;     // by one transaction
    bool released = false;  // the transaction is gone; to be free when nothing is open any more
    bool rolling_back = false;
    // To be closed when nothing is in flight.
    bool retired = false;   // the server takes no writes any more
    bool outdated = false;  // the result of on_connect may have changed since it was opened
  };
  Marks marks{};

 private:
  Task<void> live(std::shared_ptr<void> keep_alive);
  void begin_setup();
  void end_setup(const Unit& setup);
  bool push(const std::shared_ptr<Unit>& unit);
  void flush();
  void receive();
  void take(ResultPtr result);
  void stall(const Failure& why);
  void lose(const Failure& why);
  std::vector<std::shared_ptr<Unit>> reset();

  Handle::Executor executor_;
  std::shared_ptr<const Settings> settings_;
  Owner& owner_;
  Opener opener_;
  std::shared_ptr<Handle> handle_;  // handlers that wait on it keep it; null: nothing is connected
  Pipeline pipeline_;
  std::shared_ptr<Unit> setup_;
  int server_process_ = 0;
  Rows::Note note_;
  State state_ = State::closed;
  bool flushing_ = false;  // waits until the socket can be written
  std::uint64_t epoch_ = 0;
  std::weak_ptr<void> keep_alive_;
};

}  // namespace um::pg

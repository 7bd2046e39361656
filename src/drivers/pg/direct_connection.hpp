// DirectConnection: one connection for a thread of its own, which blocks in its calls. For work
// that must not queue behind other work, such as a poll at regular intervals.
//
// It receives notifications: LISTEN is an ordinary statement, wait() ends when one arrives, and
// take_notifications() returns those that arrived, also during a statement. Notifications are sent
// to an open connection only; what was sent while it was closed is lost.
//
// Every call ends by its deadline, or soon after interrupt(). After a statement without an answer
// the connection is not used again, because the answer could still arrive on it; but it stays open
// until it was answered or has ended, and open() fails meanwhile: whatever hangs, the thread
// occupies one backend of the server (connection.hpp says more). PQcancel is not used: it blocks.
// Of several hosts each address is tried in turn, for its share of the time that is left.
//
// Thread safety: one thread; interrupt() from any thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/deadline.hpp"
#include "base/secret.hpp"
#include "drivers/pg/connection_info.hpp"
#include "drivers/pg/failure.hpp"
#include "drivers/pg/query.hpp"
#include "drivers/pg/rows.hpp"

struct pg_conn;  // libpq's PGconn

namespace um::pg {

// Ends the waits of a thread. Its descriptor is readable once interrupted, for good.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  void interrupt();
  bool interrupted() const;
  // Returns at the deadline or when interrupted.
  void sleep(std::chrono::nanoseconds at_most) const;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

// The addresses of a host name, for a thread that may wait, but not for ever. getaddrinfo() cannot
// be cut short, so it runs on a thread of Asio's. An answer that comes too late is dropped; the
// destructor waits for it. Thread safety: one thread.
class BlockingResolver {
 public:
  explicit BlockingResolver(const Clock& clock);
  ~BlockingResolver();

  // Empty: there are none, or the deadline passed, or `give_up` returned true.
  std::vector<std::string> resolve(const std::string& name, Deadline deadline,
                                   const std::function<bool()>& give_up);

 private:
  struct Loop;
  const Clock& clock_;
  std::unique_ptr<Loop> loop_;
};

// What a NOTIFY said.
struct Notification {
  std::string channel{};
  std::string payload{};

  bool operator==(const Notification&) const = default;
};

class DirectConnection {
 public:
  struct Options {
    Secret url{};  // as in options.hpp
    std::string application_name{};
  };
  // `interrupt` and `clock` outlive the connection.
  DirectConnection(const Interrupt& interrupt, const Clock& clock)
      : interrupt_{interrupt}, clock_{clock}, resolver_{clock} {}

  // Errors: lost (with libpq's message, which names no password; also at once while the former
  // connection has not ended), timeout, refused (the URL).
  Outcome<void> open(const Options& options, Deadline deadline);
  bool is_open() const { return connection_ != nullptr; }
  // A former connection without an answer stays open.
  void close() { connection_.reset(); }

  // Prepared when it is first run. After `lost`, and after `timeout` at the deadline, is_open() is
  // false.
  Outcome<Rows> run(const Query& query, const Params& params, Deadline deadline);

  // Returns when the server has sent something, at once while notifications wait to be taken, at
  // the deadline, or when interrupted. It may return without a notification. Errors: lost; the
  // connection is then closed.
  Outcome<void> wait(Deadline deadline);
  // In the order of their arrival; each once. Does not wait.
  std::vector<Notification> take_notifications();

 private:
  struct Finish {
    void operator()(pg_conn* connection) const;
  };
  enum class Ready { yes, deadline, interrupted };
  Ready wait_for(short events, Deadline deadline) const;
  void collect_notifications();
  Outcome<void> connect(const ConnectionInfo::Keywords& keywords, Deadline deadline);
  Outcome<void> flush_and_receive(Deadline deadline);
  Outcome<Rows> receive(Deadline deadline);
  Outcome<void> prepare(const Query& query, Deadline deadline);
  BootTime share_of(Deadline deadline, std::size_t parts) const;
  bool former_ended();
  Failure gone();
  Failure given_up(Ready why);

  const Interrupt& interrupt_;
  const Clock& clock_;
  BlockingResolver resolver_;
  std::unique_ptr<pg_conn, Finish> connection_;
  std::unique_ptr<pg_conn, Finish> former_;  // without an answer; null: there is none
  std::vector<const Query*> prepared_;
  std::vector<Notification> notifications_;  // to be taken
};

}  // namespace um::pg

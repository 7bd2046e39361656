// DirectConnection: one connection for a thread of its own, which waits in its calls. For work that
// must not stand behind anything else, such as a poll at regular intervals.
//
// Every call ends by its deadline, or soon after interrupt(); the connection is then closed, never
// used again, because its answer could still arrive. No PQcancel: it blocks. Of several hosts each
// address is tried in turn, for its share of the time that is left.
//
// Thread safety: one thread; interrupt() from any thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/deadline.hpp"
#include "base/secret.hpp"
#include "drivers/pg/blocking_resolver.hpp"
#include "drivers/pg/connection_info.hpp"
#include "drivers/pg/failure.hpp"
#include "drivers/pg/params.hpp"
#include "drivers/pg/query.hpp"
#include "drivers/pg/rows.hpp"

struct pg_conn;  // libpq's PGconn

namespace um::pg {

// Wakes up whoever waits. Readable once interrupted, for good.
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

class DirectConnection {
 public:
  struct Options {
    Secret url{};  // as in options.hpp
    std::string application_name{};
  };
  // `interrupt` and `clock` outlive the connection.
  DirectConnection(const Interrupt& interrupt, const Clock& clock)
      : interrupt_{interrupt}, clock_{clock}, resolver_{clock} {}

  // Errors: lost (with libpq's message, which names no password), timeout, refused (the URL).
  Outcome<void> open(const Options& options, Deadline deadline);
  bool is_open() const { return connection_ != nullptr; }
  void close() { connection_.reset(); }

  // Prepared when it is first run. After `lost` and `timeout` the connection is closed.
  Outcome<Rows> run(const Query& query, const Params& params, Deadline deadline);

 private:
  struct Finish {
    void operator()(pg_conn* connection) const;
  };
  enum class Ready { yes, deadline, interrupted };
  Ready wait(short events, Deadline deadline) const;
  Outcome<void> open(const ConnectionInfo::Keywords& keywords, Deadline deadline);
  Outcome<void> flush_and_receive(Deadline deadline);
  Outcome<Rows> receive(Deadline deadline);
  Outcome<void> prepare(const Query& query, Deadline deadline);
  BootTime share_of(Deadline deadline, std::size_t parts) const;
  Failure gone();
  Failure given_up(Ready why);

  const Interrupt& interrupt_;
  const Clock& clock_;
  BlockingResolver resolver_;
  std::unique_ptr<pg_conn, Finish> connection_;
  std::vector<const Query*> prepared_;
};

}  // namespace um::pg

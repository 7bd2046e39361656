// Handle: one libpq connection and the watching of its socket by an event loop.
//
// libpq opens and closes the socket as it likes until the connection is made, so the loop watches
// it only while somebody waits: wait() is the one suspension point while connecting. Nothing in
// here blocks: names are resolved before (see connection_info.hpp), and PQcancel is not used.
//
// Thread safety: none; the loop of its executor. Closed by the destructor.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "async/task.hpp"
#include "drivers/pg/connection_info.hpp"
#include "drivers/pg/pipeline.hpp"

struct pg_conn;  // libpq's PGconn

namespace um::pg {

class Handle {
 public:
  using Executor = boost::asio::io_context::executor_type;
  enum class Poll { reading, writing, ready, failed };
  enum class Flush { done, pending, failed };
  enum class Waits { read, write };

  explicit Handle(Executor executor) : descriptor_{executor} {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { close(); }

  // Connecting: start, then wait for what poll() asks for until it is ready.
  bool start(const ConnectionInfo::Keywords& keywords);
  Poll poll();
  // False when the wait was ended by close() or interrupt().
  Task<bool> wait(Waits direction);
  void interrupt();
  // From now on the socket stays the same: pipeline mode, watched until close().
  bool begin_pipeline();

  // Puts one message into libpq's buffer (a Sync also tries to send it). False: it is broken.
  bool send(const Pipeline::Send& message);
  Flush flush();
  // Calls back once, on the loop, when the socket can be written; not after close().
  void when_writable(std::function<void()> then);

  // Takes in what arrived; false when the connection is lost.
  bool consume();
  // The next result, if one is complete. A null result is the end of a command's results.
  bool has_result();
  ResultPtr next_result();
  bool in_transaction() const;  // whether a transaction is open

  // As libpq words it; several lines; may name hosts and users.
  std::string error() const;
  void close();

 private:
  bool watch();

  boost::asio::posix::stream_descriptor descriptor_;
  pg_conn* connection_ = nullptr;
};

}  // namespace um::pg

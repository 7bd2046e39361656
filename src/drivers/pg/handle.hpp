// Handle: one libpq connection; an event loop watches its socket. Opener: finds a server that takes
// a connection, and makes a Handle.
//
// libpq opens and closes the socket as it likes until the connection is made, so the loop watches
// it only during wait(), the one suspension point while connecting. Nothing in here blocks: names
// are resolved before (see connection_info.hpp), and PQcancel is not used.
//
// Thread safety: none; the loop of the executor. The destructor of a Handle closes it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "async/task.hpp"
#include "drivers/pg/connection_info.hpp"
#include "drivers/pg/failure.hpp"
#include "drivers/pg/pipeline.hpp"

struct pg_conn;    // libpq's PGconn
struct pg_result;  // libpq's PGresult

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

  // To connect: start, then wait for the direction that poll() names until it is ready.
  bool start(const ConnectionInfo::Keywords& keywords);
  Poll poll();
  // False when the wait was ended by close() or interrupt().
  Task<bool> wait(Waits direction);
  void interrupt();
  // Enters pipeline mode. From now on the socket stays the same and is watched until close().
  bool begin_pipeline();

  // Puts one message into libpq's buffer (a Sync also tries to send it). False: it is broken.
  bool send(const Pipeline::Send& message);
  Flush flush();
  // Calls back once, on the loop, when the socket can be written; not after close().
  void when_writable(std::function<void()> then);

  // Reads the bytes that arrived; false when the connection is lost.
  bool consume();
  // The next result, if one is complete. A null result is the end of a command's results.
  bool has_result();
  ResultPtr next_result();
  // Whether, since the last call, the server warned that a commit was not confirmed by a standby.
  bool take_unreplicated_commit() { return std::exchange(unreplicated_commit_, false); }
  bool in_transaction() const;  // whether a transaction is open

  // The message of libpq: several lines, may name hosts and users.
  std::string error() const;
  void close();

 private:
  bool watch();
  static void take_notice(void* handle, const pg_result* notice);

  boost::asio::posix::stream_descriptor descriptor_;
  pg_conn* connection_ = nullptr;
  bool unreplicated_commit_ = false;
};

// Each host of the URL is resolved by the resolver of the loop, and each of its addresses is tried
// in turn, for at most `per_address`. One open() at a time; expire() and abort() end it early, also
// from within (they only mark and wake).
class Opener {
 public:
  struct Settings {
    std::shared_ptr<const ConnectionInfo> info;
    std::chrono::nanoseconds per_address;
  };
  Opener(Handle::Executor executor, Settings settings);

  // A handle that is connected, not in pipeline mode yet. Failure::lost with libpq's reason of the
  // last address otherwise.
  Task<Outcome<std::unique_ptr<Handle>>> open();

  // Gives up the address that is being tried if its time is over.
  void expire(BootTime now);
  void abort();

 private:
  struct Target {
    const Host* host;
    std::string address;  // empty: a local socket
  };
  Task<void> add_targets(const Host& host);
  Task<bool> connect(const Target& target);

  Handle::Executor executor_;
  Settings settings_;
  boost::asio::ip::tcp::resolver resolver_;
  std::unique_ptr<Handle> handle_;
  std::vector<Target> targets_;
  BootTime give_up_at_ = BootTime::max();
  bool aborted_ = false;
  bool timed_out_ = false;
  std::string reason_;
};

}  // namespace um::pg

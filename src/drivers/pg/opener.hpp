// Opener: finds a server that takes a connection. Each host of the URL is resolved by the loop's
// resolver, and each of its addresses is tried in turn, for at most `per_address`.
//
// Thread safety: none; the loop of its executor. One open() at a time; expire() and abort() end it
// early, also from within (they only mark and wake).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "drivers/pg/failure.hpp"
#include "drivers/pg/handle.hpp"

namespace um::pg {

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

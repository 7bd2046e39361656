#include "storage/postgres/bell.hpp"

#include <pthread.h>
#include <utility>

namespace um {
namespace {

constexpr pg::Query kSettings{
    "bell_settings",
    "select pg_catalog.set_config('lock_timeout', '50ms', false),"
    " pg_catalog.set_config('statement_timeout', '250ms', false),"
    " pg_catalog.set_config('synchronous_commit', 'off', false),"
    " pg_catalog.set_config('client_connection_check_interval', '1s', false)"};
constexpr pg::Query kWake{"bell_wake", "select pg_catalog.pg_notify('um_wake', $1)"};
constexpr pg::Query kSeen{"bell_seen", "select pg_catalog.pg_notify('um_seen', '')"};
constexpr pg::Query kBoth{
    "bell_both", "select pg_catalog.pg_notify('um_wake', $1), pg_catalog.pg_notify('um_seen', '')"};

}  // namespace

PostgresBell::PostgresBell(Options options)
    : options_{std::move(options)}, connection_{interrupt_, *options_.clock} {}

void PostgresBell::stop() {
  {
    const std::scoped_lock lock{mutex_};
    stopping_ = true;
  }
  interrupt_.interrupt();
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void PostgresBell::ring(unsigned which) {
  {
    const std::scoped_lock lock{mutex_};
    if (std::exchange(wanted_, wanted_ | which) != 0 || stopping_) return;
    if (!thread_.joinable()) {
      thread_ = std::thread{[this] { loop(); }};
      ::pthread_setname_np(thread_.native_handle(), "bell");
    }
  }
  changed_.notify_one();
}

void PostgresBell::loop() {
  for (;;) {
    unsigned which = 0;
    {
      std::unique_lock lock{mutex_};
      changed_.wait(lock, [this] { return stopping_ || wanted_ != 0; });
      if (stopping_) return;
      which = std::exchange(wanted_, 0);
    }
    (send(which) ? counters_.rung : counters_.failed).add();
  }
}

bool PostgresBell::send(unsigned which) {
  const Deadline deadline = Deadline::after(*options_.clock, options_.patience);
  if (!connection_.is_open()) {
    const auto opened =
        connection_.open({.url = options_.url, .application_name = "user-manager bell"}, deadline);
    if (!opened) return false;
    if (!connection_.run(kSettings, {}, deadline)) {
      connection_.close();
      return false;
    }
  }
  if (which == kSeenBit) return connection_.run(kSeen, {}, deadline).has_value();
  const pg::Query& query = which == kWakeBit ? kWake : kBoth;
  return connection_.run(query, {options_.sender}, deadline).has_value();
}

}  // namespace um

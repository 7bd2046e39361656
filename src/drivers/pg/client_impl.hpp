// The inside of a Client: its loops, the groups of each, and what they report to.
#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "drivers/pg/client.hpp"
#include "drivers/pg/group.hpp"

namespace um::pg {

struct Client::Impl final : QueryObserver, ReachabilityObserver {
  struct Pool {
    boost::asio::io_context* loop;
    std::shared_ptr<Group> look_ups;
    std::shared_ptr<Group> scans;
    std::shared_ptr<Group> transactions;

    void renew() const;
    void stop() const;
  };
  class Stop;

  Impl(Options options, std::vector<boost::asio::io_context*> loops);
  ~Impl() override;

  // Of the loop that the executor belongs to; of the next one in turn if it is none of ours.
  const Pool& pool(const boost::asio::any_io_executor& executor);
  void renew();
  void stop();

  void executed(const Query& query, std::chrono::nanoseconds took, bool failed) override;
  void unreachable(std::string_view reason) override;
  void reachable() override;

  Options options;
  QueryStats query_stats;
  std::atomic<bool> down{false};
  std::atomic<std::uint64_t> repeated{0};  // transactions and writes run again

  // A loop of our own, where the client was given none. After the pools that refer to it.
  struct OwnLoop {
    boost::asio::io_context context{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{
        context.get_executor()};
    std::thread thread{};
  };
  std::unique_ptr<OwnLoop> own_loop;
  std::vector<Pool> pools;
  std::atomic<std::size_t> next{0};
};

}  // namespace um::pg

// For tests of the feed on a real server: a running feed, and a listener that can pause it between
// two polls.
#pragma once

#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

#include "storage/postgres/change_feed.hpp"
#include "support/patience.hpp"
#include "support/postgres_database.hpp"

namespace um::test {

class PausingListener final : public ChangeListener {
 public:
  void hold(std::span<const std::string> keys) override { note("hold " + keys.front()); }
  void settle(std::span<const std::string> keys, std::optional<Xid> xid) override {
    note((xid ? "settle " : "let go ") + keys.front());
  }
  void acknowledge_refresh(BootTime) override { note("refresh"); }
  void end_lease() override { note("end lease"); }
  Leftovers apply(const Poll& poll) override {
    note(poll.flush_reason ? "flush" : "poll");
    std::unique_lock lock{mutex_};
    polls_.push_back(poll);
    waiting_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !closed_; });
    waiting_ = false;
    return {};
  }

  // Waits for the end of a poll; the feed sends no further one until resume().
  void pause() {
    std::unique_lock lock{mutex_};
    closed_ = true;
    const auto seen = polls_.size();
    if (!changed_.wait_for(lock, e2e::kPatience, [&] { return waiting_ && polls_.size() > seen; }))
      throw std::runtime_error("the feed does not poll");
  }
  void resume() {
    const std::scoped_lock lock{mutex_};
    polls_.clear();
    closed_ = false;
    changed_.notify_all();
  }
  // The next poll that next() did not return yet.
  Poll next() {
    std::unique_lock lock{mutex_};
    if (!changed_.wait_for(lock, e2e::kPatience, [this] { return !polls_.empty(); }))
      throw std::runtime_error("the feed does not poll");
    Poll poll = std::move(polls_.front());
    polls_.erase(polls_.begin());
    return poll;
  }
  bool has_polled() {
    const std::scoped_lock lock{mutex_};
    return !polls_.empty();
  }
  // The calls since the last events(), in order; successive polls count once.
  std::vector<std::string> events() {
    const std::scoped_lock lock{events_mutex_};
    return std::exchange(events_, {});
  }

 private:
  void note(std::string event) {
    const std::scoped_lock lock{events_mutex_};
    if (event != "poll" || events_.empty() || events_.back() != event)
      events_.push_back(std::move(event));
  }

  std::mutex events_mutex_;
  std::vector<std::string> events_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Poll> polls_;
  bool closed_ = false;
  bool waiting_ = false;
};

// A running feed.
class Following {
 public:
  explicit Following(const TestDatabase& database, const Clock& clock)
      : feed_{{.url = Secret{database.url()},
               .clock = &clock,
               .poll_interval = std::chrono::milliseconds{10},
               .statement_time = std::chrono::seconds{20},
               .lock_time = std::chrono::seconds{20},
               .connect_time = std::chrono::seconds{20}}} {
    feed_.start(listener_);
    first = listener_.next();
    listener_.next();  // now the first round has ended
  }
  ~Following() {
    listener_.resume();
    feed_.stop();
  }
  PausingListener* operator->() { return &listener_; }
  PostgresChangeFeed& feed() { return feed_; }

  Poll first;

 private:
  PausingListener listener_;
  PostgresChangeFeed feed_;
};

}  // namespace um::test

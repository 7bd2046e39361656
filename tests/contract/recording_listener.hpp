// RecordingListener: a ChangeListener that writes down what it is told and can be waited for.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "storage/change_feed.hpp"

namespace um::test {

class RecordingListener final : public ChangeListener {
 public:
  struct Event {
    enum class Kind { hold, settle, poll, flush };
    Kind kind;
    std::vector<std::string> keys{};
    std::optional<Xid> xid{};
    std::optional<Poll> poll{};
  };
  using Kind = Event::Kind;

  void hold(std::span<const std::string> keys) override {
    if (on_hold) on_hold();
    add({.kind = Kind::hold, .keys = {keys.begin(), keys.end()}});
  }
  void settle(std::span<const std::string> keys, std::optional<Xid> xid) override {
    add({.kind = Kind::settle, .keys = {keys.begin(), keys.end()}, .xid = xid});
  }
  void apply(const Poll& poll) override {
    add({.kind = poll.flush_reason ? Kind::flush : Kind::poll, .poll = poll});
  }

  // Set before the feed is started; called on the feed's thread.
  std::function<void()> on_hold;

  // Everything since the last call, without plain polls.
  std::vector<Event> take() {
    const std::scoped_lock lock{mutex_};
    std::vector<Event> all;
    for (Event& event : events_) {
      if (event.kind != Kind::poll) all.push_back(std::move(event));
    }
    events_.clear();
    return all;
  }
  // The next event of this kind since the last take(); fails the waiting after a patience that is
  // far longer than it ever takes.
  std::optional<Event> await(Kind kind) {
    std::unique_lock lock{mutex_};
    std::optional<Event> found;
    changed_.wait_for(lock, std::chrono::seconds{20}, [&] {
      for (const Event& event : events_) {
        if (event.kind == kind) found = event;
        if (found) return true;
      }
      return false;
    });
    return found;
  }

 private:
  void add(Event event) {
    {
      const std::scoped_lock lock{mutex_};
      events_.push_back(std::move(event));
    }
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Event> events_;
};

}  // namespace um::test

// RecordingListener: a ChangeListener that records its calls and lets a test wait for them.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <ostream>
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
  friend void PrintTo(const Event& event, std::ostream* out) {
    static constexpr const char* kNames[]{"hold", "settle", "poll", "flush"};
    *out << kNames[static_cast<std::size_t>(event.kind)];
    for (const std::string& key : event.keys) *out << ' ' << key;
    if (event.xid) *out << " in " << *event.xid;
    if (event.poll && event.poll->flush_reason) *out << ' ' << *event.poll->flush_reason;
  }

  void hold(std::span<const std::string> keys) override {
    if (on_hold) on_hold();
    add({.kind = Kind::hold, .keys = {keys.begin(), keys.end()}});
  }
  void settle(std::span<const std::string> keys, std::optional<Xid> xid) override {
    add({.kind = Kind::settle, .keys = {keys.begin(), keys.end()}, .xid = xid});
  }
  Leftovers apply(const Poll& poll) override {
    add({.kind = poll.flush_reason ? Kind::flush : Kind::poll, .poll = poll});
    return {};
  }

  // Set before the feed is started; called on the feed's thread.
  std::function<void()> on_hold;

  // All events since the last call, without polls that do not flush.
  std::vector<Event> take() {
    const std::scoped_lock lock{mutex_};
    std::vector<Event> all;
    for (Event& event : events_) {
      if (event.kind != Kind::poll) all.push_back(std::move(event));
    }
    events_.clear();
    return all;
  }
  // Waits for an event since the last take() that `wanted` accepts. nullopt after 20 s, far longer
  // than it ever takes.
  std::optional<Event> await(const std::function<bool(const Event&)>& wanted) {
    std::unique_lock lock{mutex_};
    std::optional<Event> found;
    changed_.wait_for(lock, std::chrono::seconds{20}, [&] {
      const auto event = std::ranges::find_if(events_, wanted);
      if (event != events_.end()) found = *event;
      return found.has_value();
    });
    return found;
  }
  std::optional<Event> await_apply(BootTime sent_at_least = BootTime::min()) {
    return await(
        [=](const Event& event) { return event.poll && event.poll->sent_at >= sent_at_least; });
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

#include "monitor/key_history.hpp"

#include <algorithm>

namespace um {
namespace {

bool is_absence(const UserState& state) {
  return state.life % 2 == 0;
}

// The oldest absence that can follow a state, or is that state.
UserState absence_from(const std::optional<UserState>& floor) {
  if (!floor) return {};
  return is_absence(*floor) ? *floor : UserState{.life = floor->life + 1};
}

}  // namespace

void KeyHistory::absence_may_begin(std::int64_t life) {
  newest_absence_ = std::max(newest_absence_, life);
}

void KeyHistory::acknowledge(UserState state, std::size_t instance, BootTime now) {
  learn({.state = state, .since = now, .written_at = instance});
}

void KeyHistory::learn(Known known) {
  if (known_.empty() || known_.back().state < known.state) {
    known_.push_back(known);
    if (known_.size() > kKnown) known_.pop_front();
    return;
  }
  // A read has returned the state before its write was acknowledged.
  const auto same = std::ranges::find(known_, known.state, &Known::state);
  if (same != known_.end() && known.written_at) same->written_at = known.written_at;
}

KeyHistory::Floor KeyHistory::begin_read(std::size_t instance, BootTime now) const {
  Floor floor{.at = now};
  for (auto known = known_.rbegin(); known != known_.rend(); ++known) {
    if (known->since + bound_ >= now && known->written_at != instance) continue;
    floor.state = known->state;
    break;
  }
  return floor;
}

std::chrono::nanoseconds KeyHistory::age_of(const UserState& returned, BootTime began) const {
  const auto newer =
      std::ranges::find_if(known_, [&](const Known& known) { return returned < known.state; });
  return newer == known_.end() ? std::chrono::nanoseconds{0} : began - newer->since;
}

std::optional<KeyHistory::Break> KeyHistory::end_read(const Floor& floor,
                                                      std::optional<UserState> returned,
                                                      BootTime now) {
  const UserState taken_for = returned ? *returned : absence_from(floor.state);
  const bool is_possible = returned || taken_for.life <= newest_absence_;
  if (is_possible && (!floor.state || *floor.state <= taken_for)) {
    learn({.state = taken_for, .since = now});
    return std::nullopt;
  }
  const UserState judged = returned ? *returned : UserState{.life = newest_absence_};
  return Break{.age = age_of(judged, floor.at),
               .known = floor.state.value_or(UserState{}),
               .returned = returned};
}

}  // namespace um

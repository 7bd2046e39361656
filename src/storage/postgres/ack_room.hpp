// AckRoom: where writers wait for acknowledgements (W of docs/consistency.md, section 6). The
// writers of an instance share one query for the registry and the acknowledgements: each needs a
// query that began after it asked (single_flight.hpp). They ask again when the feed hears that an
// instance has acknowledged holds, and after each poll interval, because wake-ups may be lost.
//
// A writer enters before it places its hold, so that it misses no wake-up.
//
// Thread safety: the room: any thread; a guest: one coroutine.
#pragma once

#include <algorithm>
#include <functional>
#include <limits>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "async/handoff.hpp"
#include "async/single_flight.hpp"
#include "storage/postgres/strict_write.hpp"

namespace um {

class AckRoom {
 public:
  class Guest;

  // `clock` is that of the deadlines and outlives the room.
  explicit AckRoom(const Clock& clock) : clock_{clock}, flights_{{}, clock} {}

  // An instance has acknowledged holds.
  void seen() {
    std::vector<Handoff> news;
    {
      const std::scoped_lock lock{mutex_};
      for (const Place& place : guests_) news.push_back(place.news);
    }
    for (const Handoff& each : news) each.wake();
  }
  std::size_t waiting() const {
    const std::scoped_lock lock{mutex_};
    return guests_.size();
  }

 private:
  struct Place {
    Handoff news{};
    Xid first_hold = std::numeric_limits<Xid>::max();
  };
  // Every acknowledgement that somebody in the room can use has a later id than this one.
  Xid oldest_hold() const {
    const std::scoped_lock lock{mutex_};
    Xid oldest = std::numeric_limits<Xid>::max();
    for (const Place& place : guests_) oldest = std::min(oldest, place.first_hold);
    return oldest;
  }

  const Clock& clock_;
  SingleFlight<AckBoard> flights_;
  mutable std::mutex mutex_;
  std::list<Place> guests_;
};

class AckRoom::Guest {
 public:
  explicit Guest(AckRoom& room) : room_{room} {
    const std::scoped_lock lock{room_.mutex_};
    place_ = room_.guests_.emplace(room_.guests_.end());
  }
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;
  ~Guest() {
    const std::scoped_lock lock{room_.mutex_};
    room_.guests_.erase(place_);
  }

  // Waits until every instance but the own one has acknowledged the holds of these transactions, or
  // until `until`. `ask`: Task<Result<AckBoard>>(Xid after), the registry and the acknowledgements
  // with a later id; it outlives the call. A failure of `ask` ends nothing: the wait goes on.
  struct Wait {
    // The own row, if there is one: another one after each registration.
    std::function<std::optional<std::string>()> own{};
    std::vector<Xid> holds{};
    BootTime until{};
    std::chrono::nanoseconds ask_every{};
  };
  struct End {
    bool everybody = false;
    // Those that were waited for the longest: missing when somebody was missing for the last time.
    std::vector<AckBoard::Instance> slowest{};
  };
  template <class Ask>
  Task<End> wait(Wait request, Ask& ask);

 private:
  AckRoom& room_;
  std::list<Place>::iterator place_;
};

template <class Ask>
auto AckRoom::Guest::wait(Wait request, Ask& ask) -> Task<End> {
  End end;
  {
    const std::scoped_lock lock{room_.mutex_};
    place_->first_hold = std::ranges::min(request.holds);
  }
  auto ask_for_all = [&]() -> Task<Result<AckBoard>> {
    Result<AckBoard> board = co_await ask(room_.oldest_hold());
    co_return board;
  };
  auto share = [](const AckBoard&) { return true; };
  for (;;) {
    const BootTime now = room_.clock_.now();
    if (now >= request.until) co_return end;
    const BootTime again = std::min(request.until, now + request.ask_every);
    co_await place_->news.wait({again}, room_.clock_);
    SingleFlight<AckBoard>::Request joint{
        .key = "acknowledgements", .may_follow = MayFollow::no, .deadline = {request.until}};
    const Result<AckBoard> board =
        co_await room_.flights_.run(std::move(joint), ask_for_all, share);
    if (!board) continue;
    std::vector<AckBoard::Instance> missing = board->missing(request.own(), request.holds);
    end.everybody = missing.empty();
    if (end.everybody) co_return end;
    end.slowest = std::move(missing);
  }
}

}  // namespace um

// Batcher: calls of many coroutines in one transaction. A caller that finds that a batch may start
// (batch_queue.hpp) leads it: it writes the items of all callers that wait, hands each its own
// answer, and wakes the leader of the next batch. So no coroutine is without an owner.
//
// A batch goes on until the latest deadline of its members; each member waits until its own. A
// caller that gives up while its item is in a batch is answered `timeout`, and the item may have
// been written.
//
// Thread safety: any thread. Outlives its calls.
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/this_coro.hpp>

#include "async/batch_queue.hpp"
#include "async/handoff.hpp"
#include "async/task.hpp"
#include "base/deadline.hpp"
#include "base/error.hpp"

namespace um {

// Item: has group(), see BatchQueue.
template <class Item, class Answer>
class Batcher {
 public:
  using Items = std::vector<Item>;
  using Answers = std::vector<Result<Answer>>;

  // `clock`: that of the deadlines; outlives the batcher.
  Batcher(BatchLimits limits, const Clock& clock) : clock_{clock}, queue_{limits} {}

  // `write`: Task<Answers>(const Items&, Deadline), an answer for each item. It outlives the call.
  // overloaded: too many items are waiting.
  template <class Write>
  Task<Result<Answer>> add(Item item, Deadline deadline, Write& write);

 private:
  struct Entry {
    Entry(Item i, Deadline until) : item{std::move(i)}, deadline{until} {}
    auto group() const {
      if constexpr (requires { item.group(); })
        return item.group();
      else
        return this;
    }
    Item item;
    Deadline deadline;
    Handoff news{};  // there is an answer, or this caller leads the next batch
    std::optional<Result<Answer>> answer{};
  };
  using Ticket = std::shared_ptr<Entry>;
  using Batch = std::vector<Ticket>;
  class Presence;
  class Writing;

  // The answer if there is one, otherwise the batch that this caller leads now (maybe none).
  struct Look {
    std::optional<Result<Answer>> answer{};
    Batch batch{};
  };
  Look look(const Ticket& place);
  template <class Write>
  Task<void> lead(Batch batch, Write& write);
  void finish(const Batch& batch, Answers answers);
  void leave(const Ticket& place);

  const Clock& clock_;
  std::mutex mutex_;
  BatchQueue<Entry> queue_;  // and the answers of those in it, guarded by mutex_
};

// However the coroutine of a caller ends, its item leaves the queue and another caller leads.
template <class Item, class Answer>
class Batcher<Item, Answer>::Presence {
 public:
  Presence(Batcher& batcher, Ticket place) : batcher_{batcher}, place_{std::move(place)} {}
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;
  ~Presence() { batcher_.leave(place_); }

 private:
  Batcher& batcher_;
  Ticket place_;
};

// A batch that is being written. However that ends, every member is answered.
template <class Item, class Answer>
class Batcher<Item, Answer>::Writing {
 public:
  Writing(Batcher& batcher, Batch batch) : batcher_{batcher}, batch_{std::move(batch)} {}
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;
  ~Writing() {
    answers_.resize(batch_.size(), fail(ErrorCode::unknown_outcome, "the service is stopping"));
    batcher_.finish(batch_, std::move(answers_));
  }

  const Batch& batch() const { return batch_; }
  void answer(Answers answers) { answers_ = std::move(answers); }

 private:
  Batcher& batcher_;
  Batch batch_;
  Answers answers_;
};

template <class Item, class Answer>
template <class Write>
Task<Result<Answer>> Batcher<Item, Answer>::add(Item item, Deadline deadline, Write& write) {
  const auto place = std::make_shared<Entry>(std::move(item), deadline);
  {
    const std::scoped_lock lock{mutex_};
    if (!queue_.push(place)) {
      co_return fail(Error{.code = ErrorCode::overloaded,
                           .detail = "too many writes are waiting for the database",
                           .retry_after = std::chrono::seconds{1}});
    }
  }
  const Presence presence{*this, place};
  for (;;) {
    Look seen = look(place);
    if (seen.answer) co_return std::move(*seen.answer);
    if (!seen.batch.empty()) {
      co_await lead(std::move(seen.batch), write);
    } else if (deadline.passed(clock_.now())) {
      co_return fail(ErrorCode::timeout, "the database did not answer in time");
    } else {
      co_await place->news.wait(deadline, clock_);
    }
  }
}

template <class Item, class Answer>
auto Batcher<Item, Answer>::look(const Ticket& place) -> Look {
  const std::scoped_lock lock{mutex_};
  if (place->answer) return {.answer = place->answer};
  return {.batch = queue_.take()};
}

template <class Item, class Answer>
template <class Write>
Task<void> Batcher<Item, Answer>::lead(Batch batch, Write& write) {
  namespace asio = boost::asio;
  // The leader finishes the batch even if its client disconnects: other callers wait for it.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  Writing writing{*this, std::move(batch)};
  Items items;
  Deadline deadline{BootTime::min()};
  for (const Ticket& ticket : writing.batch()) {
    items.push_back(ticket->item);
    deadline.at = std::max(deadline.at, ticket->deadline.at);
  }
  Answers answers = co_await write(items, deadline);
  writing.answer(std::move(answers));
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
}

template <class Item, class Answer>
void Batcher<Item, Answer>::finish(const Batch& batch, Answers answers) {
  Ticket next;
  {
    const std::scoped_lock lock{mutex_};
    queue_.finish(batch);
    for (std::size_t i = 0; i < batch.size(); ++i) batch[i]->answer = std::move(answers[i]);
    next = queue_.next();
  }
  for (const Ticket& ticket : batch) ticket->news.wake();
  if (next) next->news.wake();
}

template <class Item, class Answer>
void Batcher<Item, Answer>::leave(const Ticket& place) {
  Ticket next;
  {
    const std::scoped_lock lock{mutex_};
    // It may have been woken to lead a batch, and may not have resumed.
    if (queue_.withdraw(place)) next = queue_.next();
  }
  if (next) next->news.wake();
}

}  // namespace um

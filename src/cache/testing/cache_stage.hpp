// For the tests of this folder: an event loop that runs only when told, and stores whose answers
// the test holds back for as long as it likes (the pause points).
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "async/handoff.hpp"
#include "storage/session_store.hpp"
#include "storage/user_store.hpp"

namespace um {

// What became of a coroutine.
template <class T>
struct Outcome {
  std::optional<T> value{};
  bool threw = false;
  bool done() const { return value || threw; }
};

class TestLoop {
 public:
  template <class T>
  std::shared_ptr<Outcome<T>> start(Task<T> task) {
    auto outcome = std::make_shared<Outcome<T>>();
    boost::asio::co_spawn(context, std::move(task), [outcome](std::exception_ptr error, T value) {
      outcome->threw = error != nullptr;
      if (error == nullptr) outcome->value = std::move(value);
    });
    settle();
    return outcome;
  }
  // Runs everything that can run without waiting for time.
  void settle() {
    context.restart();
    while (context.poll() > 0) {
    }
  }
  // Lets real time pass until something that waits for a timer is done.
  template <class T>
  void until_done(const Outcome<T>& outcome) {
    context.restart();
    while (!outcome.done() && context.run_one_for(std::chrono::seconds{5}) > 0) {
    }
  }

  boost::asio::io_context context{1};
};

// A call that was made and waits for the test to answer it.
template <class T>
class PendingCall {
 public:
  void answer(T value) {
    answer_ = std::move(value);
    answered_.wake();
  }
  Task<T> wait(const Clock& clock) {
    while (!answer_) co_await answered_.wait(Deadline::never(), clock);
    co_return *answer_;
  }

 private:
  Handoff answered_;
  std::optional<T> answer_;
};

template <class T>
class PausedCalls {
 public:
  Task<T> call() {
    auto pending = std::make_shared<PendingCall<T>>();
    calls_.push_back(pending);
    T value = co_await pending->wait(clock_);
    co_return value;
  }
  std::size_t count() const { return calls_.size(); }
  // REQUIRES: call number `n` (from 0) was made and its coroutine still waits.
  void answer(std::size_t n, T value) {
    const auto call = calls_.at(n).lock();
    if (!call) throw std::logic_error("nobody waits for this answer");
    call->answer(std::move(value));
  }

 private:
  ManualClock clock_;
  std::deque<std::weak_ptr<PendingCall<T>>> calls_;  // owned by the coroutines that wait
};

// Only find() works; everything else is a bug in the test, or shows that a call was passed through.
class PausedUserStore final : public UserStore {
 public:
  PausedCalls<Result<UserReading>> finds;
  std::vector<std::string> passed_through;

  Task<Result<UserReading>> find(UserId, ReadOptions) override { return finds.call(); }
  Task<Result<UserReading>> find(Email, ReadOptions) override { return finds.call(); }
  Task<Result<std::vector<UserRef>>> list(Page, Deadline) override {
    return pass<std::vector<UserRef>>("list");
  }
  Task<Result<std::vector<UserRef>>> search(std::string, Page, Deadline) override {
    return pass<std::vector<UserRef>>("search");
  }
  Task<Result<std::int64_t>> count(std::string, Deadline) override {
    return pass<std::int64_t>("count");
  }
  Task<Result<bool>> has_admin(Deadline) override { return pass<bool>("has_admin"); }
  Task<Result<UserRef>> insert(NewUser, Deadline) override { return pass<UserRef>("insert"); }
  Task<Result<std::vector<Result<UserId>>>> insert_many(InsertMany, Deadline) override {
    return pass<std::vector<Result<UserId>>>("insert_many");
  }
  Task<Result<UserRef>> update(UpdateUser, Deadline) override { return pass<UserRef>("update"); }
  Task<Result<void>> remove(RemoveUser, Deadline) override { return pass<void>("remove"); }
  Task<Result<UsageTotals>> add_usage(UsageRecord, Deadline) override {
    return pass<UsageTotals>("add_usage");
  }
  Task<Result<std::optional<Credentials>>> credentials(Email, Deadline) override {
    return pass<std::optional<Credentials>>("credentials by email");
  }
  Task<Result<std::optional<Credentials>>> credentials(UserId, Deadline) override {
    return pass<std::optional<Credentials>>("credentials by id");
  }
  Task<Result<void>> rehash(Rehash, Deadline) override { return pass<void>("rehash"); }
  Task<Result<void>> end_sessions(UserId, Deadline) override { return pass<void>("end_sessions"); }
  Task<Result<void>> invalidate(UserId, Deadline) override {
    if (invalidates) co_return Result<void>{};
    const Result<void> passed = co_await pass<void>("invalidate");
    co_return passed;
  }
  bool invalidates = false;  // instead of failing

 private:
  template <class T>
  Task<Result<T>> pass(const char* name) {
    passed_through.emplace_back(name);
    co_return fail(ErrorCode::internal, name);
  }
};

class PausedSessionStore final : public SessionStore {
 public:
  PausedCalls<Result<SessionReading>> finds;
  std::vector<std::string> passed_through;

  Task<Result<SessionReading>> find(SessionId, ReadOptions) override { return finds.call(); }
  Task<Result<CreatedSession>> create(NewSession, Deadline) override {
    return pass<CreatedSession>("create");
  }
  Task<Result<void>> revoke(Revoke, Deadline) override { return pass<void>("revoke"); }
  Task<Result<std::vector<SessionRef>>> list(UserId, Deadline) override {
    return pass<std::vector<SessionRef>>("list");
  }
  Task<Result<std::int64_t>> purge(Purge, Deadline) override { return pass<std::int64_t>("purge"); }

 private:
  template <class T>
  Task<Result<T>> pass(const char* name) {
    passed_through.emplace_back(name);
    co_return fail(ErrorCode::internal, name);
  }
};

}  // namespace um

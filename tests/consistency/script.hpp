// Script: an actor of the simulation, written as a coroutine. A script runs until it waits for
// simulated time (sim_time.hpp), and other scripts run meanwhile. A script that awaits another one
// goes on when that one has ended. Destroying a script that waits ends it where it stands, as a
// kill ends a process.
//
// Thread safety: none; a simulated world has one thread.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace um::sim {

template <class T = void>
class Script;

namespace detail {

struct ScriptPromise {
  struct Ending {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
      const auto resumed = ended.promise().caller;
      return resumed ? resumed : std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  Ending final_suspend() const noexcept { return {}; }
  void unhandled_exception() const { std::terminate(); }

  std::coroutine_handle<> caller{};
};

template <class T>
struct ValuePromise : ScriptPromise {
  void return_value(T made) { value.emplace(std::move(made)); }
  T take() { return std::move(*value); }
  std::optional<T> value{};
};

template <>
struct ValuePromise<void> : ScriptPromise {
  void return_void() const noexcept {}
  void take() const noexcept {}
};

}  // namespace detail

template <class T>
class [[nodiscard]] Script {
 public:
  struct promise_type : detail::ValuePromise<T> {
    Script get_return_object() {
      return Script{std::coroutine_handle<promise_type>::from_promise(*this)};
    }
  };

  Script(Script&& other) noexcept : handle_{std::exchange(other.handle_, {})} {}
  Script& operator=(Script&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Script() {
    if (handle_) handle_.destroy();
  }

  void start() { handle_.resume(); }
  bool done() const { return handle_.done(); }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) noexcept {
    handle_.promise().caller = caller;
    return handle_;
  }
  T await_resume() { return handle_.promise().take(); }

 private:
  explicit Script(std::coroutine_handle<promise_type> handle) : handle_{handle} {}

  std::coroutine_handle<promise_type> handle_;
};

}  // namespace um::sim

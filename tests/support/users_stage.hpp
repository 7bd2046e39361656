// The use cases around users over a store in memory: an administrator, ada, and their requests.
// One thread, no waiting.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "auth/passwords/bcrypt.hpp"
#include "service/users.hpp"
#include "storage/testing/memory_stores.hpp"
#include "support/run_task.hpp"

namespace um::test {

template <class T>
Member<T> is(T value) {
  return {.present = true, .value = std::move(value)};
}
inline Member<std::string> is(const char* text) {
  return is(std::string{text});
}

class CountingLimiter final : public AttemptLimiter {
 public:
  struct Seen {
    int succeeded = 0;
    int failed = 0;
    int given_back = 0;
    std::vector<Subject> subjects{};
  };
  Seen seen{};
  bool refuse = false;

  Task<Result<std::unique_ptr<Place>>> take(Subject subject, Deadline) override {
    seen.subjects.push_back(std::move(subject));
    if (refuse) co_return fail(ErrorCode::too_many_attempts);
    co_return std::make_unique<CountedPlace>(seen);
  }

 private:
  class CountedPlace final : public Place {
   public:
    explicit CountedPlace(Seen& seen) : seen_{seen} {}
    ~CountedPlace() override {
      if (!decided_) ++seen_.given_back;
    }
    void succeeded() override { decide(seen_.succeeded); }
    void failed() override { decide(seen_.failed); }

   private:
    void decide(int& count) {
      decided_ = true;
      ++count;
    }
    Seen& seen_;
    bool decided_ = false;
  };
};

class UsersTest : public ::testing::Test {
 protected:
  UsersTest() {
    admin_ = add({.id = *UserId::from(1), .email = *Email::parse("root@x"), .role = Role::admin});
    ada_ = add({.id = *UserId::from(42),
                .email = *Email::parse("ada@x"),
                .first_name = "Ada",
                .last_name = "Lovelace"});
  }

  UserRef add(User user) {
    const auto hash = bcrypt::hash(Secret{"the old password"}, 4);
    return store_.put(std::move(user), *hash);
  }
  // Runs a use case to its end.
  template <class T>
  static T run(Task<T> task) {
    return test::run(std::move(task));
  }
  static Principal principal(UserRef user) {
    const UserId id = user->user.id;
    const SessionId session = *SessionId::parse(std::string(32, 'a'));
    return {std::move(user),
            std::make_shared<const Session>(Session{.id = session, .user_id = id})};
  }
  static UserInput named(const char* first_name) {
    UserInput input;
    input.first_name = is(first_name);
    return input;
  }
  static UserInput new_password(const char* current) {
    UserInput input;
    input.password = is(Secret{"a new and long one"});
    input.current_password = is(Secret{current});
    return input;
  }
  Result<UserRef> patch(const UserRef& by, Users::ChangeRequest request) {
    return run(users_.patch(principal(by), std::move(request), Deadline::never()));
  }
  bool verifies(UserId id, const char* password) {
    return *run(hasher_.verify(Secret{password}, store_.hash_of(id), Deadline::never()));
  }

  static constexpr std::chrono::seconds kStoreTime{3};
  ManualClock clock_;
  MemoryUserStore store_{clock_};
  PasswordHasher hasher_{{.cost = 4, .threads = 1}};
  CountingLimiter limiter_;
  Users users_{{.store = store_, .hasher = hasher_, .limiter = limiter_, .clock = clock_},
               {.store_time = kStoreTime}};
  UserRef admin_;
  UserRef ada_;
};

inline UserInput registration() {
  UserInput input;
  input.email = is("New@X");
  input.password = is(Secret{"a new and long one"});
  return input;
}

}  // namespace um::test

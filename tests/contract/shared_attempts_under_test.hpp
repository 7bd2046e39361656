// What the contract suite of SharedAttempts needs: two instances that share one server and one
// clock. Each implementation makes one of these, instantiates the suite with it, and is held to the
// same policy.
//
//   INSTANTIATE_TEST_SUITE_P(Redis, SharedAttemptsContract,
//                            ::testing::Values(SharedAttemptsBackend{"server", &make_redis}),
//                            attempts_name_of);
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include <gtest/gtest.h>

#include "auth/attempts/shared_attempts.hpp"
#include "support/run_task.hpp"

namespace um::test {

using Taken = SharedAttempts::Taken;
using Busy = SharedAttempts::Busy;
using Refused = SharedAttempts::Refused;

template <class Kind>
bool is(const std::optional<SharedAttempts::Answer>& answer) {
  return answer && std::holds_alternative<Kind>(*answer);
}

inline SharedAttempts::Who alice() {
  return {.account = "alice", .address = "192.0.2.1"};
}
inline std::optional<SharedAttempts::Answer> take(SharedAttempts& attempts,
                                                  SharedAttempts::Who who) {
  return run(attempts.take(std::move(who), Deadline::never()));
}

class SharingInstance {
 public:
  using Who = SharedAttempts::Who;
  using Outcome = SharedAttempts::Outcome;

  virtual ~SharingInstance() = default;
  virtual SharedAttempts& attempts() = 0;
  // By the time of the server instead of the test's; another window than that of attempts().
  virtual SharedAttempts& attempts_by_the_servers_time() = 0;
  // Calls `end`, which ends one place of attempts(), and waits until the server has heard of it.
  virtual void wait_for(const std::function<void()>& end) = 0;

  std::optional<SharedAttempts::Answer> take(Who who) {
    return test::take(attempts(), std::move(who));
  }
  void end(const Who& who, Taken place, Outcome outcome) {
    wait_for([&] { attempts().end(who, place, outcome); });
  }
  void fail(const Who& who) {
    const auto answer = take(who);
    ASSERT_TRUE(is<Taken>(answer));
    end(who, std::get<Taken>(*answer), Outcome::failed);
  }
};

class SharedAttemptsUnderTest {
 public:
  virtual ~SharedAttemptsUnderTest() = default;
  virtual SharingInstance& one() = 0;
  virtual SharingInstance& other() = 0;
  // What the service does now and then, so that nothing stays for ever.
  virtual void tidy_up() {}
  // Until it is back no instance reaches the server, whatever it tries.
  virtual void lose_the_server() = 0;
  virtual void find_the_server() = 0;

  // What both instances take for the time: since 1970.
  std::chrono::milliseconds now{1'700'000'000'000};
};

struct SharedAttemptsBackend {
  std::string name;
  std::function<std::unique_ptr<SharedAttemptsUnderTest>()> make;
};
inline void PrintTo(const SharedAttemptsBackend& backend, std::ostream* out) {
  *out << backend.name;
}
inline std::string attempts_name_of(const ::testing::TestParamInfo<SharedAttemptsBackend>& info) {
  return info.param.name;
}

class SharedAttemptsContract : public ::testing::TestWithParam<SharedAttemptsBackend> {
 private:
  const std::unique_ptr<SharedAttemptsUnderTest> under_test_ = GetParam().make();

 protected:
  SharedAttemptsUnderTest& under_test() { return *under_test_; }

  SharingInstance& one_ = under_test_->one();
  SharingInstance& other_ = under_test_->other();
  std::chrono::milliseconds& now_ = under_test_->now;
};

}  // namespace um::test

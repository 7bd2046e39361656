// The fixture of the contract suite of AttemptStore: two instances with one server and one clock.
// Each implementation makes one of these and instantiates the suite with it. The policy that the
// suite expects is that of LocalAttemptLimiter.
//
//   INSTANTIATE_TEST_SUITE_P(Postgres, AttemptStoreContract,
//                            ::testing::Values(AttemptStoreBackend{"PostgreSQL",
//                            &make_postgres}), attempt_store_name_of);
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <variant>

#include <gtest/gtest.h>

#include "auth/attempts/attempt_sketch.hpp"
#include "auth/attempts/stored_attempt_limiter.hpp"
#include "base/clock.hpp"
#include "storage/attempt_store.hpp"
#include "support/run_task.hpp"

namespace um::test {

using Subject = AttemptLimiter::Subject;

struct Taken {
  std::int64_t place = 0;
};
struct Busy {};
struct Refused {
  std::chrono::milliseconds wait{};
};
// nullopt: the server did not answer.
using Answer = std::optional<std::variant<Taken, Busy, Refused>>;
enum class Outcome : std::uint8_t { succeeded, failed };

template <class Kind>
bool is(const Answer& answer) {
  return answer && std::holds_alternative<Kind>(*answer);
}

inline Subject alice() {
  return {.account = "alice", .address = "192.0.2.1"};
}
inline const Secret& deployment_key() {
  static const Secret key{"a key of sixteen bytes or more"};
  return key;
}
inline AttemptStore::Cells cells_of(const Subject& subject) {
  return AttemptSketch{deployment_key()}.cells(subject);
}
inline Deadline patient() {
  return Deadline::after(SystemClock{}, std::chrono::seconds{20});
}

inline Task<Answer> taking(AttemptStore& store, Subject subject) {
  const AttemptLimits limits;
  const AttemptStore::Take take{.cells = cells_of(subject),
                                .account_limit = limits.failures_per_account,
                                .address_limit = limits.failures_per_address};
  const Result<AttemptStore::Answer> answer = co_await store.take(take, patient());
  if (!answer) co_return std::nullopt;
  switch (answer->kind) {
    case AttemptStore::Answer::Kind::taken:
      co_return Taken{.place = answer->number};
    case AttemptStore::Answer::Kind::busy:
      co_return Busy{};
    case AttemptStore::Answer::Kind::refused:
      break;
  }
  co_return Refused{.wait = std::chrono::milliseconds{answer->number}};
}
inline Answer take(AttemptStore& store, Subject subject) {
  return run(taking(store, std::move(subject)));
}

class AttemptInstance {
 public:
  virtual ~AttemptInstance() = default;
  virtual AttemptStore& store() = 0;
  // By the time of the server instead of the test's.
  virtual AttemptStore& store_by_the_servers_time() = 0;

  Answer take(Subject subject) { return test::take(store(), std::move(subject)); }
  void end(const Subject& subject, Taken place, Outcome outcome) {
    const AttemptStore::End ended{
        .cells = cells_of(subject), .taken = place.place, .failed = outcome == Outcome::failed};
    EXPECT_TRUE(run(store().end(ended, patient())));
  }
  void fail(const Subject& subject) {
    const Answer answer = take(subject);
    ASSERT_TRUE(is<Taken>(answer));
    end(subject, std::get<Taken>(*answer), Outcome::failed);
  }
};

class AttemptStoreUnderTest {
 public:
  virtual ~AttemptStoreUnderTest() = default;
  virtual AttemptInstance& one() = 0;
  virtual AttemptInstance& other() = 0;
  // The housekeeping of the service, so that no row stays for ever.
  virtual void tidy_up() {}
  // Until it is back no instance reaches the server, whatever it tries.
  virtual void lose_the_server() = 0;
  virtual void find_the_server() = 0;

  // The clock of both instances: since 1970.
  std::chrono::milliseconds now{1'700'000'000'000};
};

struct AttemptStoreBackend {
  std::string name;
  std::function<std::unique_ptr<AttemptStoreUnderTest>()> make;
};
inline void PrintTo(const AttemptStoreBackend& backend, std::ostream* out) {
  *out << backend.name;
}
inline std::string attempt_store_name_of(
    const ::testing::TestParamInfo<AttemptStoreBackend>& info) {
  return info.param.name;
}

class AttemptStoreContract : public ::testing::TestWithParam<AttemptStoreBackend> {
 private:
  const std::unique_ptr<AttemptStoreUnderTest> under_test_ = GetParam().make();

 protected:
  AttemptStoreUnderTest& under_test() { return *under_test_; }

  AttemptInstance& one_ = under_test_->one();
  AttemptInstance& other_ = under_test_->other();
  std::chrono::milliseconds& now_ = under_test_->now;
};

}  // namespace um::test

// The contract suites on a cache around SQLite, and what only the two together can show: that reads
// from memory keep up with every kind of write, through the real feed.
#include <atomic>
#include <random>
#include <thread>

#include "contract/cached_under_test.hpp"
#include "contract/sqlite_under_test.hpp"
#include "support/promise.hpp"

namespace um::test {
namespace {

Backend cached_backend() {
  return {"sqlite", [] { return std::make_unique<CachedUnderTest>(sqlite_backend()); }};
}

#define UM_ON_CACHE(Suite) \
  INSTANTIATE_TEST_SUITE_P(Cached, Suite, ::testing::Values(cached_backend()), name_of)

UM_ON_CACHE(UserStoreContract);
UM_ON_CACHE(UserSearchContract);
UM_ON_CACHE(UserStoreConcurrencyContract);
UM_ON_CACHE(SessionStoreContract);

class CachedSqlite : public ::testing::Test {
 protected:
  static constexpr Deadline kNever{};

  CachedSqlite() { wait_for_lease(); }
  // The feed goes by the clock of the test: each round lets one poll become due and waits for it.
  template <class Condition>
  void poll_until(Condition condition) {
    while (!condition()) {
      const auto polls = under_test.stats().coherence.polls;
      under_test.clock().advance(std::chrono::milliseconds{5});
      while (under_test.stats().coherence.polls == polls) std::this_thread::yield();
    }
  }
  void wait_for_lease() {
    poll_until([&] { return under_test.stats().coherence.lease_valid; });
  }
  UserStore& users() { return under_test.users(); }
  UserId add(const std::string& address) {
    const auto user = run(users().insert({.email = *Email::parse(address)}, kNever));
    return user.value()->user.id;
  }
  UserRef read(UserId id) { return run(users().find(id, {})).value().value; }
  std::optional<UserReading> remembered(UserId id) {
    return users().find_now(id, {}, under_test.clock().now());
  }

  CachedUnderTest under_test{sqlite_backend()};
};

TEST_F(CachedSqlite, TheSecondReadComesFromMemory) {
  const UserId id = add("ann@x.org");
  const UserRef first = read(id);
  ASSERT_TRUE(remembered(id));
  EXPECT_EQ(remembered(id)->value, first);
  EXPECT_EQ(remembered(id)->source, Source::l1);
}

TEST_F(CachedSqlite, InvalidationForgetsAUserKnownOrNot) {
  const UserId id = add("ann@x.org");
  read(id);
  ASSERT_TRUE(run(users().invalidate(id, kNever)));
  EXPECT_FALSE(remembered(id));
  EXPECT_TRUE(run(users().invalidate(*UserId::from(999), kNever)));
}

TEST_F(CachedSqlite, AChangeByAnotherProgramIsSeenAfterTheNextPoll) {
  const UserId id = add("ann@x.org");
  read(id);
  under_test.rename_elsewhere(id, "Elsewhere");
  poll_until([&] { return under_test.stats().coherence.flushes.contains("foreign_commit"); });
  EXPECT_EQ(read(id)->user.last_name, "Elsewhere");
}

TEST_F(CachedSqlite, ALapsedLeaseIsRenewedByTheNextPoll) {
  const UserId id = add("ann@x.org");
  read(id);
  under_test.clock().advance(std::chrono::hours{1});
  EXPECT_TRUE(read(id));  // from wherever it is right
  wait_for_lease();
  EXPECT_TRUE(remembered(id));
}

// Whatever is written, a read that memory may answer says the same as one that it may not.
TEST_F(CachedSqlite, MemoryKeepsUpWithEveryKindOfWrite) {
  std::mt19937 random{7};
  std::vector<UserId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(add("user" + std::to_string(i) + "@x.org"));
  for (int step = 0; step < 400; ++step) {
    const UserId id = ids[random() % ids.size()];
    const auto address = *Email::parse("user" + std::to_string(random() % 8) + "@x.org");
    switch (random() % 6) {
      case 0:
        run(users().update({.id = id, .change = {.first_name = std::to_string(step)}}, kNever));
        break;
      case 1:
        run(users().update({.id = id, .change = {.email = address}}, kNever));
        break;
      case 2:
        run(users().add_usage({.user = id, .amount = *Usd::from_micros(1)}, kNever));
        break;
      case 3:
        run(users().end_sessions(id, kNever));
        break;
      case 4:
        if (random() % 10 == 0) run(users().remove({.id = id}, kNever));
        break;
      default:
        run(users().insert({.email = address}, kNever));
    }
    const auto by_id = run(users().find(id, {})).value().value;
    const auto id_truth = run(users().find(id, {.from_primary = true})).value().value;
    ASSERT_EQ(by_id ? by_id->etag : "", id_truth ? id_truth->etag : "") << kBroken;
    const auto by_email = run(users().find(address, {})).value().value;
    const auto email_truth = run(users().find(address, {.from_primary = true})).value().value;
    ASSERT_EQ(by_email ? by_email->etag : "", email_truth ? email_truth->etag : "") << kBroken;
    // auth_epoch is in no ETag, and decides who is signed in.
    if (by_id) {
      ASSERT_EQ(by_id->user.auth_epoch, id_truth->user.auth_epoch);
    }
  }
  EXPECT_GT(under_test.stats().coherence.holds, 100U);
}

TEST_F(CachedSqlite, NoThreadReadsLessThanWasAcknowledgedBeforeItBegan) {
  const UserId id = add("ann@x.org");
  std::atomic<std::int64_t> acknowledged = read(id)->user.version;
  std::atomic<bool> stop = false;
  std::atomic<int> outdated = 0;
  std::thread readers[2];
  for (auto& reader : readers) {
    reader = std::thread{[&] {
      while (!stop) {
        const std::int64_t floor = acknowledged;
        auto reading = remembered(id);
        const UserRef user = reading ? reading->value : read(id);
        if (user->user.version < floor) ++outdated;
      }
    }};
  }
  for (int i = 0; i < 200; ++i) {
    const auto user =
        run(users().update({.id = id, .change = {.first_name = std::to_string(i)}}, kNever));
    acknowledged = user.value()->user.version;
    std::this_thread::yield();
  }
  stop = true;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(outdated, 0) << kBroken;
  const auto stats = under_test.stats().coherence;
  EXPECT_GT(stats.hits[static_cast<std::size_t>(EntryKind::user)], 0U);
}

}  // namespace
}  // namespace um::test

// A cache with a real feed: reads from memory reflect every kind of write.
#include <atomic>
#include <random>
#include <thread>

#include "contract/cached_under_test.hpp"
#include "support/promise.hpp"

namespace um::test {
namespace {

TEST_P(CachedContract, TheSecondReadComesFromMemory) {
  const UserId id = add("ann@x.org");
  const UserRef first = read(id);
  ASSERT_TRUE(remembered(id));
  EXPECT_EQ(remembered(id)->value, first);
  EXPECT_EQ(remembered(id)->source, Source::l1);
}

TEST_P(CachedContract, InvalidationForgetsAUserKnownOrNot) {
  const UserId id = add("ann@x.org");
  read(id);
  ASSERT_TRUE(run(users().invalidate(id, kNever)));
  EXPECT_FALSE(remembered(id));
  EXPECT_TRUE(run(users().invalidate(*UserId::from(999), kNever)));
}

TEST_P(CachedContract, AChangeByAnotherProgramIsSeenAfterThePoll) {
  const UserId id = add("ann@x.org");
  read(id);
  under_test.rename_elsewhere(id, "Elsewhere");
  poll_until([&] { return read(id)->user.last_name == "Elsewhere"; });
  expect_memory_right_of(id);
}

TEST_P(CachedContract, ALapsedLeaseIsRenewedByTheNextPoll) {
  const UserId id = add("ann@x.org");
  read(id);
  // Not longer: that would break off the poll under way, and a lost poll causes a flush.
  under_test.clock().advance(CoherenceSettings{}.staleness_bound);
  EXPECT_TRUE(read(id));  // from memory or from the primary
  wait_for_lease();
  EXPECT_TRUE(remembered(id));
}

// After any write, a read that memory may answer returns the same as a read of the primary.
TEST_P(CachedContract, MemoryKeepsUpWithEveryKindOfWrite) {
  std::mt19937 random{7};
  std::vector<UserId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(add("user" + std::to_string(i) + "@x.org"));
  SessionId last = SessionId::random();
  int created = 0;
  int revoked = 0;
  for (int step = 0; step < 600; ++step) {
    const UserId id = ids[random() % ids.size()];
    const auto address = *Email::parse("user" + std::to_string(random() % 8) + "@x.org");
    switch (random() % 8) {
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
        // Sessions that go with their user are judged by the user: memory may still have them.
        if (random() % 10 == 0 && run(users().remove({.id = id}, kNever)))
          last = SessionId::random();
        break;
      case 5: {
        const NewSession session = login(id);
        if (!run(sessions().create(session, kNever))) break;
        last = session.id;
        ++created;
        break;
      }
      case 6:
        if (run(sessions().revoke({.id = last}, kNever))) ++revoked;
        break;
      default:
        run(users().insert({.email = address}, kNever));
    }
    expect_memory_right_of(id);
    expect_memory_right_of(address);
    expect_memory_right_of(last);
    if (HasFailure()) FAIL() << "in step " << step;
  }
  EXPECT_GT(created, 20);
  EXPECT_GT(revoked, 20);
  EXPECT_GT(under_test.stats().coherence.holds, 100U);
  EXPECT_GT(hits(EntryKind::user), 20U);
  EXPECT_GT(hits(EntryKind::session), 20U);
}

TEST_P(CachedContract, NoThreadReadsLessThanWasAcknowledgedBeforeItBegan) {
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
  EXPECT_GT(hits(EntryKind::user), 0U);
}

}  // namespace
}  // namespace um::test

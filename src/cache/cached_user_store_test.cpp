#include "cache/cached_user_store.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "cache/testing/cache_stage.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
using Ref = std::shared_ptr<Outcome<Result<UserReading>>>;

UserReading reading(UserRef value, Xid xmax) {
  return {.value = std::move(value), .stamp = stamp(xmax)};
}

class CachedUserStoreTest : public ::testing::Test {
 protected:
  CachedUserStoreTest() { poll(10); }

  void poll(Xid xmax, std::vector<Change> changes = {}) {
    cache.coherence().apply({.sent_at = clock.now(), .stamp = stamp(xmax), .changes = changes});
  }
  Ref find(ReadOptions options = {}) { return loop.start(store.find(id, options)); }
  Ref find_email(ReadOptions options = {}) { return loop.start(store.find(email, options)); }
  std::optional<UserReading> now(ReadOptions options = {}) {
    return store.find_now(id, options, clock.now());
  }
  std::optional<UserReading> email_now() { return store.find_now(email, {}, clock.now()); }
  void answer(std::size_t query, Result<UserReading> result) {
    inner.finds.answer(query, std::move(result));
    loop.settle();
  }
  void load(UserRef value, Xid xmax) {
    const auto found = find({.from_primary = true});
    answer(inner.finds.count() - 1, reading(std::move(value), xmax));
    ASSERT_TRUE(found->done());
  }
  void let_lease_lapse() { clock.advance(500ms); }
  static const UserReading& result(const Ref& found) { return found->value.value().value(); }

  const UserId id = *UserId::from(1);
  const Email email = *Email::parse("Ann@example.org");
  ManualClock clock;
  PausedUserStore inner;
  Cache cache{{.coherence = {.capacity_bytes = 1 << 20}}, clock};
  CachedUserStore store{inner, cache};
  TestLoop loop;  // the last: its coroutines use the others
};

TEST_F(CachedUserStoreTest, TheFirstReadAsksThePrimaryTheSecondDoesNot) {
  EXPECT_FALSE(now());
  const auto first = find();
  answer(0, reading(user(1, "ann@example.org"), 10));
  EXPECT_EQ(result(first).source, Source::primary);
  const auto second = find();
  EXPECT_EQ(result(second).source, Source::l1);
  EXPECT_EQ(result(second).value, result(first).value);
  EXPECT_EQ(now()->value, result(first).value);
  EXPECT_EQ(inner.finds.count(), 1U);
  EXPECT_EQ(cache.stats().misses[static_cast<std::size_t>(EntryKind::user)], 1U);
}

TEST_F(CachedUserStoreTest, AbsenceIsRememberedToo) {
  const auto first = find();
  answer(0, reading(nullptr, 10));
  ASSERT_TRUE(now());
  EXPECT_EQ(now()->value, nullptr);
  EXPECT_EQ(now()->source, Source::l1);
}

TEST_F(CachedUserStoreTest, ALapsedLeaseSendsReadsToThePrimary) {
  load(user(1, "ann@example.org"), 10);
  let_lease_lapse();
  EXPECT_FALSE(now());
  const auto found = find();
  EXPECT_FALSE(found->done());
  poll(10);
  EXPECT_TRUE(now());
}

TEST_F(CachedUserStoreTest, AnAnswerOlderThanAChangeIsGivenToItsAskerOnly) {
  const auto slow = find();
  poll(12, {{.xid = 11, .key = "user:1"}});
  answer(0, reading(user(1, "ann@example.org", 1), 11));
  EXPECT_EQ(result(slow).value->user.version,
            1);  // the query ran before the change, so this is no violation
  EXPECT_FALSE(now());
}

TEST_F(CachedUserStoreTest, AFollowerIsTurnedAwayFromAnAnswerOlderThanAChange) {
  const auto slow = find();
  const std::vector<std::string> keys{"user:1"};
  cache.coherence().hold(keys);
  cache.coherence().settle(keys, 10);  // acknowledged here: reads from now on must see it
  const auto follower = find();
  EXPECT_EQ(inner.finds.count(), 1U);
  answer(0, reading(user(1, "ann@example.org", 1), 10));
  EXPECT_FALSE(follower->done());
  answer(1, reading(user(1, "ann@example.org", 2), 11));
  EXPECT_EQ(result(follower).value->user.version, 2);
  EXPECT_EQ(store.flight_stats().turned_away, 1U);
}

TEST_F(CachedUserStoreTest, NoCacheAsksThePrimaryAndFeedsMemory) {
  load(user(1, "ann@example.org", 1), 10);
  EXPECT_FALSE(now({.from_primary = true}));
  const auto found = find({.from_primary = true});
  EXPECT_FALSE(found->done());
  answer(1, reading(user(1, "ann@example.org", 2), 11));
  EXPECT_EQ(result(found).source, Source::primary);
  EXPECT_EQ(now()->value->user.version, 2);
}

TEST_F(CachedUserStoreTest, NoCacheDoesNotShareAQueryThatWasRunning) {
  const auto running = find();
  const auto insisting = find({.from_primary = true});
  answer(0, reading(user(1, "ann@example.org"), 10));
  EXPECT_FALSE(insisting->done());
  EXPECT_EQ(inner.finds.count(), 2U);
}

TEST_F(CachedUserStoreTest, AFailedLoadRemembersNothing) {
  const auto found = find();
  answer(0, fail(ErrorCode::unavailable));
  EXPECT_EQ(found->value->error().code, ErrorCode::unavailable);
  EXPECT_FALSE(now());
}

// --- a key that is held

class HeldKey : public CachedUserStoreTest {
 protected:
  HeldKey() { cache.coherence().hold(keys); }

  // Readers that come now, some of which insist on the primary; `by_email` names the key.
  std::vector<Ref> readers(bool by_email) {
    std::vector<Ref> all;
    for (int i = 0; i < 8; ++i) {
      const ReadOptions options{.from_primary = i % 3 == 1};
      all.push_back(by_email ? find_email(options) : find(options));
    }
    return all;
  }
  static long done(const std::vector<Ref>& readers) {
    return std::ranges::count_if(readers, [](const Ref& reader) { return reader->done(); });
  }
  const std::vector<std::string> keys{"user:1", "email:ann@example.org"};
};

TEST_F(HeldKey, HasAtMostOneQueryUnderWayAndOneThatWaits) {
  for (const bool by_email : {false, true}) {
    const std::size_t first = inner.finds.count();
    const auto early = readers(by_email);
    EXPECT_EQ(inner.finds.count(), first + 1);
    answer(first, reading(user(1, "ann@example.org", 1), 10));
    EXPECT_EQ(done(early), 1) << "the others need a query that began after they came";
    ASSERT_EQ(inner.finds.count(), first + 2) << "one for all of them";

    const auto late = readers(by_email);
    EXPECT_EQ(inner.finds.count(), first + 2);
    answer(first + 1, reading(user(1, "ann@example.org", 2), 11));
    EXPECT_EQ(done(early), 8);
    EXPECT_EQ(done(late), 0);
    ASSERT_EQ(inner.finds.count(), first + 3);

    answer(first + 2, reading(user(1, "ann@example.org", 3), 12));
    EXPECT_EQ(done(late), 8);
    EXPECT_EQ(inner.finds.count(), first + 3);
    for (const Ref& reader : late) EXPECT_EQ(result(reader).value->user.version, 3);
    EXPECT_FALSE(now()) << "nothing is admitted while the key is held";
  }
}

TEST_F(HeldKey, WhoReadsAfterTheWriteSharesTheFirstQueryThatBeginsThen) {
  const auto before = readers(false);
  cache.coherence().settle(keys, 10);
  const auto after = readers(false);
  EXPECT_EQ(inner.finds.count(), 1U);
  answer(0, reading(user(1, "ann@example.org", 1), 10));
  EXPECT_EQ(done(before), 1);
  EXPECT_EQ(done(after), 0);
  answer(1, reading(user(1, "ann@example.org", 2), 11));
  EXPECT_EQ(done(before), 8);
  EXPECT_EQ(done(after), 8);
  EXPECT_EQ(inner.finds.count(), 2U);
  EXPECT_TRUE(now());
}

// --- by e-mail

TEST_F(CachedUserStoreTest, ALoadByEmailGivesFactsForBothKeys) {
  const auto found = find_email();
  answer(0, reading(user(1, "ann@example.org"), 10));
  EXPECT_EQ(result(found).value->user.id, id);
  EXPECT_TRUE(now());
  ASSERT_TRUE(email_now());
  EXPECT_EQ(email_now()->value, now()->value);
  EXPECT_TRUE(store.find_now(*Email::parse("ANN@EXAMPLE.ORG"), {}, clock.now()));
}

TEST_F(CachedUserStoreTest, AnUnknownAddressIsRememberedAsAbsent) {
  const auto found = find_email();
  answer(0, reading(nullptr, 10));
  ASSERT_TRUE(email_now());
  EXPECT_EQ(email_now()->value, nullptr);
}

TEST_F(CachedUserStoreTest, AUserFoundByAnAddressMustStillHaveIt) {
  find_email();
  answer(0, reading(user(1, "ann@example.org"), 10));
  load(user(1, "new@example.org"), 11);  // the user's key is fresher than the address's
  EXPECT_FALSE(email_now());
  EXPECT_FALSE(find_email()->done());  // the primary decides
}

TEST_F(CachedUserStoreTest, AnAddressWhoseUserIsNotRememberedAsksThePrimary) {
  find_email();
  answer(0, reading(user(1, "ann@example.org"), 10));
  poll(12, {{.xid = 11, .key = "user:1"}});
  EXPECT_FALSE(email_now());
}

TEST_F(CachedUserStoreTest, AChangedAddressIsForgotten) {
  find_email();
  answer(0, reading(nullptr, 10));
  poll(12, {{.xid = 11, .key = "email:ann@example.org"}});
  EXPECT_FALSE(email_now());
}

// --- when the database is away

class StaleAnswers : public CachedUserStoreTest {
 protected:
  void SetUp() override {
    load(user(1, "ann@example.org"), 10);
    clock.advance(2500ms);  // no poll since
  }
  Ref find_while_away(ReadOptions options, ErrorCode error = ErrorCode::unavailable) {
    const auto found = find(options);
    answer(inner.finds.count() - 1, fail(error));
    return found;
  }
};

TEST_F(StaleAnswers, AreNotGivenUnlessSomebodySaysSo) {
  EXPECT_EQ(find_while_away({})->value->error().code, ErrorCode::unavailable);
}

TEST_F(StaleAnswers, CarryTheirAgeSinceTheLastPoll) {
  for (const auto error : {ErrorCode::unavailable, ErrorCode::timeout, ErrorCode::overloaded}) {
    const auto found = find_while_away({.max_stale = 10s}, error);
    EXPECT_EQ(result(found).source, Source::stale);
    EXPECT_EQ(result(found).age, 3s);
  }
  EXPECT_EQ(cache.stats().stale_answers, 3U);
}

TEST_F(StaleAnswers, AreNotOlderThanAllowed) {
  EXPECT_EQ(find_while_away({.max_stale = 2s})->value->error().code, ErrorCode::unavailable);
}

TEST_F(StaleAnswers, AreNotGivenForOtherErrors) {
  EXPECT_EQ(find_while_away({.max_stale = 10s}, ErrorCode::internal)->value->error().code,
            ErrorCode::internal);
}

TEST_F(StaleAnswers, AreNotGivenToWhoInsistsOnThePrimary) {
  EXPECT_FALSE(find_while_away({.from_primary = true, .max_stale = 10s})->value->has_value());
}

TEST_F(StaleAnswers, AreNotGivenForAKeyThatIsHeld) {
  const std::vector<std::string> keys{"user:1"};
  cache.coherence().hold(keys);
  EXPECT_FALSE(find_while_away({.max_stale = 10s})->value->has_value());
}

TEST_F(StaleAnswers, CanBeAllowedByTheOperator) {
  Cache tolerant{{.coherence = {.capacity_bytes = 1 << 20}, .stale_if_error = 60s}, clock};
  CachedUserStore users{inner, tolerant};
  tolerant.coherence().apply({.sent_at = clock.now(), .stamp = stamp(10)});
  loop.start(users.find(id, {}));
  answer(inner.finds.count() - 1, reading(user(1, "ann@example.org"), 10));
  clock.advance(30s);
  const auto found = loop.start(users.find(id, {}));
  answer(inner.finds.count() - 1, fail(ErrorCode::unavailable));
  EXPECT_EQ(result(found).source, Source::stale);
  EXPECT_EQ(result(found).age, 30s);
}

TEST_F(CachedUserStoreTest, EverythingElsePassesThrough) {
  loop.start(store.list({}, {}));
  loop.start(store.search("x", {}, {}));
  loop.start(store.count("", {}));
  loop.start(store.has_admin({}));
  loop.start(store.insert({.email = email}, {}));
  loop.start(store.insert_many({}, {}));
  loop.start(store.update({.id = id}, {}));
  loop.start(store.remove({.id = id}, {}));
  loop.start(store.add_usage({.user = id, .amount = Usd{}}, {}));
  loop.start(store.credentials(email, {}));
  loop.start(store.credentials(id, {}));
  loop.start(store.rehash({.id = id, .old_hash = Secret{}, .new_hash = Secret{}}, {}));
  loop.start(store.end_sessions(id, {}));
  loop.start(store.invalidate(id, {}));
  EXPECT_EQ(inner.names, (std::vector<std::string>{"list", "search", "count", "has_admin", "insert",
                                                   "insert_many", "update", "remove", "add_usage",
                                                   "credentials by email", "credentials by id",
                                                   "rehash", "end_sessions", "invalidate"}));
}

}  // namespace
}  // namespace um

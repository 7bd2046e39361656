#include "cache/cached_session_store.hpp"

#include <gtest/gtest.h>

#include "cache/testing/cache_stage.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;

Stamp stamp_in(Xid xmax) {
  return {.tau = {.high = 1, .low = 1}, .snapshot = {.xmax = xmax}};
}

class CachedSessionStoreTest : public ::testing::Test {
 protected:
  CachedSessionStoreTest() {
    cache.coherence().apply({.sent_at = clock.now(), .stamp = stamp_in(10)});
  }
  std::shared_ptr<Outcome<Result<SessionReading>>> find(ReadOptions options = {}) {
    return loop.start(store.find(id, options));
  }
  void answer(std::size_t query, Result<SessionReading> result) {
    inner.finds.answer(query, std::move(result));
    loop.settle();
  }
  void load() {
    find();
    auto session = std::make_shared<Session>(Session{.id = id, .user_id = *UserId::from(1)});
    answer(inner.finds.count() - 1, SessionReading{.value = session, .stamp = stamp_in(10)});
  }
  bool known() { return store.find_now(id, {}, clock.now()).has_value(); }

  const SessionId id = SessionId::random();
  ManualClock clock;
  PausedSessionStore inner;
  Cache cache{{.coherence = {.capacity_bytes = 1 << 20}, .stale_if_error = 5s}, clock};
  CachedSessionStore store{inner, cache};
  TestLoop loop;  // the last: its coroutines use the others
};

TEST_F(CachedSessionStoreTest, RemembersASession) {
  EXPECT_FALSE(known());
  load();
  const auto found = store.find_now(id, {}, clock.now());
  ASSERT_TRUE(found);
  EXPECT_EQ(found->value->id, id);
  EXPECT_EQ(found->source, Source::l1);
}

TEST_F(CachedSessionStoreTest, ARevokedSessionIsGoneAndItsAbsenceIsRemembered) {
  load();
  const std::vector<std::string> keys{CacheKey::of(id).str()};
  cache.coherence().hold(keys);
  EXPECT_FALSE(known());
  cache.coherence().settle(keys, 10);
  find();
  answer(1, SessionReading{.stamp = stamp_in(11)});
  ASSERT_TRUE(known());
  EXPECT_EQ(store.find_now(id, {}, clock.now())->value, nullptr);
}

TEST_F(CachedSessionStoreTest, ARequestsWishForStaleAnswersIsNotHeardTheOperatorsIs) {
  load();
  clock.advance(3s);
  const auto within = find({.max_stale = 100s});
  answer(1, fail(ErrorCode::unavailable));
  EXPECT_EQ(within->value->value().source, Source::stale);
  clock.advance(3s);
  const auto beyond = find({.max_stale = 100s});
  answer(2, fail(ErrorCode::unavailable));
  EXPECT_EQ(beyond->value->error().code, ErrorCode::unavailable);
}

TEST_F(CachedSessionStoreTest, EverythingElsePassesThrough) {
  loop.start(store.create({.id = id, .user_id = *UserId::from(1)}, {}));
  loop.start(store.revoke({.id = id}, {}));
  loop.start(store.list(*UserId::from(1), {}));
  loop.start(store.purge({}, {}));
  EXPECT_EQ(inner.names, (std::vector<std::string>{"create", "revoke", "list", "purge"}));
}

}  // namespace
}  // namespace um

// The contract suites on a cache around PostgreSQL, and what only the two together can show: that
// reads from memory keep up with every kind of write, through the real feed.
#include <random>
#include <thread>

#include "contract/cached_under_test.hpp"
#include "contract/postgres_under_test.hpp"
#include "support/promise.hpp"

namespace um::test {
namespace {

Backend cached_backend() {
  return {"postgres", [] { return std::make_unique<CachedUnderTest>(postgres_backend()); }};
}

#define UM_ON_CACHE(Suite) \
  INSTANTIATE_TEST_SUITE_P(Cached, Suite, ::testing::Values(cached_backend()), name_of)

UM_ON_CACHE(UserStoreContract);
UM_ON_CACHE(UserSearchContract);
UM_ON_CACHE(UserStoreConcurrencyContract);
UM_ON_CACHE(SessionStoreContract);

class CachedPostgres : public ::testing::Test {
 protected:
  static constexpr Deadline kNever{};

  CachedPostgres() {
    poll_until([&] { return under_test.stats().coherence.lease_valid; });
  }
  // The feed waits for real time between two polls, a few milliseconds.
  template <class Condition>
  void poll_until(Condition condition) {
    while (!condition()) std::this_thread::yield();
  }
  UserStore& users() { return under_test.users(); }
  SessionStore& sessions() { return under_test.sessions(); }
  UserId add(const std::string& address) {
    NewUser user{.email = *Email::parse(address)};
    user.password_hash = Secret{"hash"};
    return run(users().insert(std::move(user), kNever)).value()->user.id;
  }
  std::string read(UserId id, bool from_primary) {
    const auto user = run(users().find(id, {.from_primary = from_primary})).value().value;
    return user ? user->etag + std::to_string(user->user.auth_epoch) : "";
  }
  std::string read(const Email& address, bool from_primary) {
    const auto user = run(users().find(address, {.from_primary = from_primary})).value().value;
    return user ? user->etag : "";
  }
  std::string read(const SessionId& id, bool from_primary) {
    const auto session = run(sessions().find(id, {.from_primary = from_primary})).value().value;
    return session ? std::to_string(session->auth_epoch) : "";
  }

  CachedUnderTest under_test{postgres_backend()};
};

TEST_F(CachedPostgres, AChangeByAnotherProgramIsSeenAfterThePoll) {
  const UserId id = add("ann@x.org");
  read(id, false);
  under_test.rename_elsewhere(id, "Elsewhere");
  poll_until(
      [&] { return run(users().find(id, {})).value().value->user.last_name == "Elsewhere"; });
  EXPECT_EQ(read(id, false), read(id, true));
}

// Whatever is written, a read that memory may answer says the same as one that it may not.
TEST_F(CachedPostgres, MemoryKeepsUpWithEveryKindOfWrite) {
  std::mt19937 random{7};
  std::vector<UserId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(add("user" + std::to_string(i) + "@x.org"));
  SessionId last = SessionId::random();
  for (int step = 0; step < 600; ++step) {
    const UserId id = ids[random() % ids.size()];
    const auto address = *Email::parse("user" + std::to_string(random() % 8) + "@x.org");
    NewSession session{.id = SessionId::random(), .user_id = id};
    session.created_at = under_test.clock().wall_now();
    session.expires_at = session.created_at + std::chrono::hours{1};
    session.verified_hash = Secret{"hash"};
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
        if (random() % 10 == 0) run(users().remove({.id = id}, kNever));
        break;
      case 5:
        if (run(sessions().create(session, kNever))) last = session.id;
        break;
      case 6:
        run(sessions().revoke({.id = last}, kNever));
        break;
      default:
        run(users().insert({.email = address}, kNever));
    }
    ASSERT_EQ(read(id, false), read(id, true)) << kBroken << step;
    ASSERT_EQ(read(address, false), read(address, true)) << kBroken << step;
    ASSERT_EQ(read(last, false), read(last, true)) << kBroken << step;
  }
  const auto stats = under_test.stats().coherence;
  EXPECT_GT(stats.holds, 100U);
  EXPECT_GT(stats.hits[static_cast<std::size_t>(EntryKind::user)], 20U);
}

}  // namespace
}  // namespace um::test

// CachedUnderTest: a cache around any storage under test, with that storage's feed. The suites of
// storage_under_test.hpp run on it, and CachedContract, which needs a cache and a feed together.
#pragma once

#include <thread>

#include "cache/cached_session_store.hpp"
#include "cache/cached_user_store.hpp"
#include "contract/storage_under_test.hpp"
#include "support/promise.hpp"

namespace um::test {

class CachedUnderTest final : public StorageUnderTest {
 public:
  explicit CachedUnderTest(const Backend& backend) : inner_{backend.make()} {
    inner_->storage().changes().start(cache_.coherence());
    while (stats().coherence.polls == 0) std::this_thread::yield();
    // Leases of instances before this one have ended after that time: writes wait for nobody.
    clock().advance(std::chrono::seconds{1});
  }
  ~CachedUnderTest() override { inner_->storage().changes().stop(); }

  Storage& storage() override { return inner_->storage(); }
  UserStore& users() override { return users_; }
  SessionStore& sessions() override { return sessions_; }
  ManualClock& clock() override { return inner_->clock(); }
  void rename_elsewhere(UserId id, std::string last_name) override {
    inner_->rename_elsewhere(id, std::move(last_name));
  }

  CacheStats stats() const { return cache_.stats(); }

 private:
  std::unique_ptr<StorageUnderTest> inner_;
  Cache cache_{{.coherence = {.capacity_bytes = std::size_t{1} << 20}}, inner_->clock()};
  CachedUserStore users_{inner_->users(), cache_};
  CachedSessionStore sessions_{inner_->sessions(), cache_};
};

// The parameter is the storage inside the cache.
class CachedContract : public ::testing::TestWithParam<Backend> {
 protected:
  static constexpr Deadline kNever{};
  static constexpr ReadOptions kPrimary{.from_primary = true};

  CachedContract() { wait_for_lease(); }
  // Waits for one poll in each round; advancing the clock makes SQLite's next poll due.
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
  SessionStore& sessions() { return under_test.sessions(); }
  UserId add(const std::string& address) {
    NewUser user{.email = *Email::parse(address)};
    user.password_hash = Secret{"hash"};
    return run(users().insert(std::move(user), kNever)).value()->user.id;
  }
  NewSession login(UserId user) {
    NewSession session{.id = SessionId::random(), .user_id = user};
    session.created_at = under_test.clock().wall_now();
    session.expires_at = session.created_at + std::chrono::hours{1};
    session.verified_hash = Secret{"hash"};
    return session;
  }
  UserRef read(UserId id) { return run(users().find(id, {})).value().value; }
  std::optional<UserReading> remembered(UserId id) {
    return users().find_now(id, {}, under_test.clock().now());
  }
  std::uint64_t hits(EntryKind kind) {
    return under_test.stats().coherence.hits[static_cast<std::size_t>(kind)];
  }

  // Memory is read first, because the following read of the primary would correct it.
  template <class Key>
  void expect_memory_right_of(const Key& key) {
    const std::string said = text(users().find(key, {}));
    EXPECT_EQ(said, text(users().find(key, kPrimary))) << kBroken;
  }
  void expect_memory_right_of(const SessionId& id) {
    const std::string said = text(sessions().find(id, {}));
    EXPECT_EQ(said, text(sessions().find(id, kPrimary))) << kBroken;
  }

  CachedUnderTest under_test{GetParam()};

 private:
  // Empty: not stored.
  static std::string text(Task<Result<UserReading>> reading) {
    const UserRef user = run(std::move(reading)).value().value;
    // auth_epoch is not part of the ETag, but it decides which sessions are valid.
    return user ? user->etag + ' ' + std::to_string(user->user.auth_epoch) : "";
  }
  static std::string text(Task<Result<SessionReading>> reading) {
    const SessionRef session = run(std::move(reading)).value().value;
    return session ? std::to_string(session->auth_epoch) : "";
  }
};

}  // namespace um::test

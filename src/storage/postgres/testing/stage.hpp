// PostgresStage: the stores of PostgreSQL on a database of the test's own. Instead of the feed, an
// observer records the calls.
#pragma once

#include <algorithm>
#include <functional>

#include "storage/postgres/stores.hpp"
#include "support/postgres_database.hpp"
#include "support/run_task.hpp"

namespace um::test {

// Plays the feed of an instance that is alone: no write waits.
class RecordingObserver final : public PostgresWriteObserver {
 public:
  explicit RecordingObserver(const TestDatabase& db) : db_{db} {}
  struct Write {
    std::vector<std::string> keys;
    bool ended = false;
    std::optional<Xid> xid{};
  };
  void before_commit(std::span<const std::string> keys) override {
    {
      const std::scoped_lock lock{mutex_};
      writes_.push_back({.keys = {keys.begin(), keys.end()}});
    }
    if (on_commit) on_commit();
  }
  void after_commit(std::span<const std::string> keys, const WriteEnd& end) override {
    std::optional<Xid> xid;
    if (end.fate == WriteEnd::Fate::committed) xid = end.xid;
    const std::scoped_lock lock{mutex_};
    const std::vector<std::string> same{keys.begin(), keys.end()};
    const auto write = std::ranges::find_if(
        writes_, [&](const Write& begun) { return !begun.ended && begun.keys == same; });
    if (write == writes_.end()) throw std::logic_error("the end of nothing");
    write->ended = true;
    write->xid = xid;
  }
  std::optional<StrictTerms> terms() const override {
    const std::scoped_lock lock{mutex_};
    if (!terms_) {
      auto session = db_.session();
      terms_ = {.name_space = session.text("SELECT coalesce(public.cache_namespace(), '')"),
                .epoch = session.integer("SELECT epoch FROM public.cache_settings"),
                .first_seen = BootTime::min(),
                .company = false};
    }
    return terms_;
  }
  bool follows() const override { return true; }
  void note_company() override {}
  // The namespace has changed.
  void forget_terms() {
    const std::scoped_lock lock{mutex_};
    terms_.reset();
  }
  std::vector<Write> take() {
    const std::scoped_lock lock{mutex_};
    return std::exchange(writes_, {});
  }

  // Called before COMMIT, on the driver's thread or the caller's.
  std::function<void()> on_commit;

 private:
  const TestDatabase& db_;
  mutable std::mutex mutex_;
  std::vector<Write> writes_;
  mutable std::optional<StrictTerms> terms_;
};

// The stores over any URL of the database.
struct PostgresStores {
  PostgresStores(const std::string& url, const Clock& clock, PostgresWriteObserver& observer,
                 std::chrono::milliseconds patience = std::chrono::seconds{20})
      : database{{.url = Secret{url},
                  .clock = &clock,
                  .look_up_timeout = std::chrono::seconds{60},
                  .statement_timeout = std::chrono::seconds{60},
                  .outcome_patience = patience},
                 observer} {}

  PostgresDatabase database;
  PostgresUserStore users{database};
  PostgresSessionStore sessions{database};
  PostgresSigningKeyStore keys{database};
};

class PostgresStage {
 public:
  static constexpr Deadline kNever{};

  UserStore& users() { return stores.users; }
  SessionStore& sessions() { return stores.sessions; }

  static NewUser named(std::string_view address) {
    return {.email = Email::parse(address).value()};
  }
  UserId add(std::string_view address, std::string_view hash = "hash") {
    NewUser user = named(address);
    user.password_hash = Secret{std::string{hash}};
    return run(users().insert(std::move(user), kNever)).value()->user.id;
  }
  NewSession login(UserId user, std::string_view hash = "hash") {
    NewSession session{.id = SessionId::random(), .user_id = user};
    session.created_at = clock.wall_now();
    session.expires_at = clock.wall_now() + std::chrono::hours{24};
    session.verified_hash = Secret{std::string{hash}};
    return session;
  }
  UserRef find(UserId id) { return run(users().find(id, {})).value().value; }

  TestDatabase db;
  ManualClock clock;
  RecordingObserver observer{db};
  PostgresStores stores{db.url(), clock, observer};
};

}  // namespace um::test

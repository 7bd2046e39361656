// The same random steps on SQLite and on PostgreSQL: for any order of calls, and for any invalid
// argument, both give the same results.
#include "contract/both_stores.hpp"
#include "contract/random_values.hpp"
#include "support/effort.hpp"

namespace um::test {
namespace {

const int kSteps = is_thorough() ? 2'500 : 500;
constexpr Deadline kNever{};

class PostgresDifferential : public ::testing::TestWithParam<unsigned>, protected RandomValues {
 protected:
  PostgresDifferential() : RandomValues{GetParam()} {}

  using Function = std::function<std::string(Storage&, UserId)>;

  struct Known {
    SessionId id;
    Twin owner;
  };

  // Sometimes a user that was removed, or never existed.
  Twin twin() {
    if (twins_.empty() || one_in(25)) {
      const auto nobody = UserId::from(77'000'000 + static_cast<std::int64_t>(random_() % 100));
      return {.lite = *nobody, .pg = *nobody};
    }
    return pick(twins_);
  }

  NewUser new_user() {
    NewUser user{.email = email()};
    if (one_in(2)) user.username = username();
    user.first_name = name();
    user.last_name = name();
    if (one_in(6)) user.role = one_in(2) ? Role::admin : Role::service;
    user.is_active = !one_in(8);
    if (one_in(3)) user.quota_usd = usd();
    if (one_in(4)) user.model_capability_settings = R"({"b": [1,  2.50e1], "a":"\u00e9'"})";
    if (!one_in(4)) user.password_hash = Secret{hash()};
    if (one_in(10)) user.id = given_id();
    if (one_in(100)) user.id = UserId::from((std::int64_t{1} << 53U) + 1);
    if (one_in(5)) user.used_usd = usd();
    if (one_in(5)) user.created_at = both_.clock.wall_now() - std::chrono::microseconds{random_()};
    return user;
  }

  UserChange change() {
    UserChange change;
    if (one_in(3)) change.email = email();
    if (one_in(5)) change.username = one_in(3) ? std::nullopt : std::optional{username()};
    if (one_in(3)) change.first_name = name();
    if (one_in(3)) change.last_name = name();
    if (one_in(6)) change.role = one_in(2) ? Role::admin : Role::user;
    if (one_in(6)) change.is_active = one_in(2);
    if (one_in(6)) change.quota_usd = one_in(3) ? std::nullopt : std::optional{usd()};
    if (one_in(6)) {
      change.model_capability_settings =
          one_in(2) ? std::nullopt : std::optional<std::string>{R"({"x":null})"};
    }
    if (one_in(6)) change.password_hash = Secret{hash()};
    if (one_in(8) && !sessions_.empty()) change.keep_session = pick(sessions_).id;
    return change;
  }

  // The present revision in each database, sometimes made wrong in one of two ways.
  std::optional<Revision> revision_in(Storage& storage, UserId id, unsigned how) {
    if (how < 4) return std::nullopt;
    const auto found = run(storage.users().find(id, {.from_primary = true}));
    if (!found || !found->value) return Revision{.version = 1};
    Revision revision = found->value->revision;
    if (how == 4) ++revision.version;
    if (how == 5) revision.digest = "0123456789abcdef";
    if (how == 6) revision.digest.clear();
    return revision;
  }

  void insert();
  void insert_many();
  void update();
  void remove();
  void usage();
  void sign_in();
  void sessions();
  void read();
  void pages();
  void others();
  void step();
  void compare_everything();

  BothStores both_;
  std::vector<Twin> twins_;
  std::vector<Known> sessions_;
};

void PostgresDifferential::insert() {
  const NewUser user = new_user();
  std::vector<UserId> ids;
  both_.same("insert", twin(), [&](Storage& storage, UserId) {
    const auto inserted = run(storage.users().insert(user, kNever));
    if (inserted) ids.push_back((*inserted)->user.id);
    return text_of(inserted);
  });
  if (ids.size() == 2) twins_.push_back({.lite = ids[0], .pg = ids[1]});
}

void PostgresDifferential::insert_many() {
  UserStore::InsertMany batch{.rehearse = one_in(3)};
  const auto rows = random_() % 12;
  const bool given = one_in(3);
  for (unsigned i = 0; i < rows; ++i) {
    NewUser user = new_user();
    if (given && one_in(2)) user.id = given_id();
    batch.users.push_back(std::move(user));
  }
  std::vector<std::vector<UserId>> ids;
  both_.same("insert_many", twin(), [&](Storage& storage, UserId) {
    const auto answers = run(storage.users().insert_many(batch, kNever));
    auto& inserted = ids.emplace_back();
    if (answers) {
      for (const auto& answer : *answers) {
        if (answer) inserted.push_back(*answer);
      }
    }
    return text_of(answers);
  });
  if (batch.rehearse || ids.size() != 2) return;
  for (std::size_t i = 0; i < ids[0].size() && i < ids[1].size(); ++i) {
    twins_.push_back({.lite = ids[0][i], .pg = ids[1][i]});
  }
}

void PostgresDifferential::update() {
  const UserChange wanted = change();
  const unsigned how = random_() % 8;
  both_.same("update", twin(), [&](Storage& storage, UserId id) {
    const auto before = run(storage.users().find(id, {.from_primary = true}));
    const UpdateUser update{.id = id, .expected = revision_in(storage, id, how), .change = wanted};
    const auto updated = run(storage.users().update(update, kNever));
    std::string text = text_of(updated);
    if (!updated || !before || !before->value) return text;
    const User& old = before->value->user;
    text += (*updated)->user.version > old.version ? " new version" : " same version";
    return text + ((*updated)->user.auth_epoch > old.auth_epoch ? " new epoch" : " same epoch");
  });
}

void PostgresDifferential::remove() {
  const unsigned how = random_() % 8;
  both_.same("remove", twin(), [&](Storage& storage, UserId id) {
    return text_of(
        run(storage.users().remove({.id = id, .expected = revision_in(storage, id, how)}, kNever)));
  });
}

void PostgresDifferential::usage() {
  UsageRecord usage{.user = twin().lite, .amount = usd()};
  if (one_in(2)) usage.amount = *Usd::from_micros(static_cast<std::int64_t>(1 + random_() % 9));
  if (one_in(20)) usage.amount = *Usd::from_micros(-1);
  if (one_in(2)) usage.idempotency_key = "key\"\\{" + std::to_string(random_() % 4);
  both_.same("usage", twin(), [&](Storage& storage, UserId id) {
    usage.user = id;
    return text_of(run(storage.users().add_usage(usage, kNever)));
  });
}

void PostgresDifferential::sign_in() {
  const Twin user = twin();
  NewSession session{.id = SessionId::random(), .user_id = user.lite};
  session.created_at = both_.clock.wall_now();
  session.expires_at = session.created_at + std::chrono::minutes{random_() % 300};
  session.address = "192.0.2.1";
  session.user_agent = "curl/8 \"'\\";
  if (one_in(5)) session.kind = SessionKind::service_token;
  const bool wrong = one_in(6);
  both_.same("sign_in", user, [&](Storage& storage, UserId id) {
    session.user_id = id;
    session.verified_hash.reset();
    const auto known = run(storage.users().credentials(id, kNever));
    if (session.kind == SessionKind::login) {
      session.verified_hash = Secret{wrong ? "wrong" : ""};
      if (!wrong && known && *known) session.verified_hash = (*known)->password_hash;
    }
    return text_of(run(storage.sessions().create(session, kNever)));
  });
  sessions_.push_back({.id = session.id, .owner = user});
}

void PostgresDifferential::sessions() {
  if (sessions_.empty()) return;
  const std::size_t recent = std::min<std::size_t>(sessions_.size(), 12);
  const Known known = sessions_[sessions_.size() - 1 - random_() % recent];
  const Twin owner = one_in(4) ? twin() : known.owner;
  switch (random_() % 5) {
    case 0:
      return both_.same("revoke", owner, [&](Storage& storage, UserId id) {
        return text_of(run(storage.sessions().revoke({.id = known.id, .owner = id}, kNever)));
      });
    case 1:
      return both_.same("revoke any", owner, [&](Storage& storage, UserId) {
        return text_of(run(storage.sessions().revoke({.id = known.id}, kNever)));
      });
    case 2:
      return both_.same("sessions", owner, [](Storage& storage, UserId id) {
        return text_of(run(storage.sessions().list(id, kNever)));
      });
    case 3:
      return both_.same("purge", owner, [&](Storage& storage, UserId) {
        return text_of(run(storage.sessions().purge({.now = both_.clock.wall_now()}, kNever)));
      });
    default:
      return both_.same("find session", owner, [&](Storage& storage, UserId) {
        return text_of(run(storage.sessions().find(known.id, {.from_primary = true})));
      });
  }
}

void PostgresDifferential::read() {
  const Email address = email();
  both_.same("find", twin(), [](Storage& storage, UserId id) {
    return text_of(run(storage.users().find(id, {.from_primary = true})));
  });
  both_.same("find by email", twin(), [&](Storage& storage, UserId) {
    return text_of(run(storage.users().find(address, {.from_primary = true})));
  });
  both_.same("credentials", twin(), [&](Storage& storage, UserId id) {
    return text_of(run(storage.users().credentials(id, kNever))) +
           text_of(run(storage.users().credentials(address, kNever)));
  });
}

void PostgresDifferential::pages() {
  Page page{.limit = static_cast<std::int64_t>(1 + random_() % 7)};
  if (one_in(3)) page.offset = static_cast<std::int64_t>(random_() % 30);
  const bool keyset = page.offset == 0 && one_in(2);
  const std::string wanted = keyword();
  both_.same("list", twin(), [&](Storage& storage, UserId id) {
    if (keyset) page.after = id;
    return text_of(run(storage.users().list(page, kNever)));
  });
  both_.same("search", twin(), [&](Storage& storage, UserId id) {
    if (keyset) page.after = id;
    return text_of(run(storage.users().search(wanted, page, kNever))) +
           text_of(run(storage.users().count(wanted, kNever)));
  });
}

void PostgresDifferential::others() {
  const bool wrong = one_in(3);
  const Secret next{hash()};
  switch (random_() % 5) {
    case 0:
      return both_.same("end_sessions", twin(), [](Storage& storage, UserId id) {
        return text_of(run(storage.users().end_sessions(id, kNever)));
      });
    case 1:
      return both_.same("invalidate", twin(), [](Storage& storage, UserId id) {
        return text_of(run(storage.users().invalidate(id, kNever)));
      });
    case 2:
      return both_.same("rehash", twin(), [&](Storage& storage, UserId id) {
        const auto known = run(storage.users().credentials(id, kNever));
        UserStore::Rehash rehash{.id = id, .old_hash = Secret{"wrong"}, .new_hash = next};
        if (!wrong && known && *known) rehash.old_hash = (*known)->password_hash;
        return text_of(run(storage.users().rehash(rehash, kNever)));
      });
    case 3:
      return both_.same("has_admin", twin(), [](Storage& storage, UserId) {
        return text_of(run(storage.users().has_admin(kNever)));
      });
    default:
      return both_.same("housekeeping", twin(), [&](Storage& storage, UserId) {
        return text_of(run(storage.housekeeping(both_.clock.wall_now(), kNever)));
      });
  }
}

void PostgresDifferential::step() {
  if (one_in(2)) both_.clock.advance(std::chrono::microseconds{random_() / 8});  // 9 minutes
  switch (random_() % 16) {
    case 0:
    case 1:
      return insert();
    case 2:
      return one_in(3) ? insert_many() : insert();
    case 3:
    case 4:
    case 5:
      return update();
    case 6:
      return one_in(2) ? remove() : update();
    case 7:
    case 8:
      return usage();
    case 9:
    case 10:
      return sign_in();
    case 11:
    case 12:
      return sessions();
    case 13:
      return read();
    case 14:
      return pages();
    default:
      return others();
  }
}

void PostgresDifferential::compare_everything() {
  both_.same("all users", twin(), [](Storage& storage, UserId) {
    return text_of(run(storage.users().list({.limit = 10'000}, kNever)));
  });
  for (const Known& known : sessions_) {
    both_.same("all sessions", known.owner, [&](Storage& storage, UserId id) {
      const auto session = run(storage.sessions().find(known.id, {.from_primary = true}));
      const auto user = run(storage.users().find(id, {.from_primary = true}));
      std::string text = text_of(session);
      if (!session->value || !user->value) return text;
      const bool alive = session->value->auth_epoch == user->value->user.auth_epoch;
      return text + (alive ? " alive" : " over");
    });
  }
}

TEST_P(PostgresDifferential, BothDatabasesAnswerTheSame) {
  for (int number = 0; number < kSteps; ++number) {
    SCOPED_TRACE("step " + std::to_string(number));
    step();
    if (HasFatalFailure()) return;
    if (number % 500 == 499) compare_everything();
    if (HasFatalFailure()) return;
  }
  if (!is_thorough()) return;
  // A run in which an outcome never occurred proves nothing about it.
  for (const char* seen : {"insert",
                           "insert: error email_taken",
                           "insert: error username_taken",
                           "insert: error conflict",
                           "insert: error invalid",
                           "insert_many",
                           "update",
                           "update: error conflict",
                           "update: error not_found",
                           "update: error email_taken",
                           "update: error username_taken",
                           "remove",
                           "remove: error not_found",
                           "usage",
                           "usage: error conflict",
                           "usage: error invalid",
                           "usage: error not_found",
                           "sign_in",
                           "sign_in: error invalid_credentials",
                           "revoke",
                           "revoke: error not_found",
                           "sessions",
                           "purge",
                           "search"}) {
    EXPECT_TRUE(both_.answers().contains(seen)) << seen;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, PostgresDifferential, ::testing::Values(1U, 2U, 3U, 4U),
                         [](const auto& seed) { return "seed_" + std::to_string(seed.param); });

}  // namespace
}  // namespace um::test

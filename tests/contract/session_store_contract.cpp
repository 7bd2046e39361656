#include "contract/storage_under_test.hpp"

namespace um::test {
namespace {

using namespace std::chrono_literals;

NewUser with_hash(std::string_view address, std::string_view hash) {
  NewUser user{.email = Email::parse(address).value()};
  user.password_hash = Secret{std::string{hash}};
  return user;
}

TEST_P(SessionStoreContract, ALoginIsStoredWithTheEpochOfItsUser) {
  const UserRef user = insert(with_hash("one@x.org", "hash"));
  NewSession wanted = login(user->user.id, "hash");
  wanted.address = "192.0.2.1";
  wanted.user_agent = "curl/8";
  const auto created = create_session(wanted);
  ASSERT_TRUE(created);
  const SessionRef found = find(wanted.id);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->user_id, user->user.id);
  EXPECT_EQ(found->auth_epoch, user->user.auth_epoch);
  EXPECT_EQ(found->kind, SessionKind::login);
  EXPECT_EQ(found->expires_at, wanted.expires_at);
  EXPECT_EQ(found->address, "192.0.2.1");
  EXPECT_EQ(found->user_agent, "curl/8");
}

TEST_P(SessionStoreContract, ALoginSetsLastLoginAndNoVersion) {
  const UserRef before = insert(with_hash("one@x.org", "hash"));
  clock().advance(5s);
  const auto created = create_session(login(before->user.id, "hash"));
  ASSERT_TRUE(created);
  const UserRef after = find(before->user.id);
  EXPECT_EQ(created->user->json, after->json);
  EXPECT_EQ(created->user->etag, after->etag);
  EXPECT_EQ(created->session->auth_epoch, after->user.auth_epoch);
  EXPECT_EQ(after->user.last_login_at, clock().wall_now());
  EXPECT_EQ(after->revision, before->revision);
  EXPECT_NE(after->etag, before->etag);
}

TEST_P(SessionStoreContract, AHashThatIsNotThereAnyMoreSignsNobodyIn) {
  const UserId id = insert(with_hash("one@x.org", "hash"))->user.id;
  EXPECT_EQ(code(create_session(login(id, "other"))), ErrorCode::invalid_credentials);
  EXPECT_EQ(code(create_session(login(*UserId::from(4711), "hash"))),
            ErrorCode::invalid_credentials);
  EXPECT_FALSE(find(id)->user.last_login_at);
  const UserId without = insert(named("two@x.org"))->user.id;
  EXPECT_EQ(code(create_session(login(without, ""))), ErrorCode::invalid_credentials);
}

TEST_P(SessionStoreContract, WhoIsDisabledGetsNoSession) {
  NewUser user = with_hash("one@x.org", "hash");
  user.is_active = false;
  const UserId id = insert(user)->user.id;
  EXPECT_EQ(code(create_session(login(id, "hash"))), ErrorCode::invalid_credentials);
  NewSession token = login(id, "");
  token.kind = SessionKind::service_token;
  token.verified_hash.reset();
  EXPECT_EQ(code(create_session(token)), ErrorCode::invalid_credentials);
}

TEST_P(SessionStoreContract, ATokenOfAServiceNeedsNoPasswordAndIsNoLogin) {
  const UserId id = insert(named("one@x.org"))->user.id;
  NewSession token = login(id, "");
  token.kind = SessionKind::service_token;
  token.verified_hash.reset();
  const auto created = create_session(token);
  ASSERT_TRUE(created);
  EXPECT_EQ(created->user->json, find(id)->json);
  EXPECT_EQ(find(token.id)->kind, SessionKind::service_token);
  EXPECT_FALSE(find(id)->user.last_login_at);
}

TEST_P(SessionStoreContract, RevokedIsGoneAndOnlyTheOwnersIsRevoked) {
  const UserId one = insert(with_hash("one@x.org", "hash"))->user.id;
  const UserId two = insert(named("two@x.org"))->user.id;
  const NewSession session = login(one, "hash");
  ASSERT_TRUE(create_session(session));
  EXPECT_EQ(code(run(sessions().revoke({.id = session.id, .owner = two}, kNever))),
            ErrorCode::not_found);
  EXPECT_TRUE(find(session.id));
  EXPECT_TRUE(run(sessions().revoke({.id = session.id, .owner = one}, kNever)));
  EXPECT_FALSE(find(session.id));
  EXPECT_EQ(code(run(sessions().revoke({.id = session.id}, kNever))), ErrorCode::not_found);
  const NewSession second = login(one, "hash");
  ASSERT_TRUE(create_session(second));
  EXPECT_TRUE(run(sessions().revoke({.id = second.id}, kNever)));
}

TEST_P(SessionStoreContract, ListGivesThoseThatAreAliveNewestFirst) {
  const UserId id = insert(with_hash("one@x.org", "hash"))->user.id;
  const NewSession first = login(id, "hash");
  ASSERT_TRUE(create_session(first));
  clock().advance(1h);
  const NewSession second = login(id, "hash");
  ASSERT_TRUE(create_session(second));
  auto listed = run(sessions().list(id, kNever)).value();
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed[0]->id, second.id);
  EXPECT_EQ(listed[1]->id, first.id);
  clock().advance(23h);  // the first expires now
  listed = run(sessions().list(id, kNever)).value();
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0]->id, second.id);
  ASSERT_TRUE(run(users().end_sessions(id, kNever)));
  EXPECT_TRUE(run(sessions().list(id, kNever))->empty());
}

TEST_P(SessionStoreContract, ANewPasswordEndsEverySessionButTheOneThatIsKept) {
  const UserId id = insert(with_hash("one@x.org", "hash"))->user.id;
  const NewSession kept = login(id, "hash");
  const NewSession other = login(id, "hash");
  ASSERT_TRUE(create_session(kept));
  ASSERT_TRUE(create_session(other));
  ASSERT_TRUE(update(id, {.password_hash = Secret{"new"}, .keep_session = kept.id}));
  const auto alive = run(sessions().list(id, kNever)).value();
  ASSERT_EQ(alive.size(), 1U);
  EXPECT_EQ(alive[0]->id, kept.id);
  EXPECT_EQ(find(kept.id)->auth_epoch, find(id)->user.auth_epoch);
  EXPECT_NE(find(other.id)->auth_epoch, find(id)->user.auth_epoch);
  EXPECT_EQ(code(create_session(login(id, "hash"))), ErrorCode::invalid_credentials);
}

TEST_P(SessionStoreContract, ASessionThatIsOverOrAnothersIsNotKept) {
  const UserId id = insert(with_hash("one@x.org", "hash"))->user.id;
  const UserId other = insert(with_hash("two@x.org", "hash"))->user.id;
  const NewSession over = login(id, "hash");
  const NewSession anothers = login(other, "hash");
  ASSERT_TRUE(create_session(over));
  ASSERT_TRUE(create_session(anothers));
  ASSERT_TRUE(run(users().end_sessions(id, kNever)));
  ASSERT_TRUE(update(id, {.password_hash = Secret{"new"}, .keep_session = over.id}));
  EXPECT_TRUE(run(sessions().list(id, kNever))->empty());
  ASSERT_TRUE(update(id, {.password_hash = Secret{"newer"}, .keep_session = anothers.id}));
  EXPECT_EQ(find(anothers.id)->auth_epoch, find(other)->user.auth_epoch);
}

// The change was planned from a row of before the log-out.
TEST_P(SessionStoreContract, ASessionThatWasEndedMeanwhileIsNotKept) {
  const UserRef before = insert(with_hash("one@x.org", "hash"));
  const UserId id = before->user.id;
  const NewSession session = login(id, "hash");
  ASSERT_TRUE(create_session(session));
  ASSERT_TRUE(run(users().end_sessions(id, kNever)));
  ASSERT_TRUE(
      run(users().update({.id = id,
                          .change = {.password_hash = Secret{"new"}, .keep_session = session.id},
                          .known = before},
                         kNever)));
  EXPECT_TRUE(run(sessions().list(id, kNever))->empty());
  EXPECT_NE(find(session.id)->auth_epoch, find(id)->user.auth_epoch);
}

TEST_P(SessionStoreContract, DisablingEndsSessionsForGood) {
  const UserId id = insert(with_hash("one@x.org", "hash"))->user.id;
  ASSERT_TRUE(create_session(login(id, "hash")));
  ASSERT_TRUE(update(id, {.is_active = false}));
  EXPECT_TRUE(run(sessions().list(id, kNever))->empty());
  ASSERT_TRUE(update(id, {.is_active = true}));
  EXPECT_TRUE(run(sessions().list(id, kNever))->empty());
}

TEST_P(SessionStoreContract, RemovingAUserRemovesItsSessions) {
  const UserId id = insert(with_hash("one@x.org", "hash"))->user.id;
  const NewSession session = login(id, "hash");
  ASSERT_TRUE(create_session(session));
  ASSERT_TRUE(run(users().remove({.id = id}, kNever)));
  EXPECT_FALSE(find(session.id));
}

TEST_P(SessionStoreContract, TheOldestLoginsMakeRoomAndTokensStay) {
  const UserId id = insert(with_hash("one@x.org", "hash"))->user.id;
  NewSession token = login(id, "");
  token.kind = SessionKind::service_token;
  token.verified_hash.reset();
  ASSERT_TRUE(create_session(token));
  std::vector<Task<Result<CreatedSession>>> logins;
  const NewSession oldest = login(id, "hash");
  ASSERT_TRUE(create_session(oldest));
  clock().advance(1s);
  for (std::size_t i = 0; i < SessionStore::kMaxSessionsPerUser - 2; ++i) {
    logins.push_back(sessions().create(login(id, "hash"), kNever));
  }
  for (const auto& created : run_all(std::move(logins))) ASSERT_TRUE(created);
  EXPECT_TRUE(find(oldest.id));
  EXPECT_EQ(storage().stats().sessions_displaced, 0U);
  ASSERT_TRUE(create_session(login(id, "hash")));
  EXPECT_EQ(storage().stats().sessions_displaced, 1U);
  EXPECT_FALSE(find(oldest.id));
  EXPECT_TRUE(find(token.id));
  EXPECT_EQ(run(sessions().list(id, kNever))->size(), SessionStore::kMaxSessionsPerUser);
  // Expired sessions are deleted as well, but not counted as displaced.
  clock().advance(25h);
  ASSERT_TRUE(create_session(login(id, "hash")));
  EXPECT_EQ(storage().stats().sessions_displaced, 1U);
}

TEST_P(SessionStoreContract, PurgeDeletesWhatExpiredInBatches) {
  const UserId id = insert(with_hash("one@x.org", "hash"))->user.id;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(create_session(login(id, "hash")));
  clock().advance(1h);
  const NewSession later = login(id, "hash");
  ASSERT_TRUE(create_session(later));
  const WallTime after_three = clock().wall_now() + 23h + 1us;
  EXPECT_EQ(run(sessions().purge({.now = after_three - 1us}, kNever)).value(), 0);
  EXPECT_EQ(run(sessions().purge({.now = after_three, .limit = 2}, kNever)).value(), 2);
  EXPECT_EQ(run(sessions().purge({.now = after_three, .limit = 2}, kNever)).value(), 1);
  EXPECT_TRUE(find(later.id));
  EXPECT_TRUE(run(storage().housekeeping(clock().wall_now() + 48h, kNever)));
  EXPECT_FALSE(find(later.id));
}

TEST_P(SessionStoreContract, AnUnknownSessionIsAFactWithAStamp) {
  const auto reading = run(sessions().find(SessionId::random(), primary()));
  ASSERT_TRUE(reading);
  EXPECT_FALSE(reading->value);
  EXPECT_GT(reading->stamp.snapshot.xmax, 0U);
}

}  // namespace
}  // namespace um::test

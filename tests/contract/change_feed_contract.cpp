#include <gmock/gmock.h>

#include "contract/recording_listener.hpp"
#include "contract/storage_under_test.hpp"
#include "storage/cache_key.hpp"

namespace um::test {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using ::testing::IsSubsetOf;
using ::testing::IsSupersetOf;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAreArray;
using Kind = RecordingListener::Kind;
using Keys = std::vector<std::string>;

// A feed after its first poll, with its listener; stopped before the listener is destroyed.
class Listening {
 public:
  // Leases of instances before this one have ended: writes wait for nobody.
  Listening(ChangeFeed& feed, ManualClock& clock) : feed_{feed} {
    feed_.start(listener_);
    EXPECT_TRUE(listener_.await_apply());
    clock.advance(1s);
    listener_.take();
  }
  ~Listening() { feed_.stop(); }
  RecordingListener* operator->() { return &listener_; }

  // Expects exactly one hold and one settle, of the write that was just answered. A database may
  // hold more keys than it changes: those in `also`.
  void expect_change(const Keys& keys, const Keys& also = {}) {
    const auto events = listener_.take();
    ASSERT_THAT(events, SizeIs(2));
    EXPECT_EQ(events[0].kind, Kind::hold);
    EXPECT_THAT(events[0].keys, IsSupersetOf(keys));
    Keys all = keys;
    all.insert(all.end(), also.begin(), also.end());
    EXPECT_THAT(events[0].keys, IsSubsetOf(all));
    EXPECT_EQ(events[1].kind, Kind::settle);
    EXPECT_THAT(events[1].keys, UnorderedElementsAreArray(events[0].keys));
    EXPECT_TRUE(events[1].xid);
    last_xid = events[1].xid.value_or(0);
  }
  void expect_no_change() {
    for (const auto& event : listener_.take())
      EXPECT_TRUE(event.kind == Kind::hold || (event.kind == Kind::settle && !event.xid));
  }

  Xid last_xid = 0;

 private:
  ChangeFeed& feed_;
  RecordingListener listener_;
};

std::string key(UserId id) {
  return CacheKey::of(id).str();
}
std::string key(const SessionId& id) {
  return CacheKey::of(id).str();
}

TEST_P(ChangeFeedContract, EveryWriteIsHeldAndSettledBeforeItIsAnswered) {
  Listening feed{changes(), clock()};
  NewUser user = named("One@x.org");
  user.password_hash = Secret{"hash"};
  const UserId id = insert(user)->user.id;
  feed.expect_change({key(id), "email:one@x.org"});

  ASSERT_TRUE(update(id, {.first_name = "A"}));
  feed.expect_change({key(id)}, {"email:one@x.org"});
  ASSERT_TRUE(update(id, {.email = email("two@x.org")}));
  feed.expect_change({key(id), "email:one@x.org", "email:two@x.org"});
  ASSERT_TRUE(run(users().add_usage({.user = id, .amount = *Usd::from_micros(1)}, kNever)));
  feed.expect_change({key(id)});
  ASSERT_TRUE(run(users().end_sessions(id, kNever)));
  feed.expect_change({key(id)});

  const NewSession session = login(id, "hash");
  ASSERT_TRUE(create_session(session));
  feed.expect_change({key(id), key(session.id)});  // the user too: last_login_at
  ASSERT_TRUE(run(sessions().revoke({.id = session.id}, kNever)));
  feed.expect_change({key(session.id)});
  const NewSession second = login(id, "hash");
  ASSERT_TRUE(create_session(second));
  feed->take();
  ASSERT_TRUE(update(id, {.password_hash = Secret{"new"}, .keep_session = second.id}));
  feed.expect_change({key(id), key(second.id)}, {"email:two@x.org"});
  ASSERT_TRUE(run(users().remove({.id = id}, kNever)));
  feed.expect_change({key(id), "email:two@x.org"}, {key(second.id)});
}

TEST_P(ChangeFeedContract, WhatChangesNothingIsNotReportedAsAChange) {
  const UserId id = insert(named("one@x.org"))->user.id;
  insert(named("two@x.org"));
  Listening feed{changes(), clock()};
  EXPECT_EQ(code(update(id, {.email = email("two@x.org")})), ErrorCode::email_taken);
  EXPECT_EQ(code(update(*UserId::from(4711), {.first_name = "x"})), ErrorCode::not_found);
  UserStore::InsertMany rehearsal{.rehearse = true};
  rehearsal.users = {named("three@x.org")};
  ASSERT_TRUE(run(users().insert_many(rehearsal, kNever)));
  feed.expect_no_change();
}

TEST_P(ChangeFeedContract, InvalidateAnnouncesKnownAndUnknownUsers) {
  const UserId id = insert(named("one@x.org"))->user.id;
  Listening feed{changes(), clock()};
  ASSERT_TRUE(run(users().invalidate(id, kNever)));
  feed.expect_change({key(id), "email:one@x.org"});
  ASSERT_TRUE(run(users().invalidate(*UserId::from(4711), kNever)));
  feed.expect_change({"user:4711"});
}

TEST_P(ChangeFeedContract, AFactReadAfterAWriteSeesItsXidAndOneFromBeforeDoesNot) {
  Listening feed{changes(), clock()};
  const UserId id = insert(named("one@x.org"))->user.id;
  const auto before = run(users().find(id, primary()));
  feed->take();
  ASSERT_TRUE(update(id, {.first_name = "A"}));
  feed.expect_change({key(id)}, {"email:one@x.org"});
  const auto after = run(users().find(id, primary()));
  ASSERT_TRUE(before && after);
  EXPECT_FALSE(before->stamp.snapshot.sees(feed.last_xid));
  EXPECT_TRUE(after->stamp.snapshot.sees(feed.last_xid));
  EXPECT_EQ(before->stamp.tau, after->stamp.tau);
  EXPECT_TRUE(covers(after->stamp.snapshot, before->stamp.snapshot));
  EXPECT_FALSE(covers(before->stamp.snapshot, after->stamp.snapshot));
}

TEST_P(ChangeFeedContract, AKeyIsHeldWhileOthersStillReadTheOldValue) {
  const UserId id = insert(named("one@x.org"))->user.id;
  RecordingListener listener;
  std::string read_while_held = "nothing was read";
  listener.on_hold = [&] { read_while_held = find(id)->user.first_name; };
  changes().start(listener);
  EXPECT_TRUE(listener.await_apply());
  clock().advance(1s);
  EXPECT_TRUE(update(id, {.first_name = "new"}));
  changes().stop();
  EXPECT_EQ(read_while_held, "");
  EXPECT_EQ(find(id)->user.first_name, "new");
}

TEST_P(ChangeFeedContract, PollsVouchForTheStampOfReads) {
  Listening feed{changes(), clock()};
  clock().advance(1s);
  const auto poll = feed->await_apply(clock().now());
  ASSERT_TRUE(poll);
  EXPECT_EQ(poll->poll->sent_at, clock().now());
  const auto reading = run(users().find(*UserId::from(1), primary()));
  EXPECT_EQ(poll->poll->stamp.tau, reading->stamp.tau);
  EXPECT_TRUE(covers(reading->stamp.snapshot, poll->poll->stamp.snapshot));
}

TEST_P(ChangeFeedContract, ACommitOfAnotherProgramIsReportedByAPoll) {
  const UserId id = insert(named("one@x.org"))->user.id;
  Listening feed{changes(), clock()};
  const auto before = run(users().find(id, primary()));
  under_test().rename_elsewhere(id, "elsewhere");
  clock().advance(1s);
  const auto report = feed->await([&](const RecordingListener::Event& event) {
    if (!event.poll) return false;
    const auto names = [&](const Change& change) { return change.key == key(id); };
    return event.poll->flush_reason || std::ranges::any_of(event.poll->changes, names);
  });
  ASSERT_TRUE(report);
  const auto after = run(users().find(id, primary()));
  EXPECT_EQ(after->value->user.last_name, "elsewhere");
  EXPECT_EQ(after->stamp.tau, report->poll->stamp.tau);
  EXPECT_TRUE(covers(after->stamp.snapshot, report->poll->stamp.snapshot));
  EXPECT_NE(before->value->etag, after->value->etag);
  // The older reading differs by its namespace, or by a change that it does not see.
  EXPECT_TRUE(before->stamp.tau != report->poll->stamp.tau ||
              std::ranges::any_of(report->poll->changes, [&](const Change& change) {
                return !before->stamp.snapshot.sees(change.xid);
              }));
}

TEST_P(ChangeFeedContract, AfterStopNothingIsReported) {
  RecordingListener listener;
  changes().start(listener);
  changes().stop();
  listener.take();
  insert(named("one@x.org"));
  clock().advance(1s);
  insert(named("two@x.org"));
  EXPECT_THAT(listener.take(), IsEmpty());
  EXPECT_FALSE(find(*UserId::from(1))->json.empty());
}

}  // namespace
}  // namespace um::test

#include "storage/postgres/lost_commit.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

using Ask = LostCommit::Ask;
using End = LostCommit::End;

TEST(LostCommit, AHoldThatWasThereMeansThatNothingWasCommitted) {
  LostCommit lost{{.held_keys = 2, .server_process = true}};
  ASSERT_EQ(lost.next(), Ask::withdraw_hold);
  lost.withdrawn(2);
  EXPECT_EQ(lost.next(), Ask::nothing);
  EXPECT_EQ(lost.end(), End::not_committed);
  EXPECT_TRUE(lost.hold_is_gone());
}

TEST(LostCommit, AHoldThatIsGoneMeansThatTheTransactionHasEnded) {
  LostCommit lost{{.held_keys = 2, .server_process = true}};
  ASSERT_EQ(lost.next(), Ask::withdraw_hold);
  lost.withdrawn(0);
  EXPECT_EQ(lost.next(), Ask::nothing);
  EXPECT_EQ(lost.end(), End::ended);
}

TEST(LostCommit, AHoldThatIsGoneAndAnIdLeadToTheFate) {
  LostCommit lost{{.held_keys = 1, .xid = 7}};
  ASSERT_EQ(lost.next(), Ask::withdraw_hold);
  lost.withdrawn(0);
  ASSERT_EQ(lost.next(), Ask::fate);
  lost.fate_is(TransactionFate::running);
  ASSERT_EQ(lost.next(), Ask::pause);
  ASSERT_EQ(lost.next(), Ask::fate);
  lost.fate_is(TransactionFate::committed);
  EXPECT_EQ(lost.next(), Ask::nothing);
  EXPECT_EQ(lost.end(), End::committed);
}

TEST(LostCommit, AHoldThatCannotBeRemovedYetIsTriedAgain) {
  LostCommit lost{{.held_keys = 1, .server_process = true}};
  ASSERT_EQ(lost.next(), Ask::withdraw_hold);
  ASSERT_EQ(lost.next(), Ask::server_process);
  ASSERT_EQ(lost.next(), Ask::pause);
  EXPECT_EQ(lost.next(), Ask::withdraw_hold);
  EXPECT_EQ(lost.end(), End::running);
  EXPECT_FALSE(lost.hold_is_gone());
}

TEST(LostCommit, AfterTheEndOfTheServersProcessAHoldIsRemovedOnceMore) {
  LostCommit lost{{.held_keys = 1, .server_process = true}};
  ASSERT_EQ(lost.next(), Ask::withdraw_hold);
  ASSERT_EQ(lost.next(), Ask::server_process);
  lost.server_process_has_ended();
  ASSERT_EQ(lost.next(), Ask::pause);
  ASSERT_EQ(lost.next(), Ask::withdraw_hold);
  EXPECT_EQ(lost.end(), End::ended);
  lost.withdrawn(1);
  EXPECT_EQ(lost.next(), Ask::nothing);
  EXPECT_EQ(lost.end(), End::not_committed);
}

TEST(LostCommit, WithoutAHoldTheEndOfTheServersProcessIsTheEnd) {
  LostCommit lost{{.server_process = true}};
  ASSERT_EQ(lost.next(), Ask::server_process);
  lost.server_process_has_ended();
  EXPECT_EQ(lost.next(), Ask::nothing);
  EXPECT_EQ(lost.end(), End::ended);
}

// The server has crashed since: the id may be another transaction's.
TEST(LostCommit, AFateThatNobodyKnowsStaysUnknown) {
  LostCommit lost{{.xid = 7}};
  ASSERT_EQ(lost.next(), Ask::fate);
  lost.fate_is(TransactionFate::unknown);
  EXPECT_EQ(lost.next(), Ask::nothing);
  EXPECT_EQ(lost.end(), End::unknown);
}

}  // namespace
}  // namespace um

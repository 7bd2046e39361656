#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/single_flight.hpp"

namespace um {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using TestFlight = Flight<int>;
using Seat = TestFlight::Seat;
using Verdict = TestFlight::Verdict;

TEST(Flight, TheFirstLeads) {
  TestFlight flight;
  EXPECT_TRUE(flight.idle());
  EXPECT_EQ(flight.join(1, MayFollow::no), Seat::leader);
  EXPECT_FALSE(flight.idle());
}

TEST(Flight, AFollowerWithALeaseTakesAnAdmissibleResult) {
  TestFlight flight;
  flight.join(1, MayFollow::yes);
  EXPECT_EQ(flight.join(2, MayFollow::yes), Seat::follower);
  const auto landing = flight.land(Verdict::admissible);
  EXPECT_THAT(landing.served, ElementsAre(2));
  EXPECT_FALSE(landing.next_leader);
  EXPECT_TRUE(flight.idle());
}

TEST(Flight, AFollowerIsTurnedAwayIfTheResultIsNotAdmissible) {
  TestFlight flight;
  flight.join(1, MayFollow::yes);
  flight.join(2, MayFollow::yes);
  const auto landing = flight.land(Verdict::not_admissible);
  EXPECT_THAT(landing.served, IsEmpty());
  EXPECT_EQ(landing.turned_away, 1U);
  EXPECT_EQ(landing.next_leader, 2);  // it asks for itself now
}

TEST(Flight, WithoutALeaseOneWaitsForTheNextFlightHoweverGoodTheResult) {
  TestFlight flight;
  flight.join(1, MayFollow::yes);
  EXPECT_EQ(flight.join(2, MayFollow::no), Seat::next);
  const auto landing = flight.land(Verdict::admissible);
  EXPECT_THAT(landing.served, IsEmpty());
  EXPECT_EQ(landing.next_leader, 2);
}

TEST(Flight, WhoWaitedBeforeTheQueryBeganTakesItsResultUnconditionally) {
  TestFlight flight;
  flight.join(1, MayFollow::yes);
  flight.join(2, MayFollow::no);
  flight.join(3, MayFollow::no);
  flight.land(Verdict::admissible);  // 2 leads, 3 was there before
  flight.join(4, MayFollow::yes);    // 4 came while the query was running
  const auto landing = flight.land(Verdict::not_admissible);
  EXPECT_THAT(landing.served, ElementsAre(3));
  EXPECT_EQ(landing.next_leader, 4);
}

TEST(Flight, ThoseTurnedAwayAndThoseWithoutALeaseShareTheNextFlight) {
  TestFlight flight;
  flight.join(1, MayFollow::yes);
  flight.join(2, MayFollow::no);
  flight.join(3, MayFollow::yes);
  EXPECT_EQ(flight.land(Verdict::not_admissible).next_leader, 2);
  EXPECT_THAT(flight.land(Verdict::not_admissible).served, ElementsAre(3));
}

TEST(Flight, AFailureIsSharedByThoseWhoWaitedForIt) {
  TestFlight flight;
  flight.join(1, MayFollow::yes);
  flight.join(2, MayFollow::yes);
  flight.join(3, MayFollow::no);
  const auto landing = flight.fail();
  EXPECT_THAT(landing.served, ElementsAre(2));
  EXPECT_EQ(landing.next_leader, 3);
}

TEST(Flight, ALeaderWhoGivesUpStrandsNobody) {
  TestFlight flight;
  flight.join(1, MayFollow::yes);
  flight.join(2, MayFollow::yes);
  flight.join(3, MayFollow::no);
  const auto landing = flight.abandon();
  EXPECT_THAT(landing.served, IsEmpty());
  EXPECT_EQ(landing.next_leader, 2);
  EXPECT_THAT(flight.land(Verdict::not_admissible).served, UnorderedElementsAre(3));
}

TEST(Flight, WhoLeavesIsNotServedAndDoesNotLead) {
  TestFlight flight;
  flight.join(1, MayFollow::yes);
  flight.join(2, MayFollow::yes);
  flight.join(3, MayFollow::no);
  flight.join(4, MayFollow::no);
  flight.leave(2);
  flight.leave(3);
  const auto landing = flight.land(Verdict::admissible);
  EXPECT_THAT(landing.served, IsEmpty());
  EXPECT_EQ(landing.next_leader, 4);
}

TEST(Flight, IsIdleWhenAllWhoWaitedHaveLeft) {
  TestFlight flight;
  flight.join(1, MayFollow::yes);
  flight.join(2, MayFollow::no);
  flight.leave(2);
  EXPECT_FALSE(flight.abandon().next_leader);
  EXPECT_TRUE(flight.idle());
}

}  // namespace
}  // namespace um

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/delivery/dispatcher.h"
#include "tests/unit/delivery/dispatcher_fixture.h"

namespace poller {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class DispatcherHoldTest : public DispatcherFixture {};

TEST_F(DispatcherHoldTest, WaitsForRetryAfterOn503) {
  StartDispatcher();
  Answer(503, absl::Seconds(40));
  Deliver({1});
  Answer(200);
  Deliver({2});
  Pass(absl::Seconds(39));
  EXPECT_THAT(net_.Orders(), ElementsAre(1));
  Pass(absl::Seconds(1));
  EXPECT_THAT(net_.Orders(), UnorderedElementsAre(1, 1, 2));
  EXPECT_EQ(Breaker(), BreakerState::kClosed);
  EXPECT_EQ(DeliveryOf(1).delivery.spent, 0);
}

TEST_F(DispatcherHoldTest, WaitsForRetryAfterOn429HoweverOften) {
  StartDispatcher();
  Answer(429, absl::Seconds(10));
  Deliver({1});
  Pass(absl::Seconds(95));
  EXPECT_THAT(net_.Times(1), ElementsAre(0, 10, 20, 30, 40, 50, 60, 70, 80, 90));
  EXPECT_EQ(DeliveryOf(1).delivery.spent, 0);
  EXPECT_EQ(State().receiver_breaker, BreakerRecord{});
}

TEST_F(DispatcherHoldTest, BacksTheLegOffOn429WithoutATime) {
  StartDispatcher();
  Answer(429);
  Deliver({1});
  Deliver({2});
  Pass(absl::Seconds(29));
  EXPECT_THAT(net_.Orders(), ElementsAre(1));
  Pass(absl::Seconds(1));
  EXPECT_THAT(net_.Orders(), UnorderedElementsAre(1, 1, 2));
  Pass(absl::Seconds(59));
  EXPECT_THAT(net_.requests(), SizeIs(3));
  Pass(absl::Seconds(1));
  EXPECT_THAT(net_.requests(), SizeIs(5));
}

TEST_F(DispatcherHoldTest, APauseHoldsEverythingUntilItEnds) {
  StartDispatcher();
  SetPaused(true);
  Deliver({1});
  Pass(absl::Hours(1));
  EXPECT_THAT(net_.requests(), IsEmpty());
  SetPaused(false);
  EXPECT_EQ(Accepted(), 1);
}

TEST_F(DispatcherHoldTest, AGoneReceiverIsPausedAndProbedEveryQuarterOfAnHour) {
  StartDispatcher();
  Answer(410);
  Deliver({1});
  Deliver({2, 3});
  EXPECT_THAT(Circuit(), ElementsAre("receiver_gone"));
  EXPECT_TRUE(State().receiver_gone_since.has_value());
  Pass(absl::Minutes(14));
  EXPECT_THAT(net_.requests(), SizeIs(1));
  Pass(absl::Minutes(2));
  EXPECT_THAT(net_.requests(), SizeIs(2));
  Answer(200);
  Pass(absl::Minutes(15));
  EXPECT_EQ(Accepted(), 3);
  EXPECT_FALSE(State().receiver_gone_since.has_value());
}

TEST_F(DispatcherHoldTest, AnOperatorsEndOfGoneIsFollowed) {
  StartDispatcher();
  Answer(410);
  Deliver({1});
  Answer(200);
  Deliver({2});
  EXPECT_EQ(Accepted(), 0);
  ASSERT_OK(storage_->connections().EndSuspension(connection_.id, kActor, clock_.Now()));
  Hint();
  EXPECT_EQ(Accepted(), 1);
}

TEST_F(DispatcherHoldTest, AForcedRetryGoesPastBreakerAndBackoff) {
  StartDispatcher();
  Answer(500);
  for (int order = 1; order <= 6; ++order) Deliver({order});
  Answer(200);
  ASSERT_OK(outbox_->Retry(DeliveryOf(3).delivery.id, kActor, clock_.Read()).status());
  Hint();
  EXPECT_EQ(net_.requests().back().order, 3);
  EXPECT_EQ(StatusOfOrder(3), DeliveryStatus::kDelivered);
  EXPECT_THAT(net_.requests(), SizeIs(6));
  EXPECT_EQ(Breaker(), BreakerState::kOpen);
}

TEST_F(DispatcherHoldTest, AForcedRetryGoesPastRetryAfter) {
  StartDispatcher();
  Answer(429, absl::Hours(1));
  Deliver({1});
  Answer(200);
  ASSERT_OK(outbox_->Retry(DeliveryOf(1).delivery.id, kActor, clock_.Read()).status());
  Hint();
  EXPECT_EQ(StatusOfOrder(1), DeliveryStatus::kDelivered);
}

TEST_F(DispatcherHoldTest, OpensAfterFiveFailuresAndSendsNothingMore) {
  StartDispatcher();
  options_.deliveries_per_connection = 1;
  Answer(500);
  for (int order = 1; order <= 7; ++order) Deliver({order});
  EXPECT_THAT(net_.Orders(), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_EQ(Breaker(), BreakerState::kOpen);
  EXPECT_THAT(Circuit(), ElementsAre("circuit_opened"));
  Pass(absl::Seconds(119));
  EXPECT_THAT(net_.requests(), SizeIs(5));
  for (int order = 1; order <= 5; ++order) EXPECT_EQ(DeliveryOf(order).delivery.spent, 0);
}

TEST_F(DispatcherHoldTest, ProbesOneAtATimeAndClosesAfterTwo) {
  StartDispatcher();
  Answer(500);
  for (int order = 1; order <= 5; ++order) Deliver({order});
  for (int order = 6; order <= 20; ++order) Deliver({order});
  Circuit();
  Answer(200);
  net_.Hold();
  Pass(absl::Seconds(120));
  EXPECT_EQ(net_.held(), 1);
  EXPECT_EQ(Breaker(), BreakerState::kHalfOpen);
  net_.Answer();
  Run();
  EXPECT_EQ(net_.held(), 1);
  net_.Answer();
  Run();
  EXPECT_EQ(Breaker(), BreakerState::kClosed);
  EXPECT_THAT(Circuit(), ElementsAre("circuit_half_open", "circuit_closed"));
  // The ramp: one, then two, then four at a time.
  EXPECT_EQ(net_.held(), 1);
  net_.Answer();
  Run();
  EXPECT_EQ(net_.held(), 2);
  net_.Answer();
  Run();
  EXPECT_EQ(net_.held(), 4);
  net_.Release();
  Pass(absl::Minutes(10));
  EXPECT_EQ(Accepted(), 20);
}

TEST_F(DispatcherHoldTest, AFailedProbeOpensItAgain) {
  StartDispatcher();
  Answer(500);
  for (int order = 1; order <= 6; ++order) Deliver({order});
  Circuit();
  Pass(absl::Seconds(121));
  EXPECT_THAT(net_.requests(), SizeIs(6));
  EXPECT_THAT(Circuit(), ElementsAre("circuit_half_open", "circuit_opened"));
}

TEST_F(DispatcherHoldTest, AnUnreachableReceiverSpendsNoOrdersAttempts) {
  StartDispatcher();
  net_.Break(TransportFailure::kConnect);
  for (int order = 1; order <= 3; ++order) Deliver({order});
  Pass(absl::Hours(24));
  EXPECT_EQ(Breaker(), BreakerState::kOpen);
  for (int order = 1; order <= 3; ++order) {
    EXPECT_EQ(DeliveryOf(order).delivery.spent, 0);
    EXPECT_EQ(StatusOfOrder(order), DeliveryStatus::kPending);
  }
  net_.Mend();
  Pass(absl::Minutes(20));
  EXPECT_EQ(Accepted(), 3);
}

TEST_F(DispatcherHoldTest, AnOpenBreakerSurvivesARestart) {
  StartDispatcher();
  Answer(500);
  for (int order = 1; order <= 6; ++order) Deliver({order});
  StopDispatcher();
  Reopen();
  Answer(200);
  StartDispatcher();
  Pass(absl::Seconds(109));
  EXPECT_THAT(net_.requests(), SizeIs(5));
  Pass(absl::Seconds(2));
  ASSERT_GE(net_.requests().size(), 6u);
  EXPECT_EQ(net_.requests()[5].order, 6);
}

TEST_F(DispatcherHoldTest, ResetClosesItStoresThatAndSendsAtOnce) {
  StartDispatcher();
  Answer(500);
  for (int order = 1; order <= 6; ++order) Deliver({order});
  Circuit();
  Answer(200);
  EXPECT_OK(Await(dispatcher_->ResetCircuit(connection_.id)));
  EXPECT_EQ(State().receiver_breaker, BreakerRecord{});
  EXPECT_THAT(Circuit(), ElementsAre("circuit_closed"));
  EXPECT_EQ(Accepted(), 1);
  EXPECT_THAT(Await(dispatcher_->ResetCircuit(ConnectionId(99))),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(DispatcherHoldTest, AnotherReceiverStartsWithAClosedBreaker) {
  StartDispatcher();
  Answer(500);
  for (int order = 1; order <= 6; ++order) Deliver({order});
  ConnectionUpdate update;
  update.id = connection_.id;
  update.settings = connection_.settings;
  update.settings.webhook.url = "https://new.example/hook";
  update.changed = {"webhook.url"};
  ASSERT_OK(storage_->connections().Update(update, kActor, clock_.Now()).status());
  Answer(200);
  Hint();
  EXPECT_EQ(net_.requests().back().url, "https://new.example/hook");
  Pass(absl::Seconds(1));
  EXPECT_EQ(Breaker(), BreakerState::kClosed);
}

}  // namespace
}  // namespace poller

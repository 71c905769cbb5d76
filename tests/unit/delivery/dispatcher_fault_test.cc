#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/delivery/dispatcher.h"
#include "tests/unit/delivery/dispatcher_fixture.h"

namespace poller {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;
using testing::SizeIs;

class DispatcherFaultTest : public DispatcherFixture {};

TEST_F(DispatcherFaultTest, SixPoisonOrdersForEverDoNotHoldUpTheGoodOnes) {
  StartDispatcher();
  for (int order = 1; order <= 6; ++order) AnswerOrder(order, 500);
  Deliver({1, 2, 3, 4, 5, 6});
  absl::Duration slowest;
  for (int order = 100; order < 160; ++order) {
    const absl::Duration committed = clock_.Monotonic();
    Deliver({order});
    for (int i = 0; i < 60 && StatusOfOrder(order) != DeliveryStatus::kDelivered; ++i) {
      Pass(absl::Seconds(30));
    }
    slowest = std::max(slowest, clock_.Monotonic() - committed);
    ASSERT_EQ(StatusOfOrder(order), DeliveryStatus::kDelivered) << order;
    Pass(absl::Minutes(1));
  }
  // At worst one open breaker: 120 s, and the steps of 30 s above.
  EXPECT_LE(slowest, absl::Seconds(150));
  for (int order = 1; order <= 6; ++order) {
    EXPECT_EQ(StatusOfOrder(order), DeliveryStatus::kDead) << order;
    EXPECT_EQ(DeliveryOf(order).delivery.spent, 5);
  }
  EXPECT_EQ(Breaker(), BreakerState::kClosed);
}

TEST_F(DispatcherFaultTest, TenMinutesOfRefusingEverythingKillNoOrder) {
  StartDispatcher();
  Deliver({100});
  Answer(400);
  std::vector<int> orders;
  for (int order = 1; order <= 30; ++order) orders.push_back(order);
  Deliver(orders);
  Pass(absl::Minutes(10));
  for (const int order : orders) EXPECT_EQ(StatusOfOrder(order), DeliveryStatus::kPending) << order;
  EXPECT_EQ(State().receiver_breaker, BreakerRecord{});
  Answer(200);
  Pass(absl::Minutes(11));
  EXPECT_EQ(Accepted(), 31);
}

TEST_F(DispatcherFaultTest, OurOwnWantOfSocketsCountsForNothing) {
  StartDispatcher();
  net_.Break(TransportFailure::kExhausted);
  for (int order = 1; order <= 12; ++order) Deliver({order});
  Pass(absl::Minutes(1));
  EXPECT_THAT(net_.requests(), SizeIs(AllOf(Ge(12u), Le(13u * 8u))));
  EXPECT_EQ(State().receiver_breaker, BreakerRecord{});
  EXPECT_FALSE(State().receiver_failing_since.has_value());
  EXPECT_THAT(DeliveryOf(1).attempts, SizeIs(0));
  net_.Mend();
  Pass(absl::Seconds(5));
  EXPECT_EQ(Accepted(), 12);
}

TEST_F(DispatcherFaultTest, AForcedDeliveryThatFindsNoSocketFailsOnceAndDoesNotSpin) {
  StartDispatcher();
  net_.Break(TransportFailure::kExhausted);
  Deliver({1});
  ASSERT_OK(outbox_->Retry(DeliveryOf(1).delivery.id, kActor, clock_.Read()).status());
  Hint();
  EXPECT_THAT(net_.requests(), SizeIs(2));
  ASSERT_THAT(DeliveryOf(1).attempts, SizeIs(1));
  EXPECT_EQ(DeliveryOf(1).attempts[0].failure, "exhausted");
}

TEST_F(DispatcherFaultTest, AnAnswerForWhichWeHaveNoMemoryIsAskedForAgainSoonAndCountsForNothing) {
  StartDispatcher();
  net_.Break(TransportFailure::kOverloaded);
  Deliver({1});
  Pass(absl::Seconds(30));
  EXPECT_EQ(DeliveryOf(1).delivery.spent, 0);
  EXPECT_EQ(State().receiver_breaker, BreakerRecord{});
  // The receiver may have accepted it: the attempts are on record.
  EXPECT_THAT(net_.Times(1), ElementsAre(0, 5, 10, 15, 20, 25, 30));
  EXPECT_THAT(DeliveryOf(1).attempts, SizeIs(7));
}

TEST_F(DispatcherFaultTest, ARefusedOrderIsDeadAfterItsAttemptsAndSaysSo) {
  StartDispatcher();
  AnswerOrder(1, 422);
  Deliver({1});
  for (int good = 100; good < 130; ++good) {
    Pass(absl::Minutes(2));
    Deliver({good});
  }
  EXPECT_EQ(StatusOfOrder(1), DeliveryStatus::kDead);
  // Nobody had been accepted between the first three; each of the other five is the order's fault.
  EXPECT_THAT(net_.Times(1), ElementsAre(0, 30, 90, 210, 450, 930, 1530, 2130));
  EXPECT_THAT(log_.lines(), Contains(AllOf(HasSubstr("INFO given up"), HasSubstr("order=1"))));
}

TEST_F(DispatcherFaultTest, ARedirectIsAFailure) {
  StartDispatcher();
  Answer(302);
  Deliver({1});
  EXPECT_THAT(net_.requests(), SizeIs(1));
  EXPECT_EQ(StatusOfOrder(1), DeliveryStatus::kPending);
  EXPECT_EQ(DeliveryOf(1).delivery.last_http_status, 302);
}

TEST_F(DispatcherFaultTest, KeepsAnOutcomeThatCannotBeStoredAndClaimsNothingNew) {
  StartDispatcher();
  outbox_->fail_resolves = true;
  Deliver({1});
  Deliver({2});
  Pass(absl::Minutes(5));
  EXPECT_THAT(net_.Orders(), ElementsAre(1));
  EXPECT_GT(outbox_->failed_resolves, 10);
  outbox_->fail_resolves = false;
  Pass(absl::Seconds(2));
  EXPECT_THAT(net_.Orders(), ElementsAre(1, 2));
  EXPECT_EQ(StatusOfOrder(1), DeliveryStatus::kDelivered);
  EXPECT_EQ(StatusOfOrder(2), DeliveryStatus::kDelivered);
}

TEST_F(DispatcherFaultTest, AStopWaitsForWhatIsInFlightAndClaimsNoMore) {
  StartDispatcher();
  net_.Hold();
  Deliver({1});
  dispatcher_->Stop();
  Commit({2});
  dispatcher_->Hint(connection_.id);
  Pass(absl::Minutes(2));
  EXPECT_GT(tasks_.Running(), 0);
  EXPECT_THAT(net_.Orders(), ElementsAre(1));
  net_.Answer();
  Run();
  EXPECT_EQ(tasks_.Running(), 0);
  EXPECT_EQ(StatusOfOrder(1), DeliveryStatus::kDelivered);
  EXPECT_EQ(StatusOfOrder(2), DeliveryStatus::kPending);
}

TEST_F(DispatcherFaultTest, ARequestCutOffByTheStopStaysPendingAndIsRepeatedUnderItsId) {
  StartDispatcher();
  net_.Hold();
  Deliver({1});
  dispatcher_->Stop();
  net_.Answer(TransportFailure::kCancelled);
  Run();
  EXPECT_EQ(tasks_.Running(), 0);
  EXPECT_EQ(StatusOfOrder(1), DeliveryStatus::kPending);
  EXPECT_EQ(DeliveryOf(1).delivery.spent, 0);
  EXPECT_EQ(State().receiver_breaker, BreakerRecord{});
  net_.Release();
  Reopen();
  StartDispatcher();
  Pass(absl::Seconds(1));
  ASSERT_THAT(net_.requests(), SizeIs(2));
  EXPECT_EQ(net_.requests()[0].http.body, net_.requests()[1].http.body);
  EXPECT_EQ(net_.receiver.Summary().accepted_ids, 1);
}

TEST_F(DispatcherFaultTest, AStopWithAStoreThatFailsEnds) {
  StartDispatcher();
  outbox_->fail_resolves = true;
  Deliver({1});
  dispatcher_->Stop();
  Pass(absl::Seconds(10));
  EXPECT_EQ(tasks_.Running(), 0);
}

TEST_F(DispatcherFaultTest, TheLoopEndsWithItsConnection) {
  StartDispatcher();
  net_.Hold();
  Deliver({1});
  ASSERT_OK(storage_->connections().Delete(connection_.id, /*force=*/true, kActor, clock_.Now()));
  Hint();
  net_.Answer();
  Pass(absl::Minutes(2));
  EXPECT_EQ(tasks_.Running(), 0);
}

TEST_F(DispatcherFaultTest, AddingTwiceIsHarmless) {
  StartDispatcher();
  dispatcher_->Add(connection_.id);
  Run();
  EXPECT_EQ(tasks_.Running(), 1);
}

}  // namespace
}  // namespace poller

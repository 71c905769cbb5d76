#include "tests/integration/storage/storage_fixture.h"

namespace poller {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RetryStoreTest : public StorageFixture {
 protected:
  RetryStoreTest() {
    Open();
    AddConnection();
  }
  // An order whose first attempt failed; it waits ten minutes.
  DeliveryId Failed(int order) {
    Observe(Seen(order, "a"));
    for (const ClaimedDelivery& claim : Claim()) {
      if (claim.order == OrderId(order)) {
        Fail(claim, {.retry_after = absl::Minutes(10)});
      } else {
        Release(claim);
      }
    }
    return Head(order)->delivery;
  }
  DeliveryId Dead(int order) {
    const DeliveryId id = Failed(order);
    clock_.Advance(absl::Minutes(11));
    AcceptAnother();
    for (const ClaimedDelivery& claim : Claim()) {
      if (claim.id == id) {
        Fail(claim, {.max_attempts = 1});
      } else {
        Fail(claim, {.may_blame = false, .retry_after = absl::Minutes(10)});
      }
    }
    EXPECT_EQ(StatusOf(id), DeliveryStatus::kDead);
    return id;
  }
  RetryStep Retry(const DeliveryFilter& filter, DeliveryId after = DeliveryId(), int limit = 100) {
    const auto step = storage_->retries().RetryMany(filter, after, limit, kActor, clock_.Read());
    EXPECT_OK(step.status());
    return step.value_or(RetryStep());
  }
  std::int64_t Count(const DeliveryFilter& filter) {
    const auto count = storage_->retries().Count(filter);
    EXPECT_OK(count.status());
    return count.value_or(-1);
  }
  static std::vector<OrderId> Orders(const std::vector<ClaimedDelivery>& claims) {
    std::vector<OrderId> orders;
    for (const ClaimedDelivery& claim : claims) orders.push_back(claim.order);
    return orders;
  }
};

TEST_F(RetryStoreTest, WhatFailedIsDueAtOnceAndNotForced) {
  Failed(1);
  const DeliveryId dead = Dead(2);
  Observe(Seen(3, "a"));  // never failed: not in the queue
  EXPECT_GT(NextDue() + absl::Seconds(1), absl::ZeroDuration());
  NewEvents();
  EXPECT_EQ(Count({}), 2);
  const RetryStep step = Retry({});
  EXPECT_EQ(step.retried, 2);
  EXPECT_EQ(step.skipped, 0);
  EXPECT_TRUE(step.done);
  EXPECT_THAT(step.connections, ElementsAre(connection_.id));
  EXPECT_THAT(NewEvents(), ElementsAre("delivery_requeued S1/1", "delivery_requeued S2/1"));
  EXPECT_EQ(Details(dead).delivery.spent, 0);
  EXPECT_EQ(State().dead, 0);
  EXPECT_EQ(State().waiting, 3);
  EXPECT_THAT(Claim(10, /*forced_only=*/true), IsEmpty()) << "the breaker's probes are few";
  const auto claims = Claim();
  EXPECT_THAT(Orders(claims), ElementsAre(OrderId(3), OrderId(1), OrderId(2)));
  for (const ClaimedDelivery& claim : claims) EXPECT_FALSE(claim.forced);
}

TEST_F(RetryStoreTest, AFilterChoosesDeadOnesOrAConnection) {
  Failed(1);
  Dead(2);
  const ConnectionId shop = connection_.id;
  AddConnection("other");
  Failed(1);
  EXPECT_EQ(Count({}), 3);
  EXPECT_EQ(Count({.connection = shop}), 2);
  EXPECT_EQ(Count({.connection = shop, .dead_only = true}), 1);
  EXPECT_EQ(Count({.connection = connection_.id, .dead_only = true}), 0);
  EXPECT_EQ(Retry({.connection = shop, .dead_only = true}).retried, 1);
  EXPECT_EQ(Count({.dead_only = true}), 0);
  EXPECT_EQ(Retry({.connection = connection_.id}).connections.front(), connection_.id);
}

TEST_F(RetryStoreTest, GoesOnFromStepToStep) {
  for (int order = 1; order <= 7; ++order) Failed(order);
  RetryStep step;
  std::vector<int> retried;
  do {
    step = Retry({}, step.last, 3);
    retried.push_back(step.retried);
  } while (!step.done);
  EXPECT_THAT(retried, ElementsAre(3, 3, 1));
  EXPECT_THAT(Claim(), SizeIs(7));
}

TEST_F(RetryStoreTest, ARepeatedStepChangesNothing) {
  Failed(1);
  Retry({});
  NewEvents();
  EXPECT_EQ(Retry({}).retried, 1);
  EXPECT_THAT(NewEvents(), IsEmpty());
  EXPECT_EQ(State().waiting, 1);
}

TEST_F(RetryStoreTest, WhatIsInFlightOrOvertakenIsSkipped) {
  Failed(1);
  Failed(2);
  clock_.Advance(absl::Minutes(11));
  const auto claims = Claim();
  ASSERT_THAT(claims, SizeIs(2));
  Observe(Seen(1, "b", 1));  // its revision 1 is in flight and no longer the newest
  EXPECT_EQ(Count({}), 0);
  const RetryStep step = Retry({});
  EXPECT_EQ(step.retried, 0);
  EXPECT_EQ(step.skipped, 2);
  EXPECT_THAT(step.connections, IsEmpty());
  for (const ClaimedDelivery& claim : claims) Accept(claim);
  EXPECT_EQ(ClaimOne().content, "content b");
}

TEST_F(RetryStoreTest, WhatCouldNotBeMappedIsNamedToBeReadAgain) {
  Observe(Broken(5, "no lines"));
  Failed(6);
  const RetryStep step = Retry({});
  EXPECT_EQ(step.retried, 1);
  ASSERT_THAT(step.unmappable, SizeIs(1));
  EXPECT_EQ(step.unmappable[0].order, OrderId(5));
  EXPECT_EQ(step.unmappable[0].connection, connection_.id);
  EXPECT_EQ(step.unmappable[0].id, Head(5)->delivery);
  EXPECT_EQ(StatusOf(step.unmappable[0].id), DeliveryStatus::kDead);
}

TEST_F(RetryStoreTest, AConnectionThatIsBeingDeletedHasNone) {
  Failed(1);
  ASSERT_OK(storage_->connections().Delete(connection_.id, true, kActor, clock_.Now()));
  EXPECT_EQ(Count({}), 0);
  EXPECT_EQ(Retry({}).retried, 0);
}

}  // namespace
}  // namespace poller

#include "core/storage/outbox_store.h"
#include "tests/integration/storage/storage_fixture.h"

namespace poller {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class OutboxStoreTest : public StorageFixture {
 protected:
  OutboxStoreTest() {
    Open();
    AddConnection();
    NewEvents();
  }
  // The orders of the claims, in their order.
  static std::vector<std::int64_t> Orders(const std::vector<ClaimedDelivery>& claims) {
    std::vector<std::int64_t> orders;
    for (const ClaimedDelivery& claim : claims) orders.push_back(claim.order.value());
    return orders;
  }
  void ObserveHistory(const Observation& order) {
    IngestBatch batch = Batch();
    batch.priority = DeliveryClass::kHistory;
    batch.orders = {order};
    Commit(batch);
  }
};

TEST_F(OutboxStoreTest, AClaimCarriesAllThatIsSent) {
  Observe(Seen(7, "a"));
  const ClaimedDelivery claim = ClaimOne();
  EXPECT_EQ(claim.connection, connection_.id);
  EXPECT_EQ(claim.order, OrderId(7));
  EXPECT_EQ(claim.order_name, "S7");
  EXPECT_EQ(claim.revision, 1);
  EXPECT_EQ(claim.event, "order.confirmed");
  EXPECT_EQ(claim.content, "content a");
  EXPECT_EQ(claim.webhook_connection_id, connection_.uid);
  EXPECT_EQ(claim.attempt, 1);
  EXPECT_FALSE(claim.forced);
  EXPECT_THAT(claim.webhook_id, testing::MatchesRegex("msg_[a-z2-7]{32}"));
}

TEST_F(OutboxStoreTest, WhatIsClaimedIsNotClaimedAgain) {
  Observe(Seen(1, "a"));
  EXPECT_THAT(Claim(), SizeIs(1));
  EXPECT_THAT(Claim(), IsEmpty());
  EXPECT_EQ(NextDue(), absl::InfiniteDuration());
}

TEST_F(OutboxStoreTest, NeverTwoInFlightForOneOrder) {
  Observe(Seen(1, "a", 0));
  const ClaimedDelivery first = ClaimOne();
  Observe(Seen(1, "b", 1));
  EXPECT_THAT(Claim(), IsEmpty());
  EXPECT_EQ(NextDue(), absl::InfiniteDuration()) << "a caller that waits must not spin";
  Accept(first);
  EXPECT_EQ(NextDue(), absl::ZeroDuration());
  EXPECT_EQ(ClaimOne().revision, 2);
}

TEST_F(OutboxStoreTest, OneInFlightIsSupersededWhenItFails) {
  Observe(Seen(1, "a", 0));
  const ClaimedDelivery first = ClaimOne();
  Observe(Seen(1, "b", 1));
  EXPECT_EQ(StatusOf(first.id), DeliveryStatus::kPending);
  NewEvents();
  EXPECT_EQ(Fail(first).status, DeliveryStatus::kSuperseded);
  EXPECT_THAT(NewEvents(), ElementsAre("delivery_superseded S1/1"));
  EXPECT_EQ(State().waiting, 1);
}

TEST_F(OutboxStoreTest, AnOverdueRevisionThatIsReleasedIsNeverClaimedAgain) {
  Observe(Seen(1, "a", 0));
  const ClaimedDelivery first = ClaimOne();
  Observe(Seen(1, "b", 1));
  EXPECT_EQ(Release(first).status, DeliveryStatus::kSuperseded);
  EXPECT_EQ(ClaimOne().revision, 2);
}

TEST_F(OutboxStoreTest, ForcedFirstThenLiveBeforeHistoryThenFewestAttemptsThenOldest) {
  ObserveHistory(Seen(1, "a"));
  Observe(Seen(2, "a"));
  Observe(Seen(3, "a"));
  Observe(Seen(4, "a"));
  ObserveHistory(Seen(5, "a"));
  for (const ClaimedDelivery& claim : Claim()) {
    claim.order == OrderId(2) ? Fail(claim) : Release(claim);
  }
  ASSERT_OK(storage_->outbox().Retry(Head(5)->delivery, kActor, clock_.Read()).status());
  clock_.Advance(absl::Minutes(1));
  EXPECT_THAT(Orders(Claim()), ElementsAre(5, 3, 4, 2, 1));
}

TEST_F(OutboxStoreTest, TheLimitIsKept) {
  for (int order = 1; order <= 5; ++order) Observe(Seen(order, "a"));
  EXPECT_THAT(Orders(Claim(2)), ElementsAre(1, 2));
  EXPECT_THAT(Orders(Claim(2)), ElementsAre(3, 4));
}

TEST_F(OutboxStoreTest, ForcedOnlyLeavesTheOthers) {
  Observe(Seen(1, "a"));
  Observe(Seen(2, "a"));
  ASSERT_OK(storage_->outbox().Retry(Head(2)->delivery, kActor, clock_.Read()).status());
  EXPECT_THAT(Orders(Claim(8, true)), ElementsAre(2));
  EXPECT_THAT(Orders(Claim(8, false)), ElementsAre(1));
}

TEST_F(OutboxStoreTest, AFailureWaitsOnTheMonotonicClock) {
  Observe(Seen(1, "a"));
  Fail(ClaimOne(), {.retry_after = absl::Seconds(30)});
  EXPECT_EQ(NextDue(), absl::Seconds(30));
  clock_.JumpWall(absl::Hours(48));
  EXPECT_EQ(NextDue(), absl::Seconds(30));
  EXPECT_THAT(Claim(), IsEmpty());
  clock_.JumpWall(-absl::Hours(96));
  clock_.Advance(absl::Seconds(29));
  EXPECT_THAT(Claim(), IsEmpty());
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(NextDue(), absl::ZeroDuration());
  EXPECT_EQ(ClaimOne().attempt, 2);
}

TEST_F(OutboxStoreTest, AfterARestartAWaitGoesOnButNeverLongerThanAnHour) {
  Observe(Seen(1, "a"));
  Fail(ClaimOne(), {.retry_after = absl::Minutes(10)});
  clock_.Advance(absl::Minutes(4));
  Reopen();
  EXPECT_EQ(NextDue(), absl::Minutes(6));
  clock_.JumpWall(-absl::Hours(240));
  Reopen();
  EXPECT_EQ(NextDue(), absl::Hours(1));
  clock_.JumpWall(absl::Hours(480));
  Reopen();
  EXPECT_EQ(NextDue(), absl::ZeroDuration());
}

TEST_F(OutboxStoreTest, ReleasedCountsNothing) {
  Observe(Seen(1, "a"));
  const ClaimedDelivery claim = ClaimOne();
  NewEvents();
  Release(claim);
  EXPECT_EQ(Details(claim.id).delivery.attempts, 0);
  EXPECT_THAT(NewEvents(), IsEmpty());
  EXPECT_EQ(ClaimOne().attempt, 1);
}

TEST_F(OutboxStoreTest, AnOutcomeOfWhatIsNotClaimedIsRefused) {
  DeliveryOutcome outcome;
  outcome.id = DeliveryId(99);
  EXPECT_THAT(storage_->outbox().Resolve(outcome, clock_.Read()),
              StatusIs(absl::StatusCode::kNotFound));
  Observe(Seen(1, "a"));
  const ClaimedDelivery claim = ClaimOne();
  Accept(claim);
  outcome.id = claim.id;
  EXPECT_THAT(storage_->outbox().Resolve(outcome, clock_.Read()),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(OutboxStoreTest, EveryOutcomeIsAnEventAndAnAttempt) {
  Observe(Seen(1, "a"));
  NewEvents();
  const ClaimedDelivery first = ClaimOne();
  Fail(first, {.http_status = 503});
  clock_.Advance(absl::Minutes(1));
  Accept(ClaimOne());
  EXPECT_THAT(NewEvents(), ElementsAre("delivery_failed S1/1", "delivery_succeeded S1/1"));
  const DeliveryDetails details = Details(first.id);
  ASSERT_EQ(details.attempts.size(), 2u);
  EXPECT_EQ(details.attempts[0].number, 1);
  EXPECT_EQ(details.attempts[0].http_status, 503);
  EXPECT_EQ(details.attempts[0].error, "it said no");
  EXPECT_EQ(details.attempts[1].http_status, 200);
  EXPECT_EQ(details.delivery.status, DeliveryStatus::kDelivered);
  EXPECT_EQ(details.delivery.last_error, "");
}

TEST_F(OutboxStoreTest, TheReceiverFailsFromTheFirstFailureUntilAnAcceptance) {
  Observe(Seen(1, "a"));
  const absl::Time first = clock_.Now();
  Fail(ClaimOne());
  clock_.Advance(absl::Minutes(1));
  Fail(ClaimOne());
  EXPECT_EQ(State().receiver_failing_since, first);
  clock_.Advance(absl::Minutes(1));
  Accept(ClaimOne());
  EXPECT_EQ(State().receiver_failing_since, std::nullopt);
}

TEST_F(OutboxStoreTest, TheOldestWaitingIsTheOneQueuedFirst) {
  EXPECT_EQ(State().oldest_waiting, absl::InfiniteFuture());
  const absl::Time first = clock_.Now();
  Observe(Seen(1, "a"));
  clock_.Advance(absl::Minutes(1));
  Observe(Seen(2, "a"));
  EXPECT_EQ(State().oldest_waiting, first);
  for (const ClaimedDelivery& claim : Claim(1)) Accept(claim);
  EXPECT_EQ(State().oldest_waiting, first + absl::Minutes(1));
}

// --- blame follows evidence ---

TEST_F(OutboxStoreTest, ARefusalOfEverythingKillsNoOrder) {
  Observe(Seen(1, "a"));
  Observe(Seen(2, "a"));
  for (int round = 0; round < 20; ++round) {
    for (const ClaimedDelivery& claim : Claim()) {
      const Resolution resolution = Fail(claim);
      EXPECT_FALSE(resolution.blamed_order);
      EXPECT_EQ(resolution.status, DeliveryStatus::kPending);
    }
    clock_.Advance(absl::Minutes(1));
  }
  EXPECT_EQ(Details(Head(1)->delivery).delivery.spent, 0);
}

TEST_F(OutboxStoreTest, ARefusalCountsOnlyAfterOthersWereAcceptedMeanwhile) {
  AcceptAnother();
  Observe(Seen(1, "a"));
  ClaimedDelivery claim = ClaimOne();
  EXPECT_FALSE(Fail(claim).blamed_order) << "no attempt before it";
  clock_.Advance(absl::Minutes(1));
  EXPECT_FALSE(Fail(ClaimOne()).blamed_order) << "nobody was accepted since";
  AcceptAnother();
  clock_.Advance(absl::Minutes(1));
  EXPECT_TRUE(Fail(ClaimOne()).blamed_order);
  clock_.Advance(absl::Minutes(1));
  EXPECT_FALSE(Fail(ClaimOne()).blamed_order) << "the same evidence does not count twice";
  EXPECT_EQ(Details(claim.id).delivery.spent, 1);
}

TEST_F(OutboxStoreTest, ATimeoutIsNeverTheOrdersFault) {
  Observe(Seen(1, "a"));
  Fail(ClaimOne());
  AcceptAnother();
  clock_.Advance(absl::Minutes(1));
  const Resolution resolution =
      Fail(ClaimOne(), {.http_status = 0, .failure = "timeout", .may_blame = false});
  EXPECT_FALSE(resolution.blamed_order);
  EXPECT_EQ(resolution.spent, 0);
}

TEST_F(OutboxStoreTest, APoisonOrderDiesAfterMaxAttempts) {
  Observe(Seen(1, "poison"));
  const DeliveryId id = Head(1)->delivery;
  Fail(ClaimOne());
  for (int spent = 1; spent <= 3; ++spent) {
    AcceptAnother();
    clock_.Advance(absl::Minutes(1));
    NewEvents();
    const Resolution resolution = Fail(ClaimOne(), {.http_status = 422, .max_attempts = 3});
    EXPECT_EQ(resolution.spent, spent);
    EXPECT_EQ(resolution.status, spent < 3 ? DeliveryStatus::kPending : DeliveryStatus::kDead);
  }
  EXPECT_THAT(NewEvents(), ElementsAre("delivery_dead S1/1"));
  const Delivery dead = Details(id).delivery;
  EXPECT_EQ(dead.reason, "max_attempts");
  EXPECT_EQ(dead.last_http_status, 422);
  EXPECT_EQ(State().dead, 1);
  EXPECT_EQ(State().waiting, 0);
}

// --- what the event is called ---

TEST_F(OutboxStoreTest, AnUpdateFollowsAnAcceptance) {
  Observe(Seen(1, "a", 0));
  Accept(ClaimOne());
  Observe(Seen(1, "b", 1));
  EXPECT_EQ(ClaimOne().event, "order.updated");
}

TEST_F(OutboxStoreTest, ARefusedRevisionWasNotSeen) {
  Observe(Seen(1, "a", 0));
  Fail(ClaimOne());
  Observe(Seen(1, "b", 1));
  EXPECT_EQ(ClaimOne().event, "order.confirmed");
}

TEST_F(OutboxStoreTest, ALostAnswerMayHaveBeenAnAcceptance) {
  Observe(Seen(1, "a", 0));
  Fail(ClaimOne(), {.http_status = 0, .failure = "timeout"});
  Observe(Seen(1, "b", 1));
  EXPECT_EQ(ClaimOne().event, "order.updated");
}

TEST_F(OutboxStoreTest, AConnectionThatWasNeverMadeCarriedNothing) {
  int order = 0;
  for (const char* failure : {"dns", "connect", "tls", "egress_denied"}) {
    ++order;
    Observe(Seen(order, "a", 0));
    Fail(ClaimOne(), {.http_status = 0, .failure = failure});
    Observe(Seen(order, "b", 1));
    const ClaimedDelivery claim = ClaimOne();
    EXPECT_EQ(claim.event, "order.confirmed") << failure;
    Accept(claim);
  }
}

TEST_F(OutboxStoreTest, AnOrderConfirmedBeforeTheStartIsAnUpdate) {
  Observation order = Seen(1, "a");
  order.confirmed_before_start = true;
  Observe(order);
  EXPECT_EQ(ClaimOne().event, "order.updated");
}

TEST_F(OutboxStoreTest, TheFirstClaimFixesWhatIsSentForEver) {
  Observe(Seen(1, "a", 0));
  const ClaimedDelivery first = ClaimOne();
  Fail(first);
  ConnectionUpdate update;
  update.id = connection_.id;
  update.settings = connection_.settings;
  update.settings.external_id = "another";
  ASSERT_OK(storage_->connections().Update(update, kActor, clock_.Now()).status());
  clock_.Advance(absl::Minutes(1));
  const ClaimedDelivery second = ClaimOne();
  EXPECT_EQ(second.webhook_id, first.webhook_id);
  EXPECT_EQ(second.event, first.event);
  EXPECT_EQ(second.webhook_connection_id, first.webhook_connection_id);
  EXPECT_EQ(second.content, first.content);
  Observe(Seen(2, "a"));
  EXPECT_EQ(ClaimOne().webhook_connection_id, "another");
}

TEST_F(OutboxStoreTest, IdsOfRevisionsAndConnectionsAllDiffer) {
  std::vector<std::string> ids;
  for (const char* shop : {"one", "two"}) {
    AddConnection(shop);
    for (const char* content : {"a", "b", "a"}) {
      Observe(Seen(1, content, static_cast<int>(ids.size())));
      const ClaimedDelivery claim = ClaimOne();
      ids.push_back(claim.webhook_id);
      Accept(claim);
    }
  }
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(std::unique(ids.begin(), ids.end()), ids.end());
}

// --- the end of the process ---

TEST_F(OutboxStoreTest, ANewRunFreesTheClaimsAndCountsTheLostAttempt) {
  Observe(Seen(1, "a"));
  const ClaimedDelivery lost = ClaimOne();
  NewEvents();
  Reopen();
  EXPECT_THAT(NewEvents(), ElementsAre("delivery_failed S1/1"));
  EXPECT_EQ(State().receiver_failing_since, std::nullopt) << "not the receiver's fault";
  const ClaimedDelivery again = ClaimOne();
  EXPECT_EQ(again.attempt, 2);
  EXPECT_EQ(again.webhook_id, lost.webhook_id);
  EXPECT_EQ(again.event, lost.event);
  EXPECT_EQ(again.content, lost.content);
  EXPECT_EQ(Details(again.id).attempts.front().failure, "interrupted");
}

TEST_F(OutboxStoreTest, ALostAttemptMayHaveBeenAccepted) {
  Observe(Seen(1, "a", 0));
  ClaimOne();
  Reopen();
  Observe(Seen(1, "b", 1));
  EXPECT_EQ(ClaimOne().event, "order.updated");
}

TEST_F(OutboxStoreTest, ANewRunDoesNotGoBackToAnOlderRevision) {
  Observe(Seen(1, "a", 0));
  const ClaimedDelivery lost = ClaimOne();
  Observe(Seen(1, "b", 1));
  Reopen();
  EXPECT_EQ(StatusOf(lost.id), DeliveryStatus::kSuperseded);
  EXPECT_EQ(ClaimOne().revision, 2);
  EXPECT_EQ(State().waiting, 1);
}

// --- operators ---

TEST_F(OutboxStoreTest, ARetryIsOneAttemptNow) {
  Observe(Seen(1, "a"));
  const ClaimedDelivery claim = ClaimOne();
  Fail(claim, {.retry_after = absl::Minutes(10)});
  NewEvents();
  ASSERT_OK_AND_ASSIGN(const Delivery retried,
                       storage_->outbox().Retry(claim.id, kActor, clock_.Read()));
  EXPECT_EQ(retried.next_attempt_at, clock_.Now());
  EXPECT_THAT(NewEvents(), ElementsAre("delivery_requeued S1/1"));
  const std::vector<ClaimedDelivery> forced = Claim(8, true);
  ASSERT_EQ(forced.size(), 1u);
  EXPECT_TRUE(forced[0].forced);
  Fail(forced[0], {.retry_after = absl::Minutes(10)});
  EXPECT_EQ(NextDue(), absl::Minutes(10)) << "one attempt, then the usual waits";
  clock_.Advance(absl::Minutes(10));
  EXPECT_FALSE(ClaimOne().forced);
}

TEST_F(OutboxStoreTest, ADeadOneIsReplayedWithoutItsSpentFailures) {
  Observe(Seen(1, "a"));
  Fail(ClaimOne());
  AcceptAnother();
  clock_.Advance(absl::Minutes(1));
  const ClaimedDelivery claim = ClaimOne();
  Fail(claim, {.max_attempts = 1});
  EXPECT_EQ(State().dead, 1);
  ASSERT_OK_AND_ASSIGN(const Delivery retried,
                       storage_->outbox().Retry(claim.id, kActor, clock_.Read()));
  EXPECT_EQ(retried.status, DeliveryStatus::kPending);
  EXPECT_EQ(retried.spent, 0);
  EXPECT_EQ(State().dead, 0);
  EXPECT_EQ(State().waiting, 1);
  const ClaimedDelivery again = ClaimOne();
  EXPECT_EQ(again.webhook_id, claim.webhook_id);
  EXPECT_EQ(again.attempt, 3);
}

TEST_F(OutboxStoreTest, ARetrySaysWhyItCannotBe) {
  OutboxStore& outbox = storage_->outbox();
  const auto reason = [&](DeliveryId id) {
    const auto result = outbox.Retry(id, kActor, clock_.Read());
    EXPECT_THAT(result, StatusIs(absl::StatusCode::kFailedPrecondition));
    return Reason(result.status()).value_or("");
  };
  EXPECT_THAT(outbox.Retry(DeliveryId(99), kActor, clock_.Read()),
              StatusIs(absl::StatusCode::kNotFound));
  Observe(Seen(1, "a", 0));
  const ClaimedDelivery claim = ClaimOne();
  EXPECT_EQ(reason(claim.id), "IN_FLIGHT");
  Accept(claim);
  EXPECT_EQ(reason(claim.id), "NOT_RETRYABLE");
  Observe(Seen(1, "b", 1));
  EXPECT_EQ(reason(claim.id), "NOT_NEWEST_REVISION");
  Observe(Broken(2, "no lines"));
  EXPECT_EQ(reason(Head(2)->delivery), "UNMAPPABLE");
}

TEST_F(OutboxStoreTest, ARepeatedRetryCallDoesNotAskTwice) {
  Observe(Seen(1, "a"));
  const DeliveryId id = Head(1)->delivery;
  const Actor actor{.token_name = "ops", .request_id = "r-7"};
  ASSERT_OK(storage_->outbox().Retry(id, actor, clock_.Read()).status());
  Accept(ClaimOne());
  ASSERT_OK_AND_ASSIGN(const Delivery repeated, storage_->outbox().Retry(id, actor, clock_.Read()));
  EXPECT_EQ(repeated.status, DeliveryStatus::kDelivered);
  EXPECT_THAT(Claim(), IsEmpty());
}

TEST_F(OutboxStoreTest, ARequestIdOfARetryIsForOneDelivery) {
  Observe(Seen(1, "a"));
  Observe(Seen(2, "b"));
  const Actor actor{.token_name = "ops", .request_id = "r-7"};
  ASSERT_OK(storage_->outbox().Retry(Head(1)->delivery, actor, clock_.Read()).status());
  const auto other = storage_->outbox().Retry(Head(2)->delivery, actor, clock_.Read());
  EXPECT_EQ(Reason(other.status()), "REQUEST_ID_REUSED");
}

TEST_F(OutboxStoreTest, DiscardGivesUpWhatIsPendingOrDead) {
  Observe(Seen(1, "a"));
  Observe(Broken(2, "no lines"));
  NewEvents();
  for (const int order : {1, 2}) {
    ASSERT_OK_AND_ASSIGN(
        const Delivery discarded,
        storage_->outbox().Discard(Head(order)->delivery, "a test\norder", kActor, clock_.Now()));
    EXPECT_EQ(discarded.status, DeliveryStatus::kDiscarded);
    EXPECT_EQ(discarded.reason, "operator");
  }
  EXPECT_EQ(State().waiting + State().dead, 0);
  EXPECT_THAT(Claim(), IsEmpty());
  EXPECT_THAT(NewEvents(), ElementsAre("delivery_discarded S1/1", "delivery_discarded S2/1"));
  EXPECT_THAT(storage_->outbox().Discard(Head(1)->delivery, "", kActor, clock_.Now()),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(OutboxStoreTest, WhatIsInFlightCannotBeDiscarded) {
  Observe(Seen(1, "a"));
  const ClaimedDelivery claim = ClaimOne();
  const auto result = storage_->outbox().Discard(claim.id, "", kActor, clock_.Now());
  EXPECT_THAT(result, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(Reason(result.status()), "IN_FLIGHT");
}

TEST_F(OutboxStoreTest, TheRetryQueueIsWhatFailedAndWaitsAndWhatIsDead) {
  Observe(Seen(1, "a"));
  Observe(Broken(2, "no lines"));
  for (const ClaimedDelivery& claim : Claim()) Fail(claim);
  Observe(Seen(3, "new"));
  const Connection first = connection_;
  AddConnection("other");
  Observe(Broken(4, "no lines"));

  const auto orders = [&](const DeliveryFilter& filter, DeliveryId before, int limit) {
    const auto list = storage_->outbox().ListRetries(filter, before, limit);
    EXPECT_OK(list.status());
    std::vector<std::int64_t> ids;
    for (const DeliveryDetails& item : *list) ids.push_back(item.delivery.order.value());
    return ids;
  };
  EXPECT_THAT(orders({}, DeliveryId(), 10), ElementsAre(4, 2, 1));
  EXPECT_THAT(orders({.connection = first.id}, DeliveryId(), 10), ElementsAre(2, 1));
  EXPECT_THAT(orders({.connection = std::nullopt, .dead_only = true}, DeliveryId(), 10),
              ElementsAre(4, 2));
  EXPECT_THAT(orders({}, DeliveryId(), 2), ElementsAre(4, 2));
  EXPECT_THAT(orders({}, DeliveryId(2), 10), ElementsAre(1));
}

TEST_F(OutboxStoreTest, UnknownDeliveriesAreNotFound) {
  EXPECT_THAT(storage_->outbox().Get(DeliveryId(5)),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("5")));
}

// --- orders ---

TEST_F(OutboxStoreTest, OrdersAreListedLastChangedFirst) {
  Observe(Seen(10, "a"));
  Observe(Seen(11, "a"));
  Observe(Seen(2, "a"));
  Observe(Seen(10, "b", 1));
  const auto orders = [&](const std::string& prefix, DeliveryId before, int limit) {
    const auto list = storage_->orders().ListOrders(connection_.id, prefix, before, limit);
    EXPECT_OK(list.status());
    std::vector<std::int64_t> ids;
    for (const OrderSummary& item : *list) ids.push_back(item.head.order.value());
    return ids;
  };
  EXPECT_THAT(orders("", DeliveryId(), 10), ElementsAre(10, 2, 11));
  EXPECT_THAT(orders("S1", DeliveryId(), 10), ElementsAre(10, 11));
  EXPECT_THAT(orders("", Head(10)->delivery, 10), ElementsAre(2, 11));
  EXPECT_THAT(orders("", DeliveryId(), 1), ElementsAre(10));
  EXPECT_THAT(orders("T", DeliveryId(), 10), IsEmpty());
}

TEST_F(OutboxStoreTest, AnOrderShowsItsRevisionsAndAttempts) {
  Observe(Seen(10, "a"));
  Fail(ClaimOne());
  Observe(Seen(10, "b", 1));
  ASSERT_OK_AND_ASSIGN(const OrderDetails order,
                       storage_->orders().GetOrder(connection_.id, OrderId(), "S10"));
  EXPECT_EQ(order.summary.head.order, OrderId(10));
  ASSERT_EQ(order.revisions.size(), 2u);
  EXPECT_EQ(order.revisions[0].delivery.revision, 2);
  EXPECT_EQ(order.revisions[1].delivery.status, DeliveryStatus::kSuperseded);
  EXPECT_EQ(order.revisions[1].attempts.size(), 1u);
  EXPECT_THAT(storage_->orders().GetOrder(connection_.id, OrderId(12), ""),
              StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace poller

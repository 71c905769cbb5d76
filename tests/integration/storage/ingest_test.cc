#include "core/storage/ingest_store.h"
#include "tests/integration/storage/storage_fixture.h"

namespace poller {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class IngestStoreTest : public StorageFixture {
 protected:
  IngestStoreTest() {
    Open();
    AddConnection();
    NewEvents();
  }
};

TEST_F(IngestStoreTest, ANewOrderBecomesItsFirstRevisionAndWaits) {
  EXPECT_EQ(Observe(Seen(1, "a")).recorded, 1);
  const OrderHead head = Head(1).value();
  EXPECT_EQ(head.revision, 1);
  EXPECT_EQ(head.content_hash, "1:a");
  EXPECT_EQ(head.write_date, "2026-01-15 10:00:00");
  EXPECT_EQ(head.status, DeliveryStatus::kPending);
  EXPECT_THAT(NewEvents(), ElementsAre("order_found S1/1"));
  EXPECT_EQ(State().waiting, 1);
  const DeliveryDetails details = Details(head.delivery);
  EXPECT_EQ(details.content, "content a");
  EXPECT_EQ(details.delivery.order_name, "S1");
}

TEST_F(IngestStoreTest, EqualContentIsNotedAndNotSent) {
  Observe(Seen(1, "a", 0));
  NewEvents();
  const IngestResult result = Observe(Seen(1, "a", 9));
  EXPECT_EQ(result.recorded, 0);
  EXPECT_EQ(result.unchanged, 1);
  EXPECT_EQ(Head(1)->revision, 1);
  EXPECT_EQ(Head(1)->write_date, "2026-01-15 10:00:09");
  EXPECT_THAT(NewEvents(), IsEmpty());
}

TEST_F(IngestStoreTest, EveryTouchIsSentWhereAsked) {
  IngestBatch batch = Batch();
  batch.send_every_touch = true;
  batch.orders = {Seen(1, "a", 0)};
  Commit(batch);
  EXPECT_EQ(Commit(batch).unchanged, 1) << "the same touch again";
  batch.orders = {Seen(1, "a", 1)};
  EXPECT_EQ(Commit(batch).recorded, 1);
  EXPECT_EQ(Commit(batch).unchanged, 1);
  EXPECT_EQ(Head(1)->revision, 2);
}

TEST_F(IngestStoreTest, ANewRevisionSupersedesAPendingOne) {
  Observe(Seen(1, "a", 0));
  const DeliveryId first = Head(1)->delivery;
  NewEvents();
  Observe(Seen(1, "b", 1));
  EXPECT_EQ(StatusOf(first), DeliveryStatus::kSuperseded);
  EXPECT_EQ(Head(1)->revision, 2);
  EXPECT_EQ(State().waiting, 1);
  EXPECT_THAT(NewEvents(), ElementsAre("order_found S1/2", "delivery_superseded S1/1"));
  EXPECT_EQ(ClaimOne().revision, 2);
}

TEST_F(IngestStoreTest, ANewRevisionSupersedesADeadOne) {
  Observe(Broken(1, "no currency"));
  const DeliveryId dead = Head(1)->delivery;
  EXPECT_EQ(State().dead, 1);
  Observe(Seen(1, "a", 1));
  EXPECT_EQ(StatusOf(dead), DeliveryStatus::kSuperseded);
  EXPECT_EQ(State().dead, 0);
  EXPECT_EQ(State().waiting, 1);
}

TEST_F(IngestStoreTest, AContentThatReturnsIsANewRevision) {
  Observe(Seen(1, "a", 0));
  Observe(Seen(1, "b", 1));
  Observe(Seen(1, "a", 2));
  EXPECT_EQ(Head(1)->revision, 3);
  EXPECT_EQ(Head(1)->content_hash, "1:a");
}

TEST_F(IngestStoreTest, ALineEditThatMovesNoWriteDateIsANewRevision) {
  Observe(Seen(1, "a", 0));
  EXPECT_EQ(Observe(Seen(1, "b", 0)).recorded, 1);
  EXPECT_EQ(Observe(Seen(1, "a", 0)).recorded, 1);
  EXPECT_EQ(Head(1)->revision, 3);
}

TEST_F(IngestStoreTest, AnObservationOlderThanTheHeadIsDropped) {
  Observe(Seen(1, "b", 9));
  clock_.Advance(absl::Minutes(4));
  const IngestResult result = Observe(Seen(1, "a", 3));
  EXPECT_EQ(result.stale, 1);
  EXPECT_EQ(result.recorded, 0);
  EXPECT_EQ(Head(1)->content_hash, "1:b");
  EXPECT_EQ(Head(1)->write_date, "2026-01-15 10:00:09");
}

TEST_F(IngestStoreTest, AnOlderObservationThatStillStandsOneOverlapLaterCounts) {
  Observe(Seen(1, "b", 9));
  clock_.Advance(absl::Minutes(5));
  EXPECT_EQ(Observe(Seen(1, "a", 3)).recorded, 1);
  EXPECT_EQ(Head(1)->revision, 2);
  EXPECT_EQ(Head(1)->write_date, "2026-01-15 10:00:03");
}

TEST_F(IngestStoreTest, AStaleTouchDoesNotTakeBackTheWriteDate) {
  Observe(Seen(1, "a", 9));
  EXPECT_EQ(Observe(Seen(1, "a", 3)).stale, 1);
  EXPECT_EQ(Head(1)->write_date, "2026-01-15 10:00:09");
}

TEST_F(IngestStoreTest, BaselineIsRecordedAndNotDelivered) {
  IngestBatch batch = Batch();
  batch.mode = IngestMode::kBaseline;
  batch.orders = {Seen(1, "a")};
  EXPECT_EQ(Commit(batch).recorded, 1);
  EXPECT_EQ(Head(1)->status, DeliveryStatus::kBaseline);
  EXPECT_THAT(Claim(), IsEmpty());
  EXPECT_THAT(NewEvents(), IsEmpty());
  Observe(Seen(1, "b", 1));
  EXPECT_EQ(ClaimOne().event, "order.updated");
}

TEST_F(IngestStoreTest, ABackfillQueuesBaselineBehindLiveOrders) {
  IngestBatch batch = Batch();
  batch.mode = IngestMode::kBaseline;
  batch.orders = {Seen(1, "a"), Seen(2, "a")};
  Commit(batch);
  batch.mode = IngestMode::kBackfill;
  batch.priority = DeliveryClass::kHistory;
  EXPECT_EQ(Commit(batch).requeued, 2);
  EXPECT_EQ(State().waiting, 2);
  EXPECT_EQ(Commit(batch).requeued, 0) << "they are pending now";
  Observe(Seen(3, "live"));
  const std::vector<ClaimedDelivery> claims = Claim();
  ASSERT_EQ(claims.size(), 3);
  EXPECT_EQ(claims[0].order, OrderId(3));
  EXPECT_EQ(claims[1].event, "order.updated");
  EXPECT_FALSE(claims[1].forced);
}

TEST_F(IngestStoreTest, ABatchReadUnderOtherSettingsIsRefused) {
  IngestBatch batch = Batch();
  batch.orders = {Seen(1, "a")};
  batch.mark = clock_.Now();
  batch.expected_version = connection_.version;
  ConnectionUpdate update;
  update.id = connection_.id;
  update.settings = connection_.settings;
  update.settings.odoo.database = "another";
  const auto edited = storage_->connections().Update(update, kActor, clock_.Now());
  ASSERT_OK(edited);
  EXPECT_THAT(storage_->ingest().Commit(batch, clock_.Now()),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(Head(1), std::nullopt);
  EXPECT_EQ(State().mark, absl::InfinitePast());
  batch.expected_version = edited->version;
  EXPECT_EQ(Commit(batch).recorded, 1);
}

TEST_F(IngestStoreTest, OpenOrdersAreTheYoungOnesAndThoseThatAreOwed) {
  Observe(Seen(1, "old and delivered", 0));
  Accept(ClaimOne());
  Observe(Seen(2, "old and waiting", 1));
  Observe(Broken(3, "old and dead", 2));
  Observe(Seen(4, "young", 30));
  Observe(Seen(5, "young, cancelled", 31));
  Observe(Cancelled(5, 32));
  const auto ids = [&](OrderId after, int limit) {
    const auto heads =
        storage_->ingest().OpenOrders(connection_.id, "2026-01-15 10:00:20", after, limit);
    EXPECT_OK(heads);
    std::vector<std::int64_t> found;
    for (const OrderHead& head : heads.value()) found.push_back(head.order.value());
    return found;
  };
  EXPECT_THAT(ids(OrderId(), 100), ElementsAre(2, 3, 4));
  EXPECT_THAT(ids(OrderId(2), 1), ElementsAre(3));
}

TEST_F(IngestStoreTest, AHeadKeepsWhichLinesWereSeenLast) {
  Observation seen = Seen(1, "a");
  seen.line_stamps = "2026-01-15 10:00:00=7-9";
  Observe(seen);
  EXPECT_EQ(Head(1)->line_stamps, seen.line_stamps);
  seen.line_stamps = "2026-01-15 10:00:05=8;2026-01-15 10:00:00=7,9";
  EXPECT_EQ(Observe(seen).unchanged, 1);
  EXPECT_EQ(Head(1)->line_stamps, seen.line_stamps);
  Observe(Cancelled(1, 10));
  EXPECT_EQ(Head(1)->line_stamps, seen.line_stamps) << "a listing says nothing of lines";
  Observe(Broken(1, "no product", 20));
  EXPECT_EQ(Head(1)->line_stamps, "") << "the next line edit is looked at";
}

TEST_F(IngestStoreTest, AnOrderThatIsTrackedIsNeverMadeBaseline) {
  Observe(Seen(1, "a"));
  IngestBatch batch = Batch();
  batch.mode = IngestMode::kBaseline;
  batch.orders = {Seen(1, "b", 1)};
  Commit(batch);
  EXPECT_EQ(Head(1)->status, DeliveryStatus::kPending);
}

TEST_F(IngestStoreTest, RepeatingACommittedBatchChangesNothing) {
  IngestBatch batch = Batch();
  batch.orders = {Seen(1, "a"), Seen(2, "b")};
  batch.unmappable = {Broken(3, "no lines")};
  batch.mark = clock_.Now();
  Commit(batch);
  Observe(Seen(2, "c", 1));
  Observe(Seen(2, "b", 2));
  batch.orders[1].write_date = Head(2)->write_date;
  NewEvents();
  const IngestResult result = Commit(batch);
  EXPECT_EQ(result.unchanged, 3);
  EXPECT_EQ(result.recorded + result.dead + result.requeued + result.cancelled, 0);
  EXPECT_THAT(NewEvents(), IsEmpty());
}

TEST_F(IngestStoreTest, AnUnmappableOrderIsDeadWithItsRecordAndReason) {
  const IngestResult result = Observe(Broken(1, "line 7 has no product_id"));
  EXPECT_EQ(result.dead, 1);
  const OrderHead head = Head(1).value();
  EXPECT_EQ(head.content_hash, "");
  const DeliveryDetails details = Details(head.delivery);
  EXPECT_EQ(details.delivery.status, DeliveryStatus::kDead);
  EXPECT_EQ(details.delivery.reason, "unmappable");
  EXPECT_EQ(details.delivery.last_error, "line 7 has no product_id");
  EXPECT_EQ(details.content, "raw record of 1");
  EXPECT_TRUE(details.unmappable);
  EXPECT_THAT(NewEvents(), ElementsAre("order_found S1/1", "delivery_dead S1/1"));
  EXPECT_EQ(Observe(Broken(1, "line 7 has no product_id")).unchanged, 1);
  EXPECT_EQ(Observe(Broken(1, "line 8 has no product_id")).dead, 1);
  EXPECT_EQ(State().dead, 1);
}

TEST_F(IngestStoreTest, MarksAndTheLogAreWrittenWithTheBatch) {
  IngestBatch batch = Batch();
  batch.orders = {Seen(1, "a")};
  batch.mark = clock_.Now() - absl::Seconds(1);
  batch.started = clock_.Now() - absl::Hours(1);
  batch.log = SyncLog();
  batch.log->kind = "poll";
  batch.log->started_at = clock_.Now();
  batch.log->listed = 7;
  batch.log->recorded = 2;
  Commit(batch);
  EXPECT_EQ(State().mark, clock_.Now() - absl::Seconds(1));
  EXPECT_EQ(State().started, clock_.Now() - absl::Hours(1));
  EXPECT_EQ(State().line_mark, absl::InfinitePast());
  ASSERT_OK_AND_ASSIGN(const auto logs, storage_->sync_logs().List(std::nullopt, SyncLogId(), 10));
  ASSERT_EQ(logs.size(), 1u);
  EXPECT_EQ(logs[0].recorded, 3) << "what came before this batch and the batch itself";
  EXPECT_EQ(logs[0].connection_name, "shop");
}

TEST_F(IngestStoreTest, ALateFindIsSaidBesideTheOrder) {
  IngestBatch batch = Batch();
  batch.late_find = true;
  batch.orders = {Seen(1, "a")};
  Commit(batch);
  EXPECT_THAT(NewEvents(), ElementsAre("order_found S1/1", "late_find S1/1"));
}

TEST_F(IngestStoreTest, ADeletedConnectionTakesNothing) {
  EXPECT_OK(storage_->connections().Delete(connection_.id, false, kActor, clock_.Now()));
  EXPECT_THAT(storage_->ingest().Commit(Batch(), clock_.Now()),
              StatusIs(absl::StatusCode::kNotFound));
}

// --- an operator asks again ---

class ResendTest : public IngestStoreTest {
 protected:
  IngestResult Resend(const Observation& order) {
    IngestBatch batch = Batch();
    batch.mode = IngestMode::kResend;
    batch.actor = {.token_name = "ops", .request_id = "r1"};
    batch.orders = {order};
    return Commit(batch);
  }
};

TEST_F(ResendTest, ADeliveredOrderIsDeliveredAgainUnderItsId) {
  Observe(Seen(1, "a"));
  const ClaimedDelivery first = ClaimOne();
  Accept(first);
  NewEvents();
  EXPECT_EQ(Resend(Seen(1, "a")).requeued, 1);
  EXPECT_THAT(NewEvents(), ElementsAre("delivery_requeued S1/1"));
  EXPECT_EQ(State().waiting, 1);
  const std::vector<ClaimedDelivery> again = Claim(8, /*forced_only=*/true);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].webhook_id, first.webhook_id);
  EXPECT_EQ(again[0].event, first.event);
  EXPECT_EQ(again[0].content, first.content);
  EXPECT_EQ(again[0].attempt, 2);
  EXPECT_TRUE(again[0].forced);
}

TEST_F(ResendTest, ABaselineOrderIsDeliveredAsAnUpdate) {
  IngestBatch batch = Batch();
  batch.mode = IngestMode::kBaseline;
  batch.orders = {Seen(1, "a")};
  Commit(batch);
  Resend(Seen(1, "a"));
  EXPECT_EQ(ClaimOne().event, "order.updated");
}

TEST_F(ResendTest, AChangedOrderBecomesItsNextRevision) {
  Observe(Seen(1, "a"));
  Accept(ClaimOne());
  EXPECT_EQ(Resend(Seen(1, "b", 1)).recorded, 1);
  EXPECT_EQ(ClaimOne().revision, 2);
}

TEST_F(ResendTest, OneThatWaitsIsDueNow) {
  Observe(Seen(1, "a"));
  Fail(ClaimOne());
  EXPECT_THAT(Claim(), IsEmpty());
  Resend(Seen(1, "a"));
  NewEvents();
  Resend(Seen(1, "a"));
  EXPECT_THAT(NewEvents(), IsEmpty()) << "it is asked for already";
  EXPECT_EQ(NextDue(), absl::ZeroDuration());
  EXPECT_TRUE(ClaimOne().forced);
}

TEST_F(ResendTest, OneInFlightIsTriedAgainAtOnceIfItFails) {
  Observe(Seen(1, "a"));
  const ClaimedDelivery claim = ClaimOne();
  Resend(Seen(1, "a"));
  EXPECT_THAT(Claim(), IsEmpty());
  Fail(claim);
  EXPECT_TRUE(ClaimOne().forced);
}

TEST_F(ResendTest, OneInFlightThatIsAcceptedIsDone) {
  Observe(Seen(1, "a"));
  const ClaimedDelivery claim = ClaimOne();
  Resend(Seen(1, "a"));
  Accept(claim);
  EXPECT_THAT(Claim(), IsEmpty());
}

TEST_F(ResendTest, ADiscardedOneComesBack) {
  Observe(Seen(1, "a"));
  const DeliveryId id = Head(1)->delivery;
  ASSERT_OK(storage_->outbox().Discard(id, "not wanted", kActor, clock_.Now()).status());
  EXPECT_EQ(State().waiting, 0);
  Resend(Seen(1, "a"));
  EXPECT_EQ(StatusOf(id), DeliveryStatus::kPending);
  EXPECT_EQ(State().waiting, 1);
}

// --- cancelled in Odoo ---

class CancelTest : public IngestStoreTest {
 protected:
  IngestResult Cancel(int order, int second, bool send_cancelled) {
    IngestBatch batch = Batch();
    batch.send_cancelled = send_cancelled;
    batch.cancelled = {Cancelled(order, second)};
    return Commit(batch);
  }
};

TEST_F(CancelTest, WhatWasNeverAttemptedIsSuperseded) {
  for (const bool send_cancelled : {false, true}) {
    const int order = send_cancelled ? 2 : 1;
    Observe(Seen(order, "a"));
    const DeliveryId id = Head(order)->delivery;
    NewEvents();
    EXPECT_EQ(Cancel(order, 1, send_cancelled).cancelled, 1);
    EXPECT_EQ(StatusOf(id), DeliveryStatus::kSuperseded);
    EXPECT_EQ(Head(order)->condition, OrderCondition::kCancelled);
    EXPECT_EQ(NewEvents().size(), 1u);
    EXPECT_THAT(Claim(), IsEmpty());
    EXPECT_EQ(State().waiting, 0);
  }
}

TEST_F(CancelTest, AnAcceptedOrderIsAnnouncedAsCancelledWithItsLastContent) {
  Observe(Seen(1, "a"));
  Accept(ClaimOne());
  EXPECT_EQ(Cancel(1, 5, true).cancelled, 1);
  EXPECT_EQ(Cancel(1, 5, true).cancelled, 0) << "once";
  const ClaimedDelivery claim = ClaimOne();
  EXPECT_EQ(claim.event, "order.cancelled");
  EXPECT_EQ(claim.revision, 2);
  EXPECT_EQ(claim.content, "content a");
  Accept(claim);
  EXPECT_EQ(Head(1)->write_date, "2026-01-15 10:00:05");
}

TEST_F(CancelTest, WithoutTheWishAnAcceptedOrderStaysAsItIs) {
  Observe(Seen(1, "a"));
  Accept(ClaimOne());
  Cancel(1, 5, false);
  EXPECT_THAT(Claim(), IsEmpty());
  EXPECT_EQ(Head(1)->status, DeliveryStatus::kDelivered);
}

TEST_F(CancelTest, AWaitingRetryIsWithdrawn) {
  Observe(Seen(1, "a"));
  const ClaimedDelivery claim = ClaimOne();
  Fail(claim);
  NewEvents();
  Cancel(1, 5, false);
  EXPECT_EQ(StatusOf(claim.id), DeliveryStatus::kWithdrawn);
  EXPECT_THAT(NewEvents(), ElementsAre("delivery_withdrawn S1/1"));
  clock_.Advance(absl::Hours(1));
  EXPECT_THAT(Claim(), IsEmpty());
}

TEST_F(CancelTest, OneInFlightIsWithdrawnWhenItFails) {
  Observe(Seen(1, "a"));
  const ClaimedDelivery claim = ClaimOne();
  Cancel(1, 5, false);
  EXPECT_EQ(Fail(claim).status, DeliveryStatus::kWithdrawn);
  EXPECT_EQ(State().waiting, 0);
}

TEST_F(CancelTest, OneInFlightIsFollowedByTheAnnouncement) {
  Observe(Seen(1, "a"));
  const ClaimedDelivery claim = ClaimOne();
  Cancel(1, 5, true);
  EXPECT_THAT(Claim(), IsEmpty()) << "never two in flight for one order";
  EXPECT_EQ(Fail(claim).status, DeliveryStatus::kSuperseded);
  EXPECT_EQ(ClaimOne().event, "order.cancelled");
}

TEST_F(CancelTest, ReconfirmedWithTheSameContentIsConfirmedAnew) {
  Observe(Seen(1, "a", 0));
  Accept(ClaimOne());
  Cancel(1, 5, false);
  EXPECT_EQ(Observe(Seen(1, "a", 6)).recorded, 1);
  const ClaimedDelivery claim = ClaimOne();
  EXPECT_EQ(claim.event, "order.confirmed");
  EXPECT_EQ(claim.revision, 2);
  Accept(claim);
  Observe(Seen(1, "b", 7));
  EXPECT_EQ(ClaimOne().event, "order.updated") << "later changes are updates again";
}

TEST_F(CancelTest, ABaselineOrderIsAnnouncedOnlyWhereAsked) {
  IngestBatch batch = Batch();
  batch.mode = IngestMode::kBaseline;
  batch.orders = {Seen(1, "a"), Seen(2, "b")};
  Commit(batch);
  Cancel(1, 5, false);
  EXPECT_THAT(Claim(), IsEmpty());
  Cancel(2, 5, true);
  EXPECT_EQ(ClaimOne().event, "order.cancelled");
}

TEST_F(CancelTest, AnUnknownOrderIsNoOrder) {
  EXPECT_EQ(Cancel(77, 1, true).cancelled, 0);
  EXPECT_EQ(Head(77), std::nullopt);
}

TEST_F(CancelTest, AGoneOrderKeepsItsWriteDate) {
  Observe(Seen(1, "a", 3));
  CancelledOrder gone;
  gone.order = OrderId(1);
  Observe(gone);
  EXPECT_EQ(Head(1)->condition, OrderCondition::kCancelled);
  EXPECT_EQ(Head(1)->write_date, "2026-01-15 10:00:03");
}

TEST_F(CancelTest, AStaleCancellationIsDropped) {
  Observe(Seen(1, "a", 9));
  IngestBatch batch = Batch();
  batch.cancelled = {Cancelled(1, 3)};
  EXPECT_EQ(Commit(batch).stale, 1);
  EXPECT_EQ(Head(1)->condition, OrderCondition::kConfirmed);
}

TEST_F(CancelTest, AnUnmappableOrderThatIsCancelledIsSuperseded) {
  Observe(Broken(1, "no lines"));
  const DeliveryId id = Head(1)->delivery;
  Cancel(1, 5, false);
  EXPECT_EQ(StatusOf(id), DeliveryStatus::kSuperseded);
  EXPECT_EQ(State().dead, 0);
}

}  // namespace
}  // namespace poller

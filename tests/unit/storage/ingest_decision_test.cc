#include "core/storage/ingest_decision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace poller {
namespace {

using Outcome = IngestDecision::Outcome;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr absl::Duration kOverlap = absl::Minutes(5);

absl::Time At(int minutes) { return absl::FromUnixSeconds(1768472000) + absl::Minutes(minutes); }

IngestBatch Batch(int minutes, IngestMode mode = IngestMode::kDeliver) {
  IngestBatch batch;
  batch.mode = mode;
  batch.observed_at = At(minutes);
  batch.overlap = kOverlap;
  return batch;
}

Observation Seen(const std::string& hash, const std::string& write_date) {
  Observation seen;
  seen.order = OrderId(1);
  seen.name = "S1";
  seen.content_hash = hash;
  seen.write_date = write_date;
  return seen;
}

CancelledOrder Cancel(const std::string& write_date) {
  CancelledOrder cancelled;
  cancelled.order = OrderId(1);
  cancelled.write_date = write_date;
  return cancelled;
}

// An order with two revisions, the newest "b" of 12:00 read at minute 0, whose delivery 20 has this
// status.
OrderHistory Known(DeliveryStatus status) {
  OrderHistory history;
  history.head = OrderHead();
  history.head->order = OrderId(1);
  history.head->name = "S1";
  history.head->revision = 2;
  history.head->content_hash = "b";
  history.head->write_date = "2026-01-15 12:00:00";
  history.head->observed_at = At(0);
  history.head->delivery = DeliveryId(20);
  history.head->status = status;
  history.last_revision = 2;
  history.base = 1;
  history.has_content = true;
  if (status == DeliveryStatus::kPending || status == DeliveryStatus::kDead) {
    history.open.push_back({.id = DeliveryId(20), .revision = 2, .status = status});
  }
  return history;
}

TEST(IngestDecisionTest, TheFirstRevisionHasNumberOne) {
  const IngestDecision decision =
      Decide(OrderHistory(), Seen("a", "2026-01-15 12:00:00"), Batch(0));
  EXPECT_EQ(decision.outcome, Outcome::kRecorded);
  EXPECT_EQ(decision.revision->revision, 1);
  EXPECT_EQ(decision.revision->status, DeliveryStatus::kPending);
  EXPECT_EQ(decision.revision->base, 1);
  EXPECT_EQ(decision.head->content_hash, "a");
  EXPECT_EQ(decision.head->observed_at, At(0));
}

TEST(IngestDecisionTest, RevisionsOfAnOdooThatWasReplacedCountOn) {
  OrderHistory history;
  history.last_revision = 7;
  history.open.push_back({.id = DeliveryId(9), .revision = 7});
  const IngestDecision decision = Decide(history, Seen("a", "2020-01-01 00:00:00"), Batch(0));
  EXPECT_EQ(decision.revision->revision, 8);
  EXPECT_THAT(decision.supersede, ElementsAre(DeliveryId(9)));
}

TEST(IngestDecisionTest, AnythingNewSupersedesWhatIsOpenAndNotInFlight) {
  OrderHistory history = Known(DeliveryStatus::kPending);
  history.open.push_back({.id = DeliveryId(10), .revision = 1, .in_flight = true, .attempts = 0});
  const IngestDecision decision = Decide(history, Seen("c", "2026-01-15 12:00:01"), Batch(1));
  EXPECT_THAT(decision.supersede, ElementsAre(DeliveryId(20)));
}

TEST(IngestDecisionTest, StaleEndsExactlyOneOverlapAfterTheHeadsRead) {
  const OrderHistory history = Known(DeliveryStatus::kDelivered);
  const Observation older = Seen("a", "2026-01-15 11:59:59");
  EXPECT_EQ(Decide(history, older, Batch(4)).outcome, Outcome::kStale);
  EXPECT_EQ(Decide(history, older, Batch(5)).outcome, Outcome::kRecorded);
  IngestBatch just_before = Batch(5);
  just_before.observed_at -= absl::Seconds(1);
  EXPECT_EQ(Decide(history, older, just_before).outcome, Outcome::kStale);
  EXPECT_FALSE(Decide(history, older, just_before).head.has_value());
}

TEST(IngestDecisionTest, ATouchMovesTheHeadForwardOnly) {
  const OrderHistory history = Known(DeliveryStatus::kDelivered);
  Observation touch = Seen("b", "2026-01-15 12:00:30");
  touch.line_write_date = "2026-01-15 12:00:20";
  touch.line_stamps = "2026-01-15 12:00:20=7";
  touch.young = true;
  const IngestDecision decision = Decide(history, touch, Batch(1));
  EXPECT_EQ(decision.outcome, Outcome::kUnchanged);
  EXPECT_FALSE(decision.revision.has_value());
  EXPECT_EQ(decision.head->write_date, "2026-01-15 12:00:30");
  EXPECT_EQ(decision.head->line_write_date, "2026-01-15 12:00:20");
  EXPECT_EQ(decision.head->line_stamps, "2026-01-15 12:00:20=7");
  EXPECT_TRUE(decision.head->young);
  EXPECT_EQ(decision.head->observed_at, At(1));
  EXPECT_EQ(Decide(history, touch, Batch(-1)).head->observed_at, At(0));
}

// What a restored backup does not know may have been delivered after it was made.
TEST(IngestDecisionTest, AnUnknownCancelledOrderIsAnnouncedDuringAHoldAlone) {
  Observation cancelled = Seen("a", "2026-01-15 12:00:00");
  cancelled.condition = OrderCondition::kCancelled;
  IngestBatch batch = Batch(0);
  batch.send_cancelled = true;
  OrderHistory held;
  held.held = true;
  held.revision_floor = 1000;
  const IngestDecision decision = Decide(held, cancelled, batch);
  EXPECT_EQ(decision.outcome, Outcome::kCancelled);
  EXPECT_EQ(decision.revision->revision, 1000);
  EXPECT_EQ(decision.revision->condition, OrderCondition::kCancelled);
  EXPECT_EQ(decision.revision->status, DeliveryStatus::kPending);
  EXPECT_EQ(decision.head->condition, OrderCondition::kCancelled);
  EXPECT_EQ(Decide(OrderHistory(), cancelled, batch).outcome, Outcome::kIgnored);
  EXPECT_EQ(Decide(held, cancelled, Batch(0)).outcome, Outcome::kIgnored);
  held.head = decision.head;
  EXPECT_EQ(Decide(held, cancelled, batch).outcome, Outcome::kIgnored) << "announced already";
}

TEST(IngestDecisionTest, ADamagedContentIsReplacedByAnEqualOne) {
  OrderHistory history = Known(DeliveryStatus::kDead);
  history.damaged = true;
  EXPECT_EQ(Decide(history, Seen("b", "2026-01-15 12:00:00"), Batch(1)).outcome,
            Outcome::kRecorded);
}

TEST(IngestDecisionTest, ACancellationWithoutAnythingOpenIsNotedQuietly) {
  const IngestDecision decision =
      Decide(Known(DeliveryStatus::kDelivered), Cancel("2026-01-15 12:00:01"), Batch(1));
  EXPECT_EQ(decision.outcome, Outcome::kUnchanged);
  EXPECT_EQ(decision.head->condition, OrderCondition::kCancelled);
  EXPECT_THAT(decision.supersede, IsEmpty());
}

TEST(IngestDecisionTest, ACancellationNeedsContentToBeAnnounced) {
  OrderHistory history = Known(DeliveryStatus::kDead);
  history.attempted = true;
  history.has_content = false;
  IngestBatch batch = Batch(1);
  batch.send_cancelled = true;
  EXPECT_FALSE(Decide(history, Cancel("2026-01-15 12:00:01"), batch).revision.has_value());
  history.has_content = true;
  const IngestDecision decision = Decide(history, Cancel("2026-01-15 12:00:01"), batch);
  EXPECT_EQ(decision.revision->content, NewRevision::Content::kLastRecorded);
  EXPECT_EQ(decision.revision->condition, OrderCondition::kCancelled);
}

TEST(IngestDecisionTest, AReconfirmedOrderBeginsANewBase) {
  OrderHistory history = Known(DeliveryStatus::kDelivered);
  history.head->condition = OrderCondition::kCancelled;
  const IngestDecision decision = Decide(history, Seen("b", "2026-01-15 12:00:01"), Batch(1));
  EXPECT_EQ(decision.outcome, Outcome::kRecorded);
  EXPECT_TRUE(decision.revision->reconfirmed);
  EXPECT_EQ(decision.revision->base, 3);
}

TEST(IngestDecisionTest, AnUnmappableOrderIsBaselineWhereOrdersAre) {
  UnmappableOrder broken;
  broken.order = OrderId(1);
  broken.reason = "no lines";
  const IngestDecision decision = Decide(OrderHistory(), broken, Batch(0, IngestMode::kBaseline));
  EXPECT_EQ(decision.revision->status, DeliveryStatus::kBaseline);
  EXPECT_EQ(decision.head->content_hash, "");
}

TEST(IngestDecisionTest, ABackfillAsksForBaselineAndForNothingElseThatIsEqual) {
  const Observation same = Seen("b", "2026-01-15 12:00:00");
  const IngestBatch backfill = Batch(1, IngestMode::kBackfill);
  const IngestDecision owed = Decide(Known(DeliveryStatus::kBaseline), same, backfill);
  EXPECT_EQ(owed.outcome, Outcome::kRequeued);
  EXPECT_EQ(owed.requeue, DeliveryId(20));
  for (const DeliveryStatus status :
       {DeliveryStatus::kPending, DeliveryStatus::kDelivered, DeliveryStatus::kDead,
        DeliveryStatus::kDiscarded, DeliveryStatus::kWithdrawn}) {
    EXPECT_EQ(Decide(Known(status), same, backfill).outcome, Outcome::kUnchanged)
        << DeliveryStatusName(status);
  }
}

TEST(IngestDecisionTest, AnUnmappableBaselineThatIsAskedForBecomesADeadLetter) {
  OrderHistory history = Known(DeliveryStatus::kBaseline);
  history.unmappable = true;
  history.unmappable_reason = "no lines";
  UnmappableOrder broken;
  broken.order = OrderId(1);
  broken.write_date = history.head->write_date;
  broken.reason = "no lines";
  EXPECT_EQ(Decide(history, broken, Batch(1)).outcome, Outcome::kUnchanged);
  const IngestDecision decision = Decide(history, broken, Batch(1, IngestMode::kBackfill));
  EXPECT_EQ(decision.outcome, Outcome::kDead);
  EXPECT_EQ(decision.revision->status, DeliveryStatus::kDead);
}

TEST(FirstClaimEventTest, NamesWhatTheReceiverIsToThink) {
  constexpr auto kConfirmed = OrderCondition::kConfirmed;
  EXPECT_EQ(FirstClaimEvent(kConfirmed, false, false, false), "order.confirmed");
  EXPECT_EQ(FirstClaimEvent(kConfirmed, true, false, false), "order.updated");
  EXPECT_EQ(FirstClaimEvent(kConfirmed, false, false, true), "order.updated");
  EXPECT_EQ(FirstClaimEvent(kConfirmed, false, true, true), "order.confirmed");
  EXPECT_EQ(FirstClaimEvent(kConfirmed, true, true, false), "order.updated");
  EXPECT_EQ(FirstClaimEvent(OrderCondition::kCancelled, true, true, true), "order.cancelled");
}

}  // namespace
}  // namespace poller

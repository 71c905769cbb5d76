// Retention of revisions: what goes, what stays, and that nothing is decided otherwise for it.
#include "core/storage/sqlite/database.h"
#include "core/storage/sqlite/ledger_rows.h"
#include "tests/integration/storage/storage_fixture.h"

namespace poller {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class LedgerStoreTest : public StorageFixture {
 protected:
  LedgerStoreTest() {
    Open();
    AddConnection();
  }
  // What is over now, as it will be seen in half a year.
  int PruneAll() {
    clock_.Advance(absl::Hours(24 * 180));
    return Prune(absl::Hours(24 * 90));
  }
  int Prune(absl::Duration age, int limit = 1000) {
    const auto pruned = storage_->ledger().Prune(clock_.Now() - age, limit);
    EXPECT_OK(pruned.status());
    return pruned.value_or(-1);
  }
  std::vector<int> Revisions(int order) {
    std::vector<int> revisions;
    const auto details = storage_->orders().GetOrder(connection_.id, OrderId(order), "");
    EXPECT_OK(details.status());
    if (!details.ok()) return revisions;
    for (const DeliveryDetails& revision : details->revisions) {
      revisions.push_back(revision.delivery.revision);
    }
    return revisions;
  }
  std::int64_t Number(std::string_view sql) {
    const auto db = Database::Open(Path(), Database::Mode::kReadOnly);
    EXPECT_OK(db.status());
    Query query = (*db)->Run(sql);
    EXPECT_TRUE(query.Next());
    return query.Int(0);
  }
  IngestBatch WithCancellations() {
    IngestBatch batch = Batch();
    batch.send_cancelled = true;
    return batch;
  }
  IngestResult Cancel(int order, int second) {
    IngestBatch batch = WithCancellations();
    batch.cancelled.push_back(Cancelled(order, second));
    return Commit(batch);
  }
  void Baseline(const Observation& order) {
    IngestBatch batch = Batch();
    batch.mode = IngestMode::kBaseline;
    batch.orders.push_back(order);
    Commit(batch);
  }
  void MoveToAnotherOdoo() {
    ConnectionUpdate update;
    update.id = connection_.id;
    update.settings = connection_.settings;
    update.reset_odoo = true;
    ASSERT_OK(storage_->connections().Update(update, kActor, clock_.Now()).status());
  }
};

TEST_F(LedgerStoreTest, AnOldRevisionGoesWithItsPayloadAndAttempts) {
  Observe(Seen(1, "a", 0));
  Fail(ClaimOne());
  clock_.Advance(absl::Minutes(1));
  Accept(ClaimOne());
  Observe(Seen(1, "b", 1));
  Accept(ClaimOne());
  const DeliveryId newest = Head(1)->delivery;
  EXPECT_EQ(PruneAll(), 2);
  EXPECT_THAT(Revisions(1), ElementsAre(2));
  EXPECT_EQ(Number("SELECT count(*) FROM payload"), 1);
  EXPECT_EQ(Number("SELECT count(*) FROM attempt"), 0);
  EXPECT_EQ(Details(newest).content, "content b");
  EXPECT_EQ(Prune(absl::ZeroDuration()), 0) << "it was dealt with already";
}

TEST_F(LedgerStoreTest, WhatIsNotOldStays) {
  Observe(Seen(1, "a", 0));
  clock_.Advance(absl::Hours(24 * 180));
  Accept(ClaimOne());  // it came to its end just now
  Observe(Seen(1, "b", 1));
  clock_.Advance(absl::Hours(24 * 89));
  EXPECT_EQ(Prune(absl::Hours(24 * 90)), 0);
  EXPECT_THAT(Revisions(1), ElementsAre(2, 1));
}

TEST_F(LedgerStoreTest, PendingDeadAndInFlightStayHoweverOld) {
  Observe(Seen(1, "a", 0));
  const ClaimedDelivery flying = ClaimOne();
  Observe(Seen(1, "b", 1));
  Observe(Broken(2, "no currency"));
  Observe(Seen(3, "c", 0));
  EXPECT_EQ(PruneAll(), 0);
  EXPECT_THAT(Revisions(1), ElementsAre(2, 1));
  EXPECT_EQ(StatusOf(Head(2)->delivery), DeliveryStatus::kDead);
  EXPECT_EQ(State().waiting, 3);
  EXPECT_EQ(Accept(flying).status, DeliveryStatus::kDelivered);
  EXPECT_THAT(Claim(), SizeIs(2));
}

TEST_F(LedgerStoreTest, AStepIsNoLargerThanAsked) {
  for (int i = 0; i < 5; ++i) Observe(Seen(1, std::string(1, static_cast<char>('a' + i)), i));
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(Prune(absl::Minutes(1), 3), 3);
  EXPECT_THAT(Revisions(1), ElementsAre(5, 4));
  EXPECT_EQ(Prune(absl::Minutes(1), 3), 1);
  EXPECT_THAT(Revisions(1), ElementsAre(5));
}

TEST_F(LedgerStoreTest, AResendOfAPrunedHeadSendsTheSameBytesUnderTheSameId) {
  Observe(Seen(1, "a", 0));
  const ClaimedDelivery first = ClaimOne();
  Accept(first);
  EXPECT_EQ(PruneAll(), 1);
  IngestBatch batch = Batch();
  batch.mode = IngestMode::kResend;
  batch.orders.push_back(Seen(1, "a", 0));
  EXPECT_EQ(Commit(batch).requeued, 1);
  const ClaimedDelivery again = ClaimOne();
  EXPECT_EQ(again.webhook_id, first.webhook_id);
  EXPECT_EQ(again.content, first.content);
  EXPECT_EQ(again.event, first.event);
  EXPECT_EQ(again.attempt, 2);
  Accept(again);
  EXPECT_EQ(PruneAll(), 1) << "its new attempt has become old";
  EXPECT_THAT(Details(first.id).attempts, IsEmpty());
}

TEST_F(LedgerStoreTest, AHeadThatWasDealtWithGoesOnceItIsNoHead) {
  Observe(Seen(1, "a", 0));
  Accept(ClaimOne());
  EXPECT_EQ(PruneAll(), 1);
  Observe(Seen(1, "b", 1));
  EXPECT_EQ(PruneAll(), 1);
  EXPECT_THAT(Revisions(1), ElementsAre(2));
}

TEST_F(LedgerStoreTest, ReadsIndexesAlone) {
  ASSERT_OK_AND_ASSIGN(const auto db, Database::Open(Path(), Database::Mode::kReadOnly));
  for (const std::string& sql : LedgerStatements()) {
    const std::string explain = "EXPLAIN QUERY PLAN " + sql;
    Query plan = db->Run(explain);
    std::string text;
    while (plan.Next()) text += plan.Text(3) + "\n";
    EXPECT_THAT(text, HasSubstr("SEARCH")) << sql;
    EXPECT_THAT(text, Not(HasSubstr("SCAN"))) << sql << "\n" << text;
    EXPECT_THAT(text, Not(HasSubstr("TEMP B-TREE"))) << sql << "\n" << text;
  }
}

// --- event names ---

TEST_F(LedgerStoreTest, AnOrderWhoseAcceptedRevisionIsGoneIsStillUpdated) {
  Observe(Seen(1, "a", 0));
  Accept(ClaimOne());
  Observe(Seen(1, "b", 1));
  EXPECT_EQ(PruneAll(), 1);
  EXPECT_THAT(Revisions(1), ElementsAre(2));
  EXPECT_EQ(ClaimOne().event, "order.updated");
}

TEST_F(LedgerStoreTest, AnOrderWhoseRevisionOfUnknownFateIsGoneIsStillUpdated) {
  Observe(Seen(1, "a", 0));
  Fail(ClaimOne(), {.http_status = 0, .failure = "timeout"});
  Observe(Seen(1, "b", 1));
  EXPECT_EQ(PruneAll(), 1);
  EXPECT_EQ(ClaimOne().event, "order.updated");
}

TEST_F(LedgerStoreTest, AnOrderThatTheReceiverCannotKnowIsStillConfirmed) {
  Observe(Seen(1, "a", 0));
  Fail(ClaimOne());
  Observe(Seen(1, "b", 1));
  EXPECT_EQ(PruneAll(), 1);
  EXPECT_EQ(ClaimOne().event, "order.confirmed");
}

TEST_F(LedgerStoreTest, WhatTheReceiverKnewBeforeACancellationDoesNotMakeAnUpdate) {
  Observe(Seen(1, "a", 0));
  Accept(ClaimOne());
  Cancel(1, 1);
  Accept(ClaimOne());
  Observe(Seen(1, "b", 2));
  EXPECT_EQ(PruneAll(), 2);
  EXPECT_EQ(ClaimOne().event, "order.confirmed");
}

TEST_F(LedgerStoreTest, AnOrderWhoseBaselineIsGoneIsStillUpdated) {
  Baseline(Seen(1, "a", 0));
  Observe(Seen(1, "b", 1));
  EXPECT_EQ(PruneAll(), 1);
  EXPECT_EQ(ClaimOne().event, "order.updated");
}

// --- cancellations ---

TEST_F(LedgerStoreTest, ACancellationIsAnnouncedIfTheRequestedRevisionIsGone) {
  Observe(Seen(1, "a", 0));
  Fail(ClaimOne());
  Observe(Seen(1, "b", 1));
  EXPECT_EQ(PruneAll(), 1);
  EXPECT_EQ(Cancel(1, 2).cancelled, 1);
  EXPECT_EQ(ClaimOne().event, "order.cancelled");
}

TEST_F(LedgerStoreTest, ACancellationIsAnnouncedIfTheBaselineIsGone) {
  Baseline(Seen(1, "a", 0));
  Observe(Seen(1, "b", 1));
  EXPECT_EQ(PruneAll(), 1);
  EXPECT_EQ(Cancel(1, 2).cancelled, 1);
  EXPECT_EQ(ClaimOne().event, "order.cancelled");
}

TEST_F(LedgerStoreTest, ACancellationOfWhatWasNeverRequestedIsNotAnnounced) {
  Observe(Seen(1, "a", 0));
  Observe(Seen(1, "b", 1));
  EXPECT_EQ(PruneAll(), 1);
  Cancel(1, 2);
  EXPECT_THAT(Claim(), IsEmpty());
}

TEST_F(LedgerStoreTest, TheContentThatACancellationRepeatsStays) {
  Observe(Seen(1, "a", 0));
  Accept(ClaimOne());
  Observe(Seen(1, "b", 1));
  Accept(ClaimOne());
  Observe(Broken(1, "no currency", 2));
  EXPECT_EQ(PruneAll(), 2);
  EXPECT_THAT(Revisions(1), ElementsAre(3, 2));
  EXPECT_EQ(PruneAll(), 0);
  EXPECT_EQ(Cancel(1, 3).cancelled, 1);
  EXPECT_EQ(ClaimOne().content, "content b");
  EXPECT_EQ(PruneAll(), 2) << "the announcement holds the content itself";
  EXPECT_THAT(Revisions(1), ElementsAre(4));
}

// --- another Odoo ---

TEST_F(LedgerStoreTest, WhatIsGoneOfTheOdooBeforeSaysNothingOfTheNewOne) {
  Observe(Seen(1, "a", 0));
  Accept(ClaimOne());
  Observe(Seen(1, "b", 1));
  Accept(ClaimOne());
  EXPECT_EQ(PruneAll(), 2);
  MoveToAnotherOdoo();
  Observe(Seen(1, "c", 2));
  EXPECT_EQ(PruneAll(), 1) << "the newest of the Odoo before";
  const ClaimedDelivery claim = ClaimOne();
  EXPECT_EQ(claim.revision, 3);
  EXPECT_EQ(claim.event, "order.confirmed");
  Release(claim);
}

TEST_F(LedgerStoreTest, ACancellationAtTheNewOdooIsNotAnnouncedForWhatIsGoneOfTheOneBefore) {
  Observe(Seen(1, "a", 0));
  Accept(ClaimOne());
  Observe(Seen(1, "b", 1));
  EXPECT_EQ(PruneAll(), 1);
  MoveToAnotherOdoo();
  Observe(Seen(1, "c", 2));
  PruneAll();
  Cancel(1, 3);
  EXPECT_THAT(Claim(), IsEmpty());
}

}  // namespace
}  // namespace poller

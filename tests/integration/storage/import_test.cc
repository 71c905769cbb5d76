// What is imported from another program, and what becomes of it.
#include "core/base/text.h"
#include "core/storage/sqlite/database.h"
#include "tests/integration/storage/storage_fixture.h"

namespace poller {
namespace {

using absl::StatusCode;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Fate = ImportedOrder::Fate;

class ImportTest : public StorageFixture {
 protected:
  ImportTest() { Open(); }
  static ImportedOrder Order(int id, Fate fate) {
    ImportedOrder order;
    order.order = OrderId(id);
    order.name = "S" + std::to_string(id);
    order.fate = fate;
    order.write_date = Seen(id, "", id).write_date;
    order.known_at = *ParseOdooTime(order.write_date) + absl::Seconds(5);
    order.attempts = 3;
    order.error = fate == Fate::kSent ? "" : "HTTP 500";
    order.record = "record of " + std::to_string(id);
    return order;
  }
  ImportedConnection Shop(std::vector<ImportedOrder> orders) const {
    ImportedConnection shop;
    shop.settings = ShopSettings("shop");
    shop.settings.paused_polling = true;
    shop.settings.paused_delivery = true;
    shop.pause_note = "imported";
    shop.mark = clock_.Now();
    shop.started = clock_.Now();
    shop.orders = [orders](const ImportedConnection::Take& take) -> absl::Status {
      for (const ImportedOrder& order : orders) RETURN_IF_ERROR(take(order));
      return absl::OkStatus();
    };
    return shop;
  }
  void Import(std::vector<ImportedOrder> orders) {
    ASSERT_OK(storage_->imports().Import({Shop(std::move(orders))}, kActor, clock_.Now()).status());
    ASSERT_OK_AND_ASSIGN(const auto found, storage_->connections().GetByName("shop"));
    connection_ = found.connection;
    NewEvents();
  }
};

TEST_F(ImportTest, IsCountedAndTold) {
  ASSERT_OK_AND_ASSIGN(
      const ImportedCounts counts,
      storage_->imports().Import(
          {Shop({Order(1, Fate::kSent), Order(2, Fate::kOwed), Order(3, Fate::kGivenUp)})}, kActor,
          clock_.Now()));
  EXPECT_EQ(counts.connections, 1);
  EXPECT_EQ(counts.sent, 1);
  EXPECT_EQ(counts.owed, 1);
  EXPECT_EQ(counts.given_up, 1);
  ASSERT_OK_AND_ASSIGN(const auto found, storage_->connections().GetByName("shop"));
  connection_ = found.connection;
  EXPECT_EQ(connection_.pause_note, "imported");
  EXPECT_EQ(connection_.settings.odoo.api_key.Reveal(), "odoo-key-of-shop");
  EXPECT_EQ(State().mark, clock_.Now());
  EXPECT_EQ(State().started, clock_.Now());
  EXPECT_EQ(State().waiting, 1);
  EXPECT_EQ(State().dead, 1);
  EXPECT_THAT(NewEvents(), ElementsAre("connection_created", "delivery_dead S3/1"));
}

TEST_F(ImportTest, NothingOfItIsDueByItself) {
  Import({Order(1, Fate::kSent), Order(2, Fate::kOwed), Order(3, Fate::kGivenUp)});
  EXPECT_THAT(Claim(), IsEmpty());
  EXPECT_EQ(NextDue(), absl::InfiniteDuration());
  Reopen();
  EXPECT_THAT(Claim(), IsEmpty());
}

TEST_F(ImportTest, WhatWasSentIsNotSentAgain) {
  Import({Order(1, Fate::kSent)});
  EXPECT_EQ(Observe(Seen(1, "a", 1)).unchanged, 1);
  EXPECT_THAT(Claim(), IsEmpty());
  EXPECT_EQ(Head(1)->status, DeliveryStatus::kDelivered);
  // From now on its content is known.
  EXPECT_FALSE(Head(1)->imported);
  EXPECT_EQ(Details(Head(1)->delivery).content, "content a");
  EXPECT_EQ(Observe(Seen(1, "a", 2)).unchanged, 1) << "touched";
  EXPECT_EQ(Observe(Seen(1, "b", 2)).recorded, 1) << "a line was edited";
  EXPECT_EQ(ClaimOne().event, "order.updated");
}

TEST_F(ImportTest, WhatWasEditedSinceItWasSentGoesOutAsAnUpdate) {
  Import({Order(1, Fate::kSent)});
  EXPECT_EQ(Observe(Seen(1, "b", 30)).recorded, 1);
  const ClaimedDelivery claim = ClaimOne();
  EXPECT_EQ(claim.event, "order.updated");
  EXPECT_EQ(claim.revision, 2);
  EXPECT_EQ(claim.content, "content b");
}

TEST_F(ImportTest, ALineThatWasEditedSinceItWasSentGoesOutToo) {
  Import({Order(1, Fate::kSent)});
  Observation edited = Seen(1, "b", 1);
  edited.line_write_date = Seen(1, "", 30).write_date;
  EXPECT_EQ(Observe(edited).recorded, 1);
  EXPECT_EQ(ClaimOne().event, "order.updated");
}

TEST_F(ImportTest, WhatIsOwedGoesOutAsItIsNow) {
  Import({Order(1, Fate::kOwed)});
  EXPECT_EQ(Observe(Seen(1, "now", 1)).recorded, 1) << "though Odoo did not touch it";
  const ClaimedDelivery claim = ClaimOne();
  EXPECT_EQ(claim.content, "content now");
  EXPECT_EQ(claim.event, "order.updated") << "the receiver may know it";
  Accept(claim);
  EXPECT_EQ(State().waiting, 0);
}

TEST_F(ImportTest, WhatWasGivenUpStaysDeadUntilItIsEdited) {
  Import({Order(1, Fate::kGivenUp)});
  EXPECT_EQ(Observe(Seen(1, "a", 1)).unchanged, 1);
  EXPECT_THAT(Claim(), IsEmpty());
  EXPECT_EQ(Head(1)->status, DeliveryStatus::kDead);
  EXPECT_EQ(State().dead, 1);
  EXPECT_EQ(Observe(Seen(1, "b", 2)).recorded, 1);
  EXPECT_EQ(ClaimOne().event, "order.updated");
  EXPECT_EQ(State().dead, 0);
}

TEST_F(ImportTest, WhatAnOperatorDiscardsBeforeItWasReadStaysDiscarded) {
  Import({Order(1, Fate::kGivenUp), Order(2, Fate::kOwed)});
  for (const int order : {1, 2})
    ASSERT_OK(
        storage_->outbox().Discard(Head(order)->delivery, "why", kActor, clock_.Now()).status());
  EXPECT_EQ(State().waiting, 0);
  EXPECT_EQ(State().dead, 0);
  for (int second : {1, 2}) {
    for (const int order : {1, 2}) EXPECT_EQ(Observe(Seen(order, "a", second)).unchanged, 1);
  }
  EXPECT_THAT(Claim(), IsEmpty());
  for (const int order : {1, 2}) {
    EXPECT_EQ(Head(order)->status, DeliveryStatus::kDiscarded);
    EXPECT_EQ(Details(Head(order)->delivery).delivery.reason, "operator");
  }
  EXPECT_EQ(Observe(Seen(1, "b", 3)).recorded, 1) << "an edit goes out";
}

TEST_F(ImportTest, WhatWasGivenUpAndReadOnceCanBeRetried) {
  Import({Order(1, Fate::kGivenUp)});
  Observe(Seen(1, "a", 1));
  ASSERT_OK(storage_->outbox().Retry(Head(1)->delivery, kActor, clock_.Read()).status());
  const ClaimedDelivery claim = ClaimOne();
  EXPECT_EQ(claim.content, "content a");
  EXPECT_EQ(claim.event, "order.updated");
}

TEST_F(ImportTest, ARetryOfWhatWasNotReadYetAsksForAReading) {
  Import({Order(1, Fate::kGivenUp), Order(2, Fate::kOwed)});
  for (const int order : {1, 2}) {
    const auto retried = storage_->outbox().Retry(Head(order)->delivery, kActor, clock_.Read());
    EXPECT_EQ(Reason(retried.status()), "UNMAPPABLE") << order;
    IngestBatch batch = Batch();
    batch.mode = IngestMode::kResend;
    batch.orders.push_back(Seen(order, "now", order));
    EXPECT_EQ(Commit(batch).recorded, 1) << order;
  }
  EXPECT_EQ(Claim().size(), 2U);
}

TEST_F(ImportTest, AResendOfWhatWasSentSendsItAsAnUpdate) {
  Import({Order(1, Fate::kSent)});
  IngestBatch batch = Batch();
  batch.mode = IngestMode::kResend;
  batch.orders.push_back(Seen(1, "a", 1));
  EXPECT_EQ(Commit(batch).recorded, 1);
  EXPECT_EQ(ClaimOne().event, "order.updated");
}

TEST_F(ImportTest, WhatCannotBeMappedTodayIsNoNewDeadLetterIfItWasSent) {
  Import({Order(1, Fate::kSent), Order(2, Fate::kOwed), Order(3, Fate::kGivenUp)});
  EXPECT_EQ(Observe(Broken(1, "no currency", 1)).unchanged, 1);
  EXPECT_EQ(Head(1)->status, DeliveryStatus::kDelivered);
  EXPECT_EQ(Observe(Broken(2, "no currency", 2)).dead, 1);
  EXPECT_EQ(Observe(Broken(3, "no currency", 3)).unchanged, 1);
  EXPECT_TRUE(Head(3)->imported) << "sweeps do not read it again and send it";
  UnmappableOrder edited = Broken(1, "no currency", 1);
  edited.line_write_date = Seen(1, "", 30).write_date;
  EXPECT_EQ(Observe(edited).dead, 1) << "a line was edited since it was sent";
}

TEST_F(ImportTest, WhatIsCancelledIsOwedNoMore) {
  Import({Order(1, Fate::kOwed), Order(2, Fate::kGivenUp), Order(3, Fate::kSent)});
  for (const int order : {1, 2, 3}) Observe(Cancelled(order, 40));
  EXPECT_THAT(NewEvents(), ElementsAre("delivery_withdrawn S1/1", "delivery_withdrawn S2/1"));
  EXPECT_EQ(State().waiting, 0);
  EXPECT_EQ(State().dead, 0);
}

TEST_F(ImportTest, ShowsWhatThereIsOfIt) {
  Import({Order(1, Fate::kSent), Order(2, Fate::kOwed), Order(3, Fate::kGivenUp)});
  for (const int order : {1, 2, 3}) {
    const DeliveryDetails details = Details(Head(order)->delivery);
    EXPECT_EQ(details.content, "record of " + std::to_string(order));
    EXPECT_EQ(details.delivery.reason, "imported");
  }
  ASSERT_OK_AND_ASSIGN(const auto retries,
                       storage_->outbox().ListRetries(DeliveryFilter(), DeliveryId(), 10));
  EXPECT_EQ(retries.size(), 2U);
}

TEST_F(ImportTest, ANameThatIsTakenStopsAllOfIt) {
  AddConnection("shop");
  ImportedConnection other = Shop({Order(1, Fate::kSent)});
  other.settings.name = "other";
  EXPECT_EQ(Reason(storage_->imports().Import({other, Shop({})}, kActor, clock_.Now()).status()),
            "NAME_TAKEN");
  EXPECT_THAT(storage_->connections().GetByName("other"), StatusIs(StatusCode::kNotFound));
}

TEST_F(ImportTest, WhatFailsHalfwayLeavesNothing) {
  NewEvents();
  ImportedConnection torn = Shop({});
  torn.orders = [](const ImportedConnection::Take& take) -> absl::Status {
    RETURN_IF_ERROR(take(Order(1, Fate::kSent)));
    return absl::DataLossError("the file is torn");
  };
  EXPECT_THAT(storage_->imports().Import({torn}, kActor, clock_.Now()),
              StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(storage_->connections().GetByName("shop"), StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(NewEvents(), IsEmpty());
}

TEST_F(ImportTest, ThePauseNoteGoesWithThePause) {
  Import({});
  ASSERT_OK_AND_ASSIGN(
      const Connection resumed,
      storage_->connections().SetPaused(connection_.id, false, false, kActor, clock_.Now()));
  EXPECT_EQ(resumed.pause_note, "");
}

}  // namespace
}  // namespace poller

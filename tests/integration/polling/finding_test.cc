// Which orders a poll finds.
#include <set>

#include "tests/integration/polling/polling_fixture.h"

namespace poller::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class FindingTest : public PollingFixture {};

TEST_F(FindingTest, ConfirmedOrderIsRecordedAtTheNextPoll) {
  Begin();
  const RecordId order = Confirm();
  EXPECT_EQ(Known(order), "");
  NextPoll();
  EXPECT_EQ(Known(order), "1 pending");
  EXPECT_THAT(Body(order), HasSubstr("\"WID\""));
  EXPECT_GT(hints_, 0);
}

TEST_F(FindingTest, OrderThatIsCommittedLateIsFound) {
  Begin();
  const Tx slow = shop().Begin();
  const RecordId late = Confirm(slow);
  Pass(absl::Seconds(70));
  Confirm();
  NextPoll();  // The mark moves past the write_date of the slow transaction.
  NextPoll();
  ASSERT_EQ(Known(late), "");
  shop().Commit(slow);
  NextPoll();
  EXPECT_EQ(Known(late), "1 pending");
}

TEST_F(FindingTest, CommitWhileThePollPagesIsFoundByTheNextOne) {
  options_.page_size = 10;
  StopScheduler();
  StartScheduler();
  Begin();
  const Tx slow = shop().Begin();
  const RecordId late = Confirm(slow);
  const auto others = ConfirmMany(25);
  bool committed = false;
  ingest_->after_commit = [&](const IngestBatch& batch) {
    if (batch.orders.empty() || std::exchange(committed, true)) return;
    // The first page, where its id belongs, was listed without it. And the rest of the pass takes
    // long: a later Date than the first would lie more than an overlap after its write_date.
    shop().Commit(slow);
    clock_.Advance(absl::Minutes(6));
  };
  NextPoll();
  ASSERT_EQ(Known(others.back()), "1 pending");
  ASSERT_EQ(Known(late), "");
  NextPoll();
  EXPECT_EQ(Known(late), "1 pending");
}

TEST_F(FindingTest, ManyOrdersOfOneTransactionAreAllFound) {
  options_.page_size = 100;
  StopScheduler();
  StartScheduler();
  Begin();
  const auto orders = ConfirmMany(250);
  NextPoll();
  for (const RecordId order : orders) ASSERT_EQ(Known(order), "1 pending") << order;
}

TEST_F(FindingTest, TwoEditsInOneSecondAreBothSeen) {
  Begin();
  const RecordId order = Confirm();
  Pass(absl::Seconds(59));
  ASSERT_OK(shop().EditOrderRef(order, "first"));
  Pass(absl::Seconds(1));  // 10:31:00 is also the second of the next edit, on the server's clock
  ASSERT_OK(shop().EditOrderRef(order, "second"));
  ASSERT_OK(shop().EditOrderRef(order, "third"));
  NextPoll();
  ASSERT_THAT(Body(order), HasSubstr("third"));
  // The same second, after it was read.
  const absl::Time second = Now();
  ASSERT_OK(shop().EditOrderRef(order, "fourth"));
  ASSERT_OK(PollNow());
  ASSERT_THAT(Body(order), HasSubstr("fourth"));
  ASSERT_OK(shop().EditOrderRef(order, "fifth"));
  ASSERT_EQ(Now(), second);
  NextPoll();
  EXPECT_THAT(Body(order), HasSubstr("fifth"));
}

TEST_F(FindingTest, EditThatBecomesVisibleUnderAnOlderSecondIsSeenWhenItLeavesTheOverlap) {
  Begin();
  const RecordId order = Confirm();
  Pass(absl::Seconds(10));
  // Two transactions of one second; the second of them commits minutes after the order was read
  // under that second.
  const Tx slow = shop().Begin();
  ASSERT_OK(shop().EditOrderRef(Confirm(), "other"));
  NextPoll();
  const RecordId line = LineOf(order);
  ASSERT_OK(shop().Write("sale.order.line", line, {{"name", "late"}}, slow));
  Pass(absl::Minutes(2));
  shop().Commit(slow);  // moves the line alone, not the order
  Pass(absl::Minutes(5));
  EXPECT_THAT(Body(order), HasSubstr("late"));
}

TEST_F(FindingTest, LineEditThatDoesNotMoveTheOrderIsFoundByTheLineQuery) {
  ConnectionSettings settings = Settings();
  settings.line_interval = absl::Minutes(5);
  Begin(settings);
  const RecordId order = Confirm();
  Pass(absl::Minutes(20));
  const std::string before = Body(order);
  ASSERT_OK(shop().EditLineDescription(LineOf(order), "engraved"));
  Pass(absl::Minutes(6));
  EXPECT_THAT(Body(order), HasSubstr("engraved"));
  EXPECT_EQ(Known(order), "2 pending");
}

TEST_F(FindingTest, TwoLineEditsInOneSecondAreBothSeen) {
  ConnectionSettings settings = Settings();
  settings.line_interval = absl::Minutes(5);
  Begin(settings);
  const RecordId order = Confirm();
  Pass(absl::Minutes(20));
  ASSERT_OK(shop().EditLineDescription(LineOf(order), "engraved"));
  ASSERT_OK(PollNow());
  ASSERT_THAT(Body(order), HasSubstr("engraved"));
  ASSERT_OK(shop().EditLineDescription(LineOf(order), "gilded"));
  Pass(absl::Minutes(6));
  EXPECT_THAT(Body(order), HasSubstr("gilded"));
}

TEST_F(FindingTest, LineEditOfAnOrderFromBeforeTheStartIsDelivered) {
  const RecordId old = Confirm();
  for (int i = 0; i < 30; ++i) Confirm();
  Pass(absl::Hours(1));
  for (int i = 0; i < 30; ++i) Confirm();
  Pass(absl::Hours(1));
  ConnectionSettings settings = Settings();
  settings.line_interval = absl::Minutes(5);
  Begin(settings);
  ASSERT_EQ(Known(old), "");
  Pass(absl::Minutes(1));
  ASSERT_OK(shop().EditLineDescription(LineOf(old), "engraved"));
  Pass(absl::Minutes(6));
  EXPECT_EQ(Known(old), "1 pending");
}

TEST_F(FindingTest, OrderThatChangesWhileItIsReadWaitsForTheNextPoll) {
  ReadPlainly();
  Begin();
  const RecordId order = Confirm();
  bool touched = false;
  sim_->SetBeforeCall([&](const OdooCall& call) {
    if (call.model != "res.partner" || call.method != "read" || touched) return;
    touched = true;
    clock_.Advance(absl::Seconds(1));
    ASSERT_OK(shop().EditOrderRef(order, "torn"));
  });
  NextPoll();
  ASSERT_TRUE(touched);
  EXPECT_EQ(Known(order), "");
  EXPECT_EQ(State().last_poll.error, "");
  const absl::Time mark = State().mark;
  NextPoll();
  EXPECT_THAT(Body(order), HasSubstr("torn"));
  EXPECT_EQ(Known(order), "1 pending");
  EXPECT_GT(State().mark, mark);
}

TEST_F(FindingTest, QuietShopAfterABulkOfTenThousandReadsNothingOnceTheOverlapHasPassed) {
  options_.batch_size = 1000;  // the simulator looks through all orders at every call
  StopScheduler();
  StartScheduler();
  Begin();
  for (int i = 0; i < 40; ++i) ConfirmMany(250);
  NextPoll();
  ASSERT_EQ(KnownOrders(), 10000);
  Pass(absl::Minutes(6));
  ClearCalls();
  Pass(absl::Minutes(30));
  EXPECT_EQ(OrdersRead(), 0);
  EXPECT_EQ(Calls(), 30u) << "one call a poll";
  ClearCalls();
  Pass(absl::Minutes(30));
  ASSERT_NE(State().sweep_mark, absl::InfinitePast());
  EXPECT_EQ(OrdersRead(), 0) << "nor does a sweep";
  EXPECT_EQ(Calls(), 30u + 11u + 11u) << "and a sweep: its pages of orders and of lines";
}

TEST_F(FindingTest, EveryOrderIsReadAtMostThreeTimesWhenNothingChanges) {
  ConnectionSettings settings = Settings();
  settings.line_interval = absl::Minutes(5);
  Begin(settings);
  Pass(absl::Seconds(57));
  ConfirmMany(100);
  ClearCalls();
  Pass(absl::Minutes(30));
  EXPECT_LE(OrdersRead(), 300) << "found, young, last look";
  ClearCalls();
  Pass(absl::Minutes(30));
  EXPECT_EQ(OrdersRead(), 0);
}

TEST_F(FindingTest, CancelledOrderIsWithdrawn) {
  Begin();
  const RecordId order = Confirm();
  NextPoll();
  ASSERT_EQ(Known(order), "1 pending");
  ASSERT_OK(shop().CancelOrder(order));
  NextPoll();
  EXPECT_EQ(Known(order), "1 superseded");
  ASSERT_OK(shop().Reconfirm(order));
  NextPoll();
  EXPECT_EQ(Known(order), "2 pending");
}

TEST_F(FindingTest, CancelledOrderCostsNothingAfterwards) {
  Begin();
  const RecordId order = Confirm();
  NextPoll();
  ASSERT_OK(shop().CancelOrder(order));
  NextPoll();
  Events();
  const int commits = ingest_->commits;
  NextPoll();
  EXPECT_EQ(ingest_->commits, commits + 1) << "the mark alone";
  EXPECT_THAT(Events(), IsEmpty());
}

TEST_F(FindingTest, OrderBackInDraftIsWithdrawn) {
  Begin();
  const RecordId order = Confirm();
  NextPoll();
  ASSERT_OK(shop().CancelOrder(order));
  ASSERT_OK(shop().DraftOrder(order));
  NextPoll();
  NextPoll();
  EXPECT_EQ(Known(order), "1 superseded");
}

TEST_F(FindingTest, DeletedOrderIsWithdrawn) {
  Begin();
  const RecordId order = Confirm();
  NextPoll();
  ASSERT_OK(shop().CancelOrder(order));
  ASSERT_OK(shop().DeleteOrder(order));
  NextPoll();
  NextPoll();
  EXPECT_EQ(Known(order), "1 superseded");
}

TEST_F(FindingTest, OrderThatVanishesBetweenListingAndReadingDoesNotStopThePass) {
  Begin();
  const RecordId gone = Confirm();
  const RecordId stays = Confirm();
  bool deleted = false;
  sim_->SetBeforeCall([&](const OdooCall& call) {
    if (call.method != "web_read" || deleted) return;
    deleted = true;
    ASSERT_OK(shop().CancelOrder(gone));
    ASSERT_OK(shop().DeleteOrder(gone));
  });
  NextPoll();
  ASSERT_TRUE(deleted);
  EXPECT_EQ(Known(stays), "1 pending");
  EXPECT_EQ(State().last_poll.error, "");
  NextPoll();
  EXPECT_EQ(Known(gone), "");
}

TEST_F(FindingTest, ClockSetBackLosesNothing) {
  Begin();
  const RecordId known = Confirm();
  NextPoll();
  ASSERT_EQ(Known(known), "1 pending");
  web_offset_ = database_offset_ = -absl::Hours(1);
  const RecordId order = Confirm();
  ASSERT_OK(shop().EditOrderRef(known, "after"));
  NextPoll();
  EXPECT_EQ(Known(order), "1 pending");
  EXPECT_EQ(State().mark, Now() - absl::Hours(1));
  // An order that seems older than what is known of it is believed after it stood for an overlap on
  // Odoo's new clock.
  Pass(absl::Minutes(70));
  EXPECT_THAT(Body(known), HasSubstr("after"));
}

TEST_F(FindingTest, WithoutDateTheMarkStaysAndOrdersAreFoundAllTheSame) {
  Begin();
  NextPoll();
  const absl::Time mark = State().mark;
  odoo_sends_date_ = false;
  const RecordId order = Confirm();
  NextPoll();
  EXPECT_EQ(Known(order), "1 pending");
  EXPECT_EQ(State().mark, mark);
  NextPoll();  // compared once more: its second is not known to be over
  ClearCalls();
  NextPoll();
  EXPECT_EQ(OrdersRead(), 0);
  odoo_sends_date_ = true;
  NextPoll();
  EXPECT_EQ(State().mark, Now());
}

TEST_F(FindingTest, DateThatCannotBeTrueDoesNotMoveTheMark) {
  Begin();
  NextPoll();
  const absl::Time mark = State().mark;
  web_offset_ = absl::Hours(24 * 400);
  const RecordId order = Confirm();
  NextPoll();
  EXPECT_EQ(Known(order), "1 pending");
  EXPECT_EQ(State().mark, mark);
}

TEST_F(FindingTest, OwnWrongClockDoesNotMatter) {
  Begin();
  NextPoll();
  web_offset_ = database_offset_ = -absl::Hours(24 * 400);
  clock_.JumpWall(absl::Hours(24 * 400));
  const RecordId order = Confirm();
  NextPoll();
  EXPECT_EQ(Known(order), "1 pending");
  EXPECT_EQ(State().mark, Now() - absl::Hours(24 * 400));
}

TEST_F(FindingTest, FailedPageLeavesTheMarkWhereItWas) {
  options_.page_size = 10;
  StopScheduler();
  StartScheduler();
  Begin();
  const auto orders = ConfirmMany(25);
  int pages = 0;
  sim_->SetBeforeCall([&](const OdooCall& call) {
    const bool listing = call.model == "sale.order" && call.method == "search_read";
    if (listing && ++pages == 2) {
      sim_->faults().Add(
          {.kind = OdooFault::Kind::kStatus, .model = "sale.order", .times = 1, .status = 500});
    }
  });
  const absl::Time mark = State().mark;
  NextPoll();
  EXPECT_NE(State().last_poll.error, "");
  EXPECT_EQ(State().mark, mark);
  EXPECT_EQ(KnownOrders(), 10) << "what was committed stays";
  NextPoll();
  EXPECT_EQ(KnownOrders(), 25);
  EXPECT_EQ(State().mark, Now());
}

TEST_F(FindingTest, CrashBetweenBatchesLosesNothing) {
  options_.batch_size = 10;
  StopScheduler();
  StartScheduler();
  Begin();
  for (int k = 1; k <= 6; ++k) {
    const auto orders = ConfirmMany(45);
    ingest_->fail_from = ingest_->commits + k;
    NextPoll();
    Restart();
    for (const RecordId order : orders)
      ASSERT_EQ(Known(order), "1 pending") << "crash at commit " << k;
    NextPoll();
  }
}

}  // namespace
}  // namespace poller::test

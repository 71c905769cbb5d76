// What the long comparison behind the polls finds, and what it costs.
#include "core/storage/sqlite/database.h"
#include "tests/integration/polling/polling_fixture.h"

namespace poller::test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class SweepTest : public PollingFixture {
 protected:
  // Long enough for the next sweep to have run.
  void NextSweep() { Pass(absl::Minutes(70)); }
  // An order that becomes visible after the polls' overlap has passed.
  RecordId ConfirmTooLate() {
    const Tx slow = shop().Begin();
    const RecordId order = Confirm(slow);
    Pass(absl::Minutes(10));
    shop().Commit(slow);
    NextPoll();
    EXPECT_EQ(Known(order), "") << "the polls cannot see it";
    return order;
  }
  // For tests of many days.
  void BeginSlowly() {
    ConnectionSettings settings = Settings();
    settings.interval = absl::Minutes(30);
    Begin(settings);
  }
  void NextSlowPoll() { Pass(absl::Minutes(30)); }
  double LateFinds() { return metrics_.GetCounter("poller_late_finds_total", "").Value(); }
  void UseOptions() {
    StopScheduler();
    StartScheduler();
  }
};

TEST_F(SweepTest, FindsWhatTheOverlapMissed) {
  Begin();
  const RecordId order = ConfirmTooLate();
  Events();
  NextSweep();
  EXPECT_EQ(Known(order), "1 pending");
  const auto events = Events();
  EXPECT_THAT(events, Contains("order_found"));
  EXPECT_THAT(events, Contains("late_find"));
  EXPECT_EQ(LateFinds(), 1);
  ASSERT_FALSE(Logs().empty());
  EXPECT_EQ(Logs().front().kind, "sweep");
  EXPECT_EQ(Logs().front().recorded, 1);
}

TEST_F(SweepTest, FindsAnEditThatTheOverlapMissed) {
  Begin();
  const RecordId order = Confirm();
  NextPoll();
  const Tx slow = shop().Begin();
  ASSERT_OK(shop().EditOrderRef(order, "late", slow));
  Pass(absl::Minutes(10));
  shop().Commit(slow);
  NextPoll();
  ASSERT_THAT(Body(order), Not(HasSubstr("late")));
  NextSweep();
  EXPECT_THAT(Body(order), HasSubstr("late"));
  EXPECT_EQ(LateFinds(), 1);
}

TEST_F(SweepTest, FindsALineEditThatTheOverlapMissed) {
  ConnectionSettings settings = Settings();
  settings.line_interval = absl::Minutes(5);
  Begin(settings);
  const RecordId order = Confirm();
  Pass(absl::Minutes(20));
  const Tx slow = shop().Begin();
  ASSERT_OK(shop().EditLineDescription(LineOf(order), "engraved", slow));
  Pass(absl::Minutes(12));
  shop().Commit(slow);
  Pass(absl::Minutes(6));
  ASSERT_THAT(Body(order), Not(HasSubstr("engraved")));
  NextSweep();
  EXPECT_THAT(Body(order), HasSubstr("engraved"));
  EXPECT_EQ(LateFinds(), 1);
}

// Of two transactions that edit lines alone the one that began first commits last.
TEST_F(SweepTest, FindsALineEditThatWasCommittedLateUnderANewerOne) {
  ConnectionSettings settings = Settings();
  settings.line_interval = absl::Minutes(5);
  Begin(settings);
  const RecordId order = Confirm();
  const RecordId other = shop().AddNoteLine(order, "call before").value();
  Pass(absl::Minutes(20));
  const Tx slow = shop().Begin();
  ASSERT_OK(shop().EditLineDescription(LineOf(order), "engraved", slow));
  Pass(absl::Minutes(1));
  ASSERT_OK(shop().EditLineDescription(other, "call twice"));
  Pass(absl::Minutes(12));
  shop().Commit(slow);
  Pass(absl::Minutes(6));
  ASSERT_THAT(Body(order), Not(HasSubstr("engraved")));
  NextSweep();
  EXPECT_THAT(Body(order), HasSubstr("engraved"));
  EXPECT_EQ(LateFinds(), 1);
  ClearCalls();
  NextSweep();
  EXPECT_EQ(OrdersRead(), 0) << "it is compared once";
}

TEST_F(SweepTest, WhatThePollsFindIsNotLate) {
  Begin();
  Events();
  for (int i = 0; i < 150; ++i) {
    Confirm();
    Pass(absl::Seconds(59));
  }
  EXPECT_THAT(Events(), Not(Contains("late_find")));
  EXPECT_EQ(LateFinds(), 0);
  EXPECT_NE(State().sweep_mark, absl::InfinitePast());
}

TEST_F(SweepTest, LongStopLeavesNoGap) {
  Begin();
  NextSweep();
  const absl::Time swept = State().sweep_mark;
  ASSERT_NE(swept, absl::InfinitePast());
  // Written right before the stop, visible only during it.
  const Tx slow = shop().Begin();
  const RecordId order = Confirm(slow);
  Pass(absl::Minutes(10));
  ASSERT_OK(PollNow());  // with the line query, which would find it by its lines
  StopScheduler();
  Pass(absl::Hours(24 * 6));
  shop().Commit(slow);
  Pass(absl::Hours(24 * 6));
  Restart();
  ASSERT_EQ(Known(order), "");
  NextSweep();
  EXPECT_EQ(Known(order), "1 pending");
  EXPECT_GT(State().sweep_mark, swept);
}

TEST_F(SweepTest, StopBeforeTheFirstSweepLeavesNoGap) {
  Begin();
  const Tx slow = shop().Begin();
  const RecordId order = Confirm(slow);
  Pass(absl::Minutes(10));
  ASSERT_OK(PollNow());  // with the line query, which would find it by its lines
  ASSERT_EQ(State().sweep_mark, absl::InfinitePast());
  StopScheduler();
  shop().Commit(slow);
  Pass(absl::Hours(24 * 6));
  Restart();
  ASSERT_EQ(Known(order), "");
  NextSweep();
  EXPECT_EQ(Known(order), "1 pending");
}

TEST_F(SweepTest, WhatWasThereBeforeTheStartStaysUnknown) {
  const RecordId old = Confirm();
  Pass(absl::Minutes(1));
  for (int i = 0; i < 30; ++i) Confirm();
  Pass(absl::Hours(1));
  Begin();
  NextSweep();
  ASSERT_NE(State().sweep_mark, absl::InfinitePast());
  EXPECT_EQ(Known(old), "");
  EXPECT_EQ(KnownOrders(), 30);
  EXPECT_EQ(State().waiting, 0);
}

TEST_F(SweepTest, OrderThatWasDeletedWhileNobodyLookedIsWithdrawn) {
  Begin();
  const RecordId gone = Confirm();
  const RecordId draft = Confirm();
  const RecordId stays = Confirm();
  NextPoll();
  Pass(absl::Minutes(10));
  StopScheduler();
  for (const RecordId order : {gone, draft}) ASSERT_OK(shop().CancelOrder(order));
  ASSERT_OK(shop().DeleteOrder(gone));
  ASSERT_OK(shop().DraftOrder(draft));
  Restart();
  NextPoll();
  NextPoll();
  ASSERT_EQ(Known(gone), "1 pending");
  NextSweep();
  EXPECT_EQ(Known(gone), "1 superseded");
  EXPECT_EQ(Known(draft), "1 superseded");
  EXPECT_EQ(Known(stays), "1 pending");
}

TEST_F(SweepTest, OrderThatWaitsForLongerThanTheWindowIsStillChecked) {
  BeginSlowly();
  const RecordId gone = Confirm();
  const RecordId stays = Confirm();
  NextSlowPoll();
  Pass(absl::Hours(24 * 4));
  StopScheduler();
  ASSERT_OK(shop().CancelOrder(gone));
  ASSERT_OK(shop().DeleteOrder(gone));
  Restart();
  Pass(absl::Minutes(100));
  EXPECT_EQ(Known(gone), "1 superseded");
  EXPECT_EQ(Known(stays), "1 pending");
}

TEST_F(SweepTest, OpenOrdersAreCheckedPageByPage) {
  options_.page_size = 10;
  UseOptions();
  Begin();
  const auto orders = ConfirmMany(45);
  NextPoll();
  Pass(absl::Minutes(10));
  StopScheduler();
  for (std::size_t i = 0; i < orders.size(); i += 2) {
    ASSERT_OK(shop().CancelOrder(orders[i]));
    ASSERT_OK(shop().DeleteOrder(orders[i]));
  }
  Restart();
  NextSweep();
  for (std::size_t i = 0; i < orders.size(); ++i) {
    ASSERT_EQ(Known(orders[i]), i % 2 == 0 ? "1 superseded" : "1 pending") << i;
  }
}

TEST_F(SweepTest, ForbiddenOrderIsNotTakenForGone) {
  BeginSlowly();
  const auto orders = ConfirmMany(3);
  NextSlowPoll();
  Pass(absl::Hours(24 * 4));
  Restart();
  // Known, waiting, beyond the window: looked up by id.
  shop().SetRecordFault("sale.order", orders[1], {});
  Pass(absl::Minutes(100));
  for (const RecordId order : orders) EXPECT_EQ(Known(order), "1 pending");
}

TEST_F(SweepTest, DeadLetterThatCouldNotBeMappedIsReadAgain) {
  BeginSlowly();
  const RecordId order = Confirm();
  shop().SetRecordFault("sale.order", order, {});
  NextSlowPoll();
  ASSERT_EQ(Known(order), "1 dead");
  Pass(absl::Hours(24 * 4));  // also when it has left the window
  ASSERT_EQ(Known(order), "1 dead");
  shop().ClearRecordFaults();
  Pass(absl::Minutes(100));
  EXPECT_EQ(Known(order), "2 pending");
  EXPECT_EQ(LateFinds(), 0) << "the polls had found it";
}

TEST_F(SweepTest, QuietShopCostsAFewCallsAndNoReads) {
  Begin();
  ConfirmMany(2500);
  Pass(absl::Minutes(10));
  ASSERT_EQ(KnownOrders(), 2500);
  ClearCalls();
  Pass(absl::Hours(1));
  ASSERT_NE(State().sweep_mark, absl::InfinitePast());
  EXPECT_EQ(OrdersRead(), 0);
  EXPECT_EQ(Calls(), 60u + 3u + 3u) << "a call a poll, three pages of orders and three of lines";
}

TEST_F(SweepTest, PollsGoFirst) {
  options_.page_size = 10;
  UseOptions();
  Begin();
  ConfirmMany(400);
  Pass(absl::Minutes(50));
  http_->SetLatency(sleeper_, absl::Seconds(10));
  // A sweep of 80 pages takes more than 13 minutes now.
  for (int i = 0; i < 20; ++i) {
    Pass(absl::Seconds(75));
    ASSERT_LE(Now() - State().last_poll.at, absl::Seconds(75)) << i;
  }
  EXPECT_EQ(State().sweep_mark, absl::InfinitePast());
  Pass(absl::Minutes(20));
  EXPECT_NE(State().sweep_mark, absl::InfinitePast());
  http_->SetLatency(sleeper_, absl::ZeroDuration());
  Pass(absl::Seconds(10));  // what is on its way arrives
}

TEST_F(SweepTest, FailedSweepLeavesTheMarkAndIsTriedAgain) {
  options_.page_size = 10;
  UseOptions();
  Begin();
  ConfirmMany(25);
  Pass(absl::Minutes(50));
  // The line query of the day has run: only sweeps ask for lines.
  const int fault = sim_->faults().Add({.kind = OdooFault::Kind::kStatus,
                                        .model = "sale.order.line",
                                        .method = "search_read",
                                        .status = 502});
  Pass(absl::Minutes(20));
  EXPECT_EQ(State().sweep_mark, absl::InfinitePast());
  EXPECT_EQ(State().last_poll.error, "");
  EXPECT_EQ(State().odoo_breaker.failures, 0) << "the polls say whether Odoo is up";
  sim_->faults().Remove(fault);
  Pass(absl::Minutes(6));
  EXPECT_NE(State().sweep_mark, absl::InfinitePast());
}

TEST_F(SweepTest, CrashInASweepLosesNothing) {
  options_.page_size = 10;
  options_.batch_size = 10;
  UseOptions();
  Begin();
  for (int k = 1; k <= 4; ++k) {
    const Tx slow = shop().Begin();
    std::vector<RecordId> orders;
    for (int i = 0; i < 25; ++i) orders.push_back(Confirm(slow));
    Pass(absl::Minutes(10));
    shop().Commit(slow);
    int late = 0;
    ingest_->after_commit = [&](const IngestBatch& batch) {
      if (batch.late_find && ++late == k) ingest_->fail_from = ingest_->commits + 1;
    };
    NextSweep();
    ingest_->after_commit = nullptr;
    ASSERT_EQ(Known(orders.back()) == "", k < 3) << k;
    Restart();
    NextSweep();
    for (const RecordId order : orders) ASSERT_EQ(Known(order), "1 pending") << k;
  }
}

TEST_F(SweepTest, PausedAndSuspendedConnectionsAreNotSwept) {
  Begin();
  Edit([](ConnectionSettings& settings) { settings.paused_polling = true; });
  ClearCalls();
  Pass(absl::Hours(3));
  EXPECT_EQ(Calls(), 0u);
  Edit([](ConnectionSettings& settings) { settings.paused_polling = false; });
  Pass(absl::Minutes(20));
  EXPECT_NE(State().sweep_mark, absl::InfinitePast()) << "overdue: soon";
}

TEST_F(SweepTest, EditInTheMiddleOfASweepBeginsItAnew) {
  options_.page_size = 10;
  UseOptions();
  Begin();
  ConfirmMany(45);
  Pass(absl::Minutes(50));
  int lines = 0;
  sim_->SetBeforeCall([&](const OdooCall& call) {
    if (call.model != "sale.order.line" || call.method != "search_read" || ++lines != 2) return;
    ConnectionUpdate update;
    update.id = connection_.id;
    update.settings = connection_.settings;
    update.settings.name = "renamed";
    ASSERT_OK(storage_->connections().Update(update, Actor(), Now()));
  });
  Pass(absl::Minutes(20));
  EXPECT_EQ(lines, 10) << "twice five pages";
  EXPECT_NE(State().sweep_mark, absl::InfinitePast());
}

TEST_F(SweepTest, StopEndsARunningSweepAtItsNextStep) {
  options_.page_size = 10;
  UseOptions();
  Begin();
  ConfirmMany(100);
  Pass(absl::Minutes(50));
  int lines = 0;
  sim_->SetBeforeCall([&](const OdooCall& call) {
    if (call.model == "sale.order.line" && call.method == "search_read" && ++lines == 2)
      scheduler_->Stop();
  });
  Pass(absl::Minutes(20));
  EXPECT_EQ(tasks_->Running(), 0);
  EXPECT_EQ(lines, 2);
  EXPECT_EQ(State().sweep_mark, absl::InfinitePast());
}

TEST_F(SweepTest, OverdueSweepsOfAllConnectionsAreSpread) {
  Begin();
  NextSweep();
  StopScheduler();
  Pass(absl::Hours(10));
  StartScheduler();
  for (const double draw : {0.5, 0.5, 0.8}) random_.Push(draw);  // of the poll, and the sweep's
  const absl::Time before = State().sweep_mark;
  scheduler_->Add(connection_.id, /*spread=*/false);
  Pass(absl::Minutes(11));
  EXPECT_EQ(State().sweep_mark, before);
  Pass(absl::Minutes(2));
  EXPECT_GT(State().sweep_mark, before);
}

TEST_F(SweepTest, ConnectionThatIsHeldAfterARestoreIsSweptAtOnce) {
  Begin();
  const RecordId gone = Confirm();
  const RecordId stays = Confirm();
  NextPoll();
  between_runs_ = [&](const std::filesystem::path& path) {
    ASSERT_OK(shop().CancelOrder(gone));
    ASSERT_OK(shop().DeleteOrder(gone));
    const auto db = Database::Open(path, Database::Mode::kReadWrite);
    ASSERT_OK(db.status());
    ASSERT_OK((*db)->Exec("UPDATE connection_state SET held_since = ?1", Now()));
  };
  hints_ = 0;
  Restart();
  EXPECT_EQ(State().held_since, std::nullopt) << "a poll and a sweep were complete";
  EXPECT_EQ(Known(gone), "1 superseded") << "before anything could go out";
  EXPECT_EQ(Known(stays), "1 pending");
  EXPECT_GT(hints_, 0);
}

// What waits for the next poll may be stale: a hold that ended now would let it out.
TEST_F(SweepTest, HoldDoesNotEndWithASweepThatLeftAnOrderToThePolls) {
  ReadPlainly();
  Begin();
  const RecordId order = Confirm();
  NextPoll();
  const Tx slow = shop().Begin();
  ASSERT_OK(shop().EditOrderRef(order, "late", slow));
  Pass(absl::Minutes(10));
  between_runs_ = [&](const std::filesystem::path& path) {
    shop().Commit(slow);  // only a sweep finds it
    const auto db = Database::Open(path, Database::Mode::kReadWrite);
    ASSERT_OK(db.status());
    ASSERT_OK((*db)->Exec("UPDATE connection_state SET held_since = ?1", Now()));
  };
  int reads = 0;
  sim_->SetBeforeCall([&](const OdooCall& call) {
    if (call.model != "res.partner" || call.method != "read" || ++reads > 1) return;
    ASSERT_OK(shop().EditNote(order, "torn"));
  });
  Restart();
  ASSERT_GE(reads, 1);
  EXPECT_NE(State().held_since, std::nullopt);
  ASSERT_THAT(Body(order), Not(HasSubstr("late")));
  Pass(absl::Minutes(7));
  EXPECT_EQ(State().held_since, std::nullopt);
  EXPECT_THAT(Body(order), HasSubstr("late"));
}

TEST_F(SweepTest, HoldEndsAlthoughAnOrderNeverHoldsStill) {
  ReadPlainly();
  Begin();
  const RecordId restless = Confirm();
  NextPoll();
  between_runs_ = [&](const std::filesystem::path& path) {
    const auto db = Database::Open(path, Database::Mode::kReadWrite);
    ASSERT_OK(db.status());
    ASSERT_OK((*db)->Exec("UPDATE connection_state SET held_since = ?1", Now()));
  };
  sim_->SetBeforeCall([&](const OdooCall& call) {
    if (call.model != "res.partner") return;
    clock_.Advance(absl::Seconds(1));
    ASSERT_OK(shop().TouchOrder(restless));
  });
  Pass(absl::Seconds(1));
  ASSERT_OK(shop().TouchOrder(restless));
  Restart();
  ASSERT_NE(State().held_since, std::nullopt);
  Pass(absl::Minutes(30));
  EXPECT_EQ(State().held_since, std::nullopt);
  EXPECT_EQ(Known(restless), "2 dead");
}

// Delivered after the backup was made, and cancelled before it was put back.
TEST_F(SweepTest, CancelledOrderThatARestoredBackupDoesNotKnowIsAnnounced) {
  for (const bool wanted : {true, false}) {
    ConnectionSettings settings = Settings(wanted ? "wants to hear" : "does not");
    settings.send_cancelled = wanted;
    Begin(settings);
    RecordId order = 0;
    between_runs_ = [&](const std::filesystem::path& path) {
      order = Confirm();
      Pass(absl::Minutes(20));
      ASSERT_OK(shop().CancelOrder(order));
      const auto db = Database::Open(path, Database::Mode::kReadWrite);
      ASSERT_OK(db.status());
      ASSERT_OK((*db)->Exec("UPDATE connection_state SET held_since = ?1", Now()));
    };
    Restart();
    between_runs_ = nullptr;
    ASSERT_EQ(State().held_since, std::nullopt);
    EXPECT_EQ(Known(order), wanted ? "1 pending" : "");
    const auto claimed =
        storage_->outbox().Claim(connection_.id, clock_.Read(), 10, /*forced_only=*/false);
    ASSERT_EQ(claimed->size(), wanted ? 1u : 0u);
    for (const ClaimedDelivery& claim : *claimed) EXPECT_EQ(claim.event, "order.cancelled");
  }
  // Without a restore what was cancelled unseen is nobody's business.
  const RecordId unseen = Confirm();
  ASSERT_OK(shop().CancelOrder(unseen));
  NextPoll();
  EXPECT_EQ(Known(unseen), "");
}

TEST_F(SweepTest, ConnectionThatWasMovedIsNotSweptBeforeItHasBegunThere) {
  SimDatabase& other = sim_->AddDatabase("shop2");
  const RecordId customer = other.AddPartner({.name = "Customer"});
  const RecordId product = other.AddProduct({.name = "Widget", .default_code = "W-1", .price = 10});
  for (int i = 0; i < 5; ++i) {
    other.CreateConfirmedOrder(
        {.partner_id = customer, .lines = {{.product_id = product, .quantity = 1}}});
  }
  options_.sweep_interval = absl::Minutes(5);
  UseOptions();
  BeginSlowly();
  Pass(absl::Hours(1));
  // Its first pass there fails, and the next comes long after the next sweep would be due.
  const int fault = sim_->faults().Add({.kind = OdooFault::Kind::kStatus, .status = 500});
  ConnectionUpdate update;
  update.id = connection_.id;
  update.settings = connection_.settings;
  update.settings.interval = absl::Minutes(30);
  update.settings.odoo.database = "shop2";
  update.reset_odoo = true;
  ASSERT_OK(storage_->connections().Update(update, Actor(), Now()));
  scheduler_->Refresh(connection_.id);
  Pass(absl::Seconds(10));
  sim_->faults().Remove(fault);
  Pass(absl::Minutes(25));
  EXPECT_EQ(State().waiting, 0) << "history was taken for news";
  Pass(absl::Hours(1));
  EXPECT_GT(State().mark, absl::InfinitePast()) << "it has begun";
  EXPECT_EQ(State().waiting, 0);
}

}  // namespace
}  // namespace poller::test

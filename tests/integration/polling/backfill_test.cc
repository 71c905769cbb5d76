// The job that delivers history.
#include <set>

#include "tests/integration/polling/job_fixture.h"

namespace poller::test {
namespace {

using testing::ElementsAre;

class BackfillTest : public JobFixture {};

TEST_F(BackfillTest, DeliversWhatTheRangeHoldsAndWasNeverDelivered) {
  const auto orders = ConfirmHistory(20);
  Begin();
  const RecordId live = Confirm();
  NextPoll();
  ASSERT_THAT(Deliver(), ElementsAre(live));
  const Job job = Backfill();
  EXPECT_EQ(job.state, JobState::kSucceeded);
  EXPECT_EQ(job.progress.total, 21);
  EXPECT_EQ(job.progress.enqueued, 20);
  EXPECT_EQ(job.progress.unchanged, 1);
  EXPECT_EQ(Pending(orders), 20);
  EXPECT_EQ(Known(live), "1 delivered") << "not twice";
}

TEST_F(BackfillTest, SecondOneFindsNothing) {
  ConfirmHistory(20);
  Begin();
  Backfill();
  Deliver();
  ClearCalls();
  const Job job = Backfill();
  EXPECT_EQ(job.progress.enqueued, 0);
  EXPECT_EQ(job.progress.unchanged, 20);
  EXPECT_EQ(OrdersRead(), 0);
}

TEST_F(BackfillTest, ACrashRepeatsAtMostOneBatch) {
  options_.batch_size = 10;
  UseOptions();
  const auto orders = ConfirmHistory(95);
  Begin();
  for (int k = 1; k <= 9; k += 4) {
    int history = 0;
    ingest_->after_commit = [&, k](const IngestBatch& batch) {
      if (batch.priority == DeliveryClass::kHistory && ++history == k)
        ingest_->fail_from = ingest_->commits + 1;
    };
    const Job job = Backfill();
    ingest_->after_commit = nullptr;
    ClearCalls();
    const int before = Pending(orders);
    Restart();
    Pass(absl::Minutes(1));
    ASSERT_EQ(StateOf(job), "succeeded") << k;
    EXPECT_EQ(Pending(orders), 95) << k;
    EXPECT_LE(OrdersRead(), 95 - before + 10) << k;
    const Job done = *storage_->jobs().Get(job.id);
    EXPECT_EQ(done.progress.listed, 95) << k;
    // Anew, with another connection.
    ConnectionSettings settings = Settings("shop " + std::to_string(k));
    Begin(settings);
  }
}

TEST_F(BackfillTest, WaitsWhileTooMuchWaits) {
  options_.batch_size = 10;
  options_.backlog_limit = 25;
  UseOptions();
  const auto orders = ConfirmHistory(100);
  Begin();
  const Job job = Backfill();
  EXPECT_EQ(job.state, JobState::kRunning);
  EXPECT_EQ(job.progress.waits_for, "backlog");
  EXPECT_EQ(State().waiting, 30);
  Pass(absl::Minutes(5));
  EXPECT_EQ(State().waiting, 30);
  std::set<RecordId> delivered;
  for (int i = 0; i < 5; ++i) {
    for (const RecordId order : Deliver()) delivered.insert(order);
    Pass(absl::Seconds(10));
  }
  EXPECT_EQ(StateOf(job), "succeeded");
  EXPECT_EQ(delivered.size(), 100u);
}

TEST_F(BackfillTest, StandsStillWhilePausedAndGoesOn) {
  ConfirmHistory(20);
  Begin();
  Edit([](ConnectionSettings& settings) { settings.paused_polling = true; });
  ClearCalls();
  const Job job = Backfill();
  EXPECT_EQ(job.progress.waits_for, "paused");
  Pass(absl::Hours(1));
  EXPECT_EQ(Calls(), 0u);
  Edit([](ConnectionSettings& settings) { settings.paused_polling = false; });
  Pass(absl::Seconds(10));
  EXPECT_EQ(StateOf(job), "succeeded");
  EXPECT_EQ(storage_->jobs().Get(job.id)->progress.waits_for, "");
}

TEST_F(BackfillTest, StandsStillWhileTheDiskIsFullAndGoesOn) {
  ConfirmHistory(20);
  Begin();
  full_ = true;
  const Job job = Backfill();
  EXPECT_EQ(job.progress.waits_for, "disk");
  full_ = false;
  Pass(absl::Minutes(2));
  EXPECT_EQ(StateOf(job), "succeeded");
}

TEST_F(BackfillTest, SaysThatTheConnectionIsSuspended) {
  ConfirmHistory(20);
  Begin();
  Suspension suspension;
  suspension.reason = "credentials";
  suspension.since = Now();
  ASSERT_OK(storage_->connections().Suspend(connection_.id, suspension));
  EXPECT_EQ(Backfill().progress.waits_for, "suspended");
}

TEST_F(BackfillTest, WaitsForAnOdooThatIsDown) {
  ConfirmHistory(20);
  Begin();
  const int fault = sim_->faults().Add({.kind = OdooFault::Kind::kStatus, .status = 502});
  const Job job = Backfill();
  EXPECT_EQ(job.progress.waits_for, "odoo");
  Pass(absl::Minutes(30));
  EXPECT_EQ(StateOf(job), "running");
  sim_->faults().Remove(fault);
  Pass(absl::Minutes(10));
  EXPECT_EQ(StateOf(job), "succeeded");
}

TEST_F(BackfillTest, ThatAloneFailsForeverEndsWithTheReason) {
  ConfirmHistory(20);
  Begin();
  sim_->faults().Add({.kind = OdooFault::Kind::kStatus, .method = "search_count", .status = 502});
  const Job job = Backfill();
  Pass(absl::Hours(1));
  EXPECT_EQ(StateOf(job), "failed");
  EXPECT_NE(storage_->jobs().Get(job.id)->error, "");
}

// A breaker needs five failed polls to notice, which take a day and more here.
TEST_F(BackfillTest, WaitsForAnOdooThatIsDownWhoeverNoticesIt) {
  const auto orders = ConfirmHistory(20);
  ConnectionSettings settings = Settings();
  settings.interval = absl::Hours(6);
  Begin(settings);
  const int fault = sim_->faults().Add({.kind = OdooFault::Kind::kStatus, .status = 502});
  const Job job = Backfill();
  Pass(absl::Hours(8));
  ASSERT_NE(State().last_poll.error, "") << "a poll failed too";
  EXPECT_EQ(State().odoo_breaker.state, BreakerState::kClosed);
  EXPECT_EQ(StateOf(job), "running");
  EXPECT_EQ(storage_->jobs().Get(job.id)->progress.waits_for, "odoo");
  sim_->faults().Remove(fault);
  Pass(absl::Minutes(10));
  EXPECT_EQ(StateOf(job), "succeeded");
  EXPECT_EQ(Pending(orders), 20);
}

TEST_F(BackfillTest, CancelledOneStopsAtItsNextBatch) {
  options_.batch_size = 10;
  UseOptions();
  const auto orders = ConfirmHistory(100);
  Begin();
  int history = 0;
  ingest_->after_commit = [&](const IngestBatch& batch) {
    if (batch.priority != DeliveryClass::kHistory || ++history != 3) return;
    ASSERT_OK(storage_->jobs().Cancel(Jobs().front().id, Actor(), Now()).status());
  };
  const Job job = Backfill();
  EXPECT_EQ(job.state, JobState::kCancelled);
  EXPECT_EQ(Pending(orders), 30);
  Pass(absl::Minutes(5));
  EXPECT_EQ(Pending(orders), 30);
}

TEST_F(BackfillTest, UnreadableOrderBecomesADeadLetterAndTheOthersFlow) {
  const auto orders = ConfirmHistory(20);
  Begin();
  shop().SetRecordFault("sale.order", orders[4], {});
  const Job job = Backfill();
  EXPECT_EQ(job.state, JobState::kSucceeded);
  EXPECT_EQ(job.progress.dead, 1);
  EXPECT_EQ(Known(orders[4]), "1 dead");
  EXPECT_EQ(Pending(orders), 19);
}

TEST_F(BackfillTest, OrderOfThePollsWindowIsLeftToThem) {
  Begin();
  const RecordId order = Confirm();
  Backfill();
  EXPECT_EQ(Known(order), "");
  NextPoll();
  EXPECT_EQ(Known(order), "1 pending");
}

// Between the first and the last read of a batch.
TEST_F(BackfillTest, OrderThatIsTornWhileItIsReadIsReadAgain) {
  ReadPlainly();
  const RecordId order = ConfirmHistory(1).front();
  Begin();
  ASSERT_EQ(Known(order), "1 baseline");
  int reads = 0;
  sim_->SetBeforeCall([&](const OdooCall& call) {
    if (call.model != "res.partner" || call.method != "read" || ++reads > 1) return;
    ASSERT_OK(shop().TouchOrder(order));
  });
  const Job job = Backfill();
  EXPECT_EQ(job.state, JobState::kSucceeded);
  EXPECT_EQ(job.progress.enqueued, 1);
  EXPECT_EQ(reads, 2);
  NextPoll();
  EXPECT_EQ(Known(order), "1 pending");
}

TEST_F(BackfillTest, OrderThatNeverHoldsStillGoesOutAsItWasRecordedAndThenAsItIs) {
  ReadPlainly();
  const auto orders = ConfirmHistory(3);
  Begin();
  sim_->SetBeforeCall([&](const OdooCall& call) {
    if (call.model != "res.partner") return;
    clock_.Advance(absl::Seconds(1));
    ASSERT_OK(shop().TouchOrder(orders[0]));
    ASSERT_OK(shop().EditOrderRef(orders[1], "new"));
  });
  const Job job = Backfill();
  sim_->SetBeforeCall(nullptr);
  EXPECT_EQ(job.state, JobState::kSucceeded) << "it ends all the same";
  EXPECT_EQ(job.progress.enqueued, 3);
  EXPECT_EQ(Known(orders[0]), "1 pending");
  EXPECT_EQ(Known(orders[1]), "1 pending");
  NextPoll();
  EXPECT_EQ(Known(orders[0]), "1 pending");
  EXPECT_EQ(Known(orders[1]), "2 pending");
  EXPECT_EQ(Known(orders[2]), "1 pending");
}

TEST_F(BackfillTest, ListingThatIsTooLargeIsAskedForInSmallerPages) {
  options_.max_response_bytes = 20000;
  options_.batch_size = 5;
  UseOptions();
  const Tx bulk = shop().Begin();
  for (int i = 0; i < 600; ++i) Confirm(bulk);
  shop().Commit(bulk);
  Pass(absl::Hours(1));
  Begin();
  const Job job = Backfill();
  EXPECT_EQ(job.state, JobState::kSucceeded) << job.error << job.progress.waits_for;
  EXPECT_EQ(job.progress.enqueued, 600);
}

TEST_F(BackfillTest, CountsAheadForAPreview) {
  const auto orders = ConfirmHistory(20);
  Begin();
  JobSpec spec;
  spec.connection = connection_.id;
  spec.since = shop().FindOrder(orders[5])->date_order;
  EXPECT_EQ(Await(scheduler_->CountOrders(spec)).value(), 15);
  spec.until = shop().FindOrder(orders[10])->date_order;
  EXPECT_EQ(Await(scheduler_->CountOrders(spec)).value(), 5);
  spec.last = 3;
  EXPECT_EQ(Await(scheduler_->CountOrders(spec)).value(), 3);
}

TEST_F(BackfillTest, SweepsRunBesideALongOne) {
  options_.backlog_limit = 5;
  options_.batch_size = 5;
  UseOptions();
  ConfirmHistory(100);
  Begin();
  const Job job = Backfill();
  ASSERT_EQ(job.progress.waits_for, "backlog");
  Pass(absl::Minutes(70));
  EXPECT_NE(State().sweep_mark, absl::InfinitePast());
  EXPECT_EQ(StateOf(job), "running");
}

TEST_F(BackfillTest, MoveToAnotherOdooEndsTheJobsOfTheOldOne) {
  options_.backlog_limit = 5;
  options_.batch_size = 5;
  UseOptions();
  ConfirmHistory(100);
  sim_->AddDatabase("shop2");
  Begin();
  const Job job = Backfill();
  ASSERT_EQ(StateOf(job), "running");
  ConnectionUpdate update;
  update.id = connection_.id;
  update.settings = connection_.settings;
  update.settings.odoo.database = "shop2";
  update.reset_odoo = true;
  ASSERT_OK(storage_->connections().Update(update, Actor(), Now()));
  scheduler_->Refresh(connection_.id);
  Pass(absl::Minutes(1));
  EXPECT_EQ(StateOf(job), "cancelled");
}

}  // namespace
}  // namespace poller::test

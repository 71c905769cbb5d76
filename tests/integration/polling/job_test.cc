// What start_from asks for, and the jobs that work behind the polls.
#include <map>
#include <set>

#include "core/base/text.h"
#include "tests/integration/polling/polling_fixture.h"

namespace poller::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class JobFixture : public PollingFixture {
 protected:
  JobFixture() {
    options_.start_newest = 3;
    UseOptions();
  }
  void UseOptions() {
    StopScheduler();
    StartScheduler();
  }
  ConnectionSettings From(const std::string& start) {
    ConnectionSettings settings = Settings();
    settings.start_from = StartFrom::Parse(start).value();
    return settings;
  }
  // `count` orders, a minute apart, the last of them an hour ago.
  std::vector<RecordId> ConfirmHistory(int count) {
    std::vector<RecordId> orders;
    for (int i = 0; i < count; ++i) {
      orders.push_back(Confirm());
      clock_.Advance(absl::Minutes(1));
    }
    clock_.Advance(absl::Hours(1));
    return orders;
  }
  Job Start(JobSpec spec) {
    spec.connection = connection_.id;
    auto job = storage_->jobs().Create(spec, Actor{"tester", ""}, Now());
    EXPECT_OK(job.status());
    scheduler_->JobsChanged(connection_.id);
    RunUntilIdle(io_);
    return storage_->jobs().Get(job->id).value();
  }
  Job Backfill(absl::Time since = absl::InfinitePast()) {
    JobSpec spec;
    spec.kind = JobKind::kBackfill;
    spec.since = since;
    return Start(spec);
  }
  Job Reconcile(bool repair, absl::Time since = absl::InfinitePast()) {
    JobSpec spec;
    spec.kind = JobKind::kReconcile;
    spec.since = since;
    spec.repair = repair;
    return Start(spec);
  }
  std::vector<Job> Jobs() {
    JobFilter filter;
    filter.connection = connection_.id;
    return storage_->jobs().List(filter, JobId(), 100).value();
  }
  std::string StateOf(const Job& job) {
    return std::string(JobStateName(storage_->jobs().Get(job.id)->state));
  }
  int Pending(const std::vector<RecordId>& orders) {
    int count = 0;
    for (const RecordId order : orders) count += Known(order).ends_with("pending") ? 1 : 0;
    return count;
  }
  // What a receiver that takes everything would get, in its order.
  std::vector<RecordId> Deliver() {
    std::vector<RecordId> orders;
    while (true) {
      const auto claimed =
          storage_->outbox().Claim(connection_.id, clock_.Read(), 100, /*forced_only=*/false);
      if (!claimed.ok() || claimed->empty()) return orders;
      for (const ClaimedDelivery& delivery : *claimed) {
        orders.push_back(delivery.order.value());
        DeliveryOutcome outcome;
        outcome.id = delivery.id;
        outcome.kind = DeliveryOutcome::Kind::kAccepted;
        outcome.attempt.http_status = 200;
        EXPECT_OK(storage_->outbox().Resolve(outcome, clock_.Read()).status());
      }
    }
  }
  std::map<std::string, std::string> Differences(const Job& job) {
    std::map<std::string, std::string> by_name;
    for (const JobDifference& difference : job.progress.first_differences)
      by_name[difference.name] = difference.what;
    return by_name;
  }
  std::string NameOf(RecordId order) { return shop().FindOrder(order)->name; }
};

class StartFromTest : public JobFixture {};

TEST_F(StartFromTest, NowFetchesNoHistory) {
  const auto orders = ConfirmHistory(10);
  Begin(From("now"));
  Pass(absl::Minutes(5));
  EXPECT_EQ(Pending(orders), 0);
  EXPECT_THAT(Jobs(), IsEmpty());
}

TEST_F(StartFromTest, BeginningDeliversAllThatWasEverConfirmed) {
  const auto orders = ConfirmHistory(250);
  Begin(From("beginning"));
  EXPECT_EQ(Pending(orders), 250);
  ASSERT_THAT(Jobs(), SizeIs(1));
  const Job job = Jobs().front();
  EXPECT_EQ(StateOf(job), "succeeded");
  EXPECT_EQ(job.requested, "start_from");
  EXPECT_EQ(job.progress.total, 250);
  EXPECT_EQ(job.progress.listed, 250);
  EXPECT_EQ(job.progress.enqueued, 250) << "those that were baseline too";
  EXPECT_EQ(Logs().front().kind, "backfill");
  EXPECT_EQ(Logs().front().recorded, 250);
}

TEST_F(StartFromTest, LastDeliversThatMany) {
  const auto orders = ConfirmHistory(20);
  Begin(From("last:5"));
  for (int i = 0; i < 15; ++i) EXPECT_FALSE(Known(orders[i]).ends_with("pending")) << i;
  for (int i = 15; i < 20; ++i) EXPECT_EQ(Known(orders[i]), "1 pending") << i;
}

TEST_F(StartFromTest, LastDeliversThatManyOfOrdersOfOneSecond) {
  const auto orders = ConfirmMany(20);
  Pass(absl::Hours(1));
  Begin(From("last:7"));
  EXPECT_EQ(Pending(orders), 7);
  EXPECT_EQ(Known(orders[13]), "1 pending");
  EXPECT_EQ(Known(orders[12]), "");
}

TEST_F(StartFromTest, LastOfASmallShopDeliversAll) {
  const auto orders = ConfirmHistory(4);
  Begin(From("last:1000"));
  EXPECT_EQ(Pending(orders), 4);
}

TEST_F(StartFromTest, TimeDeliversWhatIsDatedSince) {
  const auto orders = ConfirmHistory(20);
  const absl::Time since = shop().FindOrder(orders[12])->date_order;
  Begin(From(poller::FormatTime(since)));
  EXPECT_EQ(Pending(orders), 8);
  EXPECT_EQ(Known(orders[11]), "");
  EXPECT_EQ(Known(orders[12]), "1 pending");
}

TEST_F(StartFromTest, LastIsTheSameSetAfterARestart) {
  options_.batch_size = 2;
  UseOptions();
  const auto orders = ConfirmHistory(20);
  int history = 0;
  ingest_->after_commit = [&](const IngestBatch& batch) {
    if (batch.priority == DeliveryClass::kHistory && ++history == 1)
      ingest_->fail_from = ingest_->commits + 1;
  };
  Begin(From("last:6"));
  ASSERT_EQ(Pending(orders), 2) << "one batch";
  // The shop goes on: the newest six are others by now.
  const auto live = ConfirmHistory(10);
  Restart();
  Pass(absl::Minutes(5));
  EXPECT_EQ(Pending(orders), 6);
  EXPECT_EQ(Known(orders[13]), "");
  EXPECT_EQ(Known(orders[14]), "1 pending");
  EXPECT_EQ(Pending(live), 10) << "by the polls";
}

TEST_F(StartFromTest, CrashAtAnyCommitOfTheStartMakesOneJobAndDoublesNothing) {
  options_.batch_size = 2;
  const auto orders = ConfirmHistory(12);
  for (int k = 1; k <= 8; ++k) {
    UseOptions();
    ingest_->commits = 0;
    ingest_->fail_from = k;
    ConnectionSettings settings = From("last:5");
    settings.name = "shop " + std::to_string(k);
    Begin(settings);
    Restart();
    Pass(absl::Minutes(1));
    ASSERT_THAT(Jobs(), SizeIs(1)) << "crash at commit " << k;
    EXPECT_EQ(StateOf(Jobs().front()), "succeeded") << "crash at commit " << k;
    EXPECT_EQ(Pending(orders), 5) << "crash at commit " << k;
    EXPECT_EQ(State().waiting, 5) << "crash at commit " << k;
    Restart();
    Pass(absl::Minutes(1));
    ASSERT_THAT(Jobs(), SizeIs(1)) << "crash at commit " << k;
    StopScheduler();
    StartScheduler();
  }
}

TEST_F(StartFromTest, JobIsStoredBeforeTheStartIsComplete) {
  ConfirmHistory(5);
  std::size_t jobs = 0;
  ingest_->after_commit = [&](const IngestBatch& batch) {
    // From this commit on no start would be repeated.
    if (batch.mark.has_value() && jobs == 0) jobs = storage_->jobs().Unfinished().value().size();
  };
  Begin(From("last:5"));
  EXPECT_EQ(jobs, 1u);
}

TEST_F(StartFromTest, LiveOrdersComeBeforeHistory) {
  const auto orders = ConfirmHistory(30);
  Begin(From("beginning"));
  ASSERT_EQ(Pending(orders), 30);
  const RecordId live = Confirm();
  NextPoll();
  const auto delivered = Deliver();
  ASSERT_EQ(delivered.size(), 31u);
  EXPECT_EQ(delivered.front(), live);
}

TEST_F(StartFromTest, PollsBeginAtOnceBesideALongHistory) {
  options_.batch_size = 10;
  UseOptions();
  ConfirmHistory(300);
  Begin(From("beginning"));
  // Played again with answers that take time.
  ASSERT_OK(storage_->connections().Delete(connection_.id, true, Actor(), Now()));
  scheduler_->Refresh(connection_.id);
  RunUntilIdle(io_);
  http_->SetLatency(sleeper_, absl::Seconds(8));
  ConnectionSettings settings = From("beginning");
  settings.name = "slow";
  Begin(settings);
  Pass(absl::Minutes(2));
  const RecordId live = Confirm();
  Pass(absl::Seconds(90));
  EXPECT_EQ(Known(live), "1 pending");
  EXPECT_EQ(StateOf(Jobs().front()), "running");
  Pass(absl::Minutes(40));
  EXPECT_EQ(StateOf(Jobs().front()), "succeeded");
  http_->SetLatency(sleeper_, absl::ZeroDuration());
  Pass(absl::Seconds(10));
}

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

class ReconcileTest : public JobFixture {
 protected:
  // Orders of which we hold something else than Odoo does; `fine` is delivered.
  void MakeDifferences() {
    history_ = ConfirmHistory(10);
    ConnectionSettings settings = Settings();
    settings.send_cancelled = true;
    Begin(settings);
    fine_ = Confirm(), differs_ = Confirm(), gone_ = Confirm(), unreadable_ = Confirm();
    NextPoll();
    Deliver();
    undelivered_ = Confirm();
    NextPoll();
    const auto heads = storage_->ingest().Heads(connection_.id, {OrderId(undelivered_)});
    ASSERT_OK(storage_->outbox().Discard(heads->front().delivery, "test", Actor(), Now()).status());
    Pass(absl::Minutes(10));
    const Tx late = shop().Begin(), later = shop().Begin();
    missing_ = Confirm(later);
    ASSERT_OK(shop().EditOrderRef(differs_, "late", late));
    Pass(absl::Minutes(10));
    shop().Commit(late);
    StopScheduler();
    gone_name_ = NameOf(gone_);
    ASSERT_OK(shop().CancelOrder(gone_));
    ASSERT_OK(shop().DeleteOrder(gone_));
    StartScheduler();  // and does not remember what it listed
    scheduler_->Add(connection_.id, /*spread=*/false);
    Pass(absl::Minutes(6));
    ASSERT_OK(PollNow());  // with the line query, which would find the missing one
    shop().Commit(later);
    shop().SetRecordFault("sale.order", unreadable_, {});
  }
  // Orders that no poll sees.
  std::vector<RecordId> ConfirmTooLate(int count) {
    const Tx slow = shop().Begin();
    std::vector<RecordId> orders;
    for (int i = 0; i < count; ++i) orders.push_back(Confirm(slow));
    Pass(absl::Minutes(10));
    shop().Commit(slow);
    NextPoll();
    return orders;
  }
  std::vector<RecordId> history_;
  RecordId missing_ = 0, fine_ = 0, differs_ = 0, gone_ = 0, unreadable_ = 0, undelivered_ = 0;
  std::string gone_name_;
};

TEST_F(ReconcileTest, ReportsAndRepairs) {
  MakeDifferences();
  Events();
  const int commits = ingest_->commits;
  const Job report = Reconcile(/*repair=*/false);
  ASSERT_EQ(report.state, JobState::kSucceeded);
  const auto differences = Differences(report);
  EXPECT_EQ(differences.at(NameOf(missing_)), "missing");
  EXPECT_EQ(differences.at(NameOf(differs_)), "differs");
  EXPECT_EQ(differences.at(NameOf(undelivered_)), "undelivered");
  EXPECT_EQ(differences.at(gone_name_), "gone");
  EXPECT_EQ(differences.at(NameOf(unreadable_)), "unreadable");
  EXPECT_FALSE(differences.contains(NameOf(fine_)));
  EXPECT_EQ(report.progress.differences, 5);
  EXPECT_EQ(report.progress.baseline, 10) << "known as baseline, or not at all";
  EXPECT_EQ(report.progress.enqueued, 0);
  EXPECT_EQ(ingest_->commits, commits) << "nothing is written";
  EXPECT_EQ(Known(missing_), "");
  EXPECT_EQ(Known(gone_), "1 delivered");

  const Job repair = Reconcile(/*repair=*/true);
  ASSERT_EQ(repair.state, JobState::kSucceeded);
  EXPECT_EQ(Known(missing_), "1 pending");
  EXPECT_EQ(Known(differs_), "2 pending");
  EXPECT_EQ(Known(undelivered_), "1 pending");
  EXPECT_EQ(Known(gone_), "2 pending") << "order.cancelled";
  EXPECT_EQ(repair.progress.enqueued, 3) << "and a cancellation";
  EXPECT_EQ(Pending(history_), 0) << "nobody asked for them";
  EXPECT_EQ(Known(fine_), "1 delivered") << "not again";
  EXPECT_EQ(Known(unreadable_), "1 delivered") << "what was delivered is not taken back";
  const auto forced =
      storage_->outbox().Claim(connection_.id, clock_.Read(), 10, /*forced_only=*/true);
  EXPECT_EQ(forced.value().size(), 0u) << "a repair passes no breaker";
  Deliver();

  const Job again = Reconcile(/*repair=*/false);
  EXPECT_EQ(again.progress.differences, 1) << "the unreadable one";
}

TEST_F(ReconcileTest, WhatThePollsHaveNotSeenYetIsNoDifference) {
  Begin();
  const RecordId order = Confirm();
  NextPoll();
  Deliver();
  Confirm();
  ASSERT_OK(shop().EditOrderRef(order, "new"));
  EXPECT_EQ(Reconcile(/*repair=*/false).progress.differences, 0);
}

TEST_F(ReconcileTest, OrderThatIsTornWhileItIsReadIsReadAgain) {
  ReadPlainly();
  Begin();
  const RecordId order = Confirm();
  NextPoll();
  Deliver();
  Pass(absl::Minutes(10));
  int reads = 0, tears = 1;
  sim_->SetBeforeCall([&](const OdooCall& call) {
    if (call.model != "res.partner" || call.method != "read" || ++reads > tears) return;
    clock_.Advance(absl::Seconds(1));
    ASSERT_OK(shop().TouchOrder(order));
  });
  const Job settled = Reconcile(/*repair=*/false);
  EXPECT_EQ(settled.progress.differences, 0);
  EXPECT_EQ(settled.progress.unchanged, 1) << "compared once";
  NextPoll();
  Pass(absl::Minutes(10));
  reads = 0, tears = 100;
  const Job restless = Reconcile(/*repair=*/false);
  EXPECT_EQ(restless.state, JobState::kSucceeded);
  EXPECT_EQ(Differences(restless).at(NameOf(order)), "changing");
}

TEST_F(ReconcileTest, LooksAtItsRangeAlone) {
  const auto orders = ConfirmHistory(20);
  Begin();
  const Job job = Reconcile(/*repair=*/false, shop().FindOrder(orders[15])->date_order);
  EXPECT_EQ(job.progress.total, 5);
  EXPECT_EQ(job.progress.baseline, 5);
}

TEST_F(ReconcileTest, WhatWasThereBeforeTheStartIsNoDifference) {
  const auto orders = ConfirmHistory(10);
  Begin(From("last:1"));
  ASSERT_EQ(Pending(orders), 1);
  shop().SetRecordFault("sale.order", orders[8], {});
  Deliver();
  for (const bool repair : {false, true}) {
    const Job job = Reconcile(repair);
    EXPECT_EQ(job.progress.differences, 0);
    EXPECT_EQ(job.progress.baseline, 9);
    EXPECT_EQ(job.progress.unchanged, 1);
    EXPECT_EQ(job.progress.enqueued, 0);
    EXPECT_EQ(job.progress.dead, 0);
  }
  EXPECT_EQ(Known(orders[7]), "1 baseline");
  EXPECT_EQ(Known(orders[0]), "");
  shop().ClearRecordFaults();
  // But what changed since is.
  const Tx late = shop().Begin();
  ASSERT_OK(shop().EditOrderRef(orders[0], "late", late));
  ASSERT_OK(shop().EditOrderRef(orders[7], "late", late));
  Pass(absl::Minutes(10));
  shop().Commit(late);
  const Job job = Reconcile(/*repair=*/true);
  EXPECT_EQ(Differences(job).at(NameOf(orders[0])), "missing");
  EXPECT_EQ(Differences(job).at(NameOf(orders[7])), "differs");
  EXPECT_EQ(job.progress.enqueued, 2);
  EXPECT_EQ(job.progress.baseline, 7);
}

TEST_F(ReconcileTest, WhatStartFromAskedForAndNobodyFetchedIsADifference) {
  const auto orders = ConfirmHistory(10);
  ingest_->after_commit = [&](const IngestBatch& batch) {
    if (!batch.mark.has_value()) return;
    for (const Job& job : Jobs()) ASSERT_OK(storage_->jobs().Cancel(job.id, Actor(), Now()));
    ingest_->after_commit = nullptr;
  };
  Begin(From(poller::FormatTime(shop().FindOrder(orders[4])->date_order)));
  ASSERT_EQ(Pending(orders), 0);
  const Job job = Reconcile(/*repair=*/true);
  EXPECT_EQ(job.progress.baseline, 4);
  EXPECT_EQ(job.progress.differences, 6);
  EXPECT_EQ(Differences(job).at(NameOf(orders[4])), "missing");
  EXPECT_EQ(Differences(job).at(NameOf(orders[9])), "undelivered");
  EXPECT_EQ(Pending(orders), 6);
}

TEST_F(ReconcileTest, NamesTheFirstHundredDifferences) {
  Begin();
  ConfirmTooLate(250);
  const Job job = Reconcile(/*repair=*/false);
  EXPECT_EQ(job.progress.differences, 250);
  EXPECT_THAT(job.progress.first_differences, SizeIs(100));
}

TEST_F(ReconcileTest, NamesAreSafeToShow) {
  Begin();
  const Tx slow = shop().Begin();
  const RecordId order = Confirm(slow);
  const std::string name = "S1\x1b[31m" + std::string(500, 'x');
  ASSERT_OK(shop().Write("sale.order", order, {{"name", name}}, slow));
  Pass(absl::Minutes(10));
  shop().Commit(slow);
  NextPoll();
  const Job job = Reconcile(/*repair=*/false);
  ASSERT_THAT(job.progress.first_differences, SizeIs(1));
  const std::string& shown = job.progress.first_differences.front().name;
  EXPECT_EQ(shown.find('\x1b'), std::string::npos);
  EXPECT_LT(shown.size(), 250u);
  EXPECT_TRUE(shown.starts_with("S1"));
}

TEST_F(ReconcileTest, ResumesAfterACrash) {
  options_.batch_size = 10;
  options_.start_newest = 100;
  UseOptions();
  ConfirmHistory(95);
  Begin();
  int reads = 0;
  sim_->SetBeforeCall([&](const OdooCall& call) {
    if (call.method == "web_read" && ++reads == 4) scheduler_->Stop();
  });
  const Job job = Reconcile(/*repair=*/false);
  sim_->SetBeforeCall(nullptr);
  ASSERT_EQ(StateOf(job), "running");
  Restart();
  Pass(absl::Minutes(1));
  const Job done = *storage_->jobs().Get(job.id);
  EXPECT_EQ(done.state, JobState::kSucceeded);
  EXPECT_EQ(done.progress.listed, 95);
  EXPECT_EQ(done.progress.baseline, 95);
}

}  // namespace
}  // namespace poller::test

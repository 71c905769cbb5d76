// The job that compares a range with Odoo, and repairs.
#include "core/base/text.h"
#include "tests/integration/polling/job_fixture.h"

namespace poller::test {
namespace {

using testing::SizeIs;

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

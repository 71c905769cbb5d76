// What start_from asks for.
#include "core/base/text.h"
#include "tests/integration/polling/job_fixture.h"

namespace poller::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

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

}  // namespace
}  // namespace poller::test

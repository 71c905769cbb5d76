#include "core/base/status.h"
#include "core/base/status_metadata.h"
#include "tests/integration/storage/storage_fixture.h"

namespace poller {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

class JobStoreTest : public StorageFixture {
 protected:
  JobStoreTest() {
    Open();
    AddConnection();
  }
  JobSpec Spec(JobKind kind = JobKind::kBackfill) const {
    JobSpec spec;
    spec.kind = kind;
    spec.connection = connection_.id;
    return spec;
  }
  Job Create(const JobSpec& spec) {
    const auto job = storage_->jobs().Create(spec, kActor, clock_.Now());
    EXPECT_OK(job.status());
    return job.value_or(Job());
  }
  Job Get(JobId id) {
    const auto job = storage_->jobs().Get(id);
    EXPECT_OK(job.status());
    return job.value_or(Job());
  }
  // "backfill queued", ... of the events about jobs.
  std::vector<std::string> JobEvents() {
    std::vector<std::string> words;
    const auto events = storage_->events().Read(EventSequence(), 1000);
    EXPECT_OK(events.status());
    for (const SyncEvent& event : *events) {
      if (event.type != EventType::kJobChanged) continue;
      EXPECT_EQ(event.connection_name, "shop");
      words.push_back(event.detail.job_kind + " " + std::to_string(event.detail.job.value()) + " " +
                      event.detail.job_state);
    }
    return words;
  }
};

TEST_F(JobStoreTest, KeepsWhatWasAskedFor) {
  JobSpec spec = Spec(JobKind::kReconcile);
  spec.since = clock_.Now() - absl::Hours(48);
  spec.until = clock_.Now();
  spec.repair = true;
  const Job created = Create(spec);
  const Job job = Get(created.id);
  EXPECT_EQ(job.spec.kind, JobKind::kReconcile);
  EXPECT_EQ(job.spec.connection, connection_.id);
  EXPECT_EQ(job.spec.since, spec.since);
  EXPECT_EQ(job.spec.until, spec.until);
  EXPECT_TRUE(job.spec.repair);
  EXPECT_EQ(job.connection_name, "shop");
  EXPECT_EQ(job.state, JobState::kQueued);
  EXPECT_EQ(job.requested, "ops");
  EXPECT_EQ(job.created_at, clock_.Now());
  EXPECT_EQ(job.finished_at, absl::InfinitePast());
  EXPECT_EQ(job.progress.total, -1);
  EXPECT_EQ(created.id, job.id);
}

TEST_F(JobStoreTest, AnOpenRangeStaysOpen) {
  JobSpec spec = Spec();
  spec.last = 20;
  const Job job = Get(Create(spec).id);
  EXPECT_EQ(job.spec.since, absl::InfinitePast());
  EXPECT_EQ(job.spec.until, absl::InfiniteFuture());
  EXPECT_EQ(job.spec.last, 20);
}

TEST_F(JobStoreTest, EveryChangeOfStateIsAnEventAndProgressIsNone) {
  const Job job = Create(Spec());
  EXPECT_THAT(storage_->jobs().Begin(job.id, clock_.Now()), IsOk());
  EXPECT_THAT(storage_->jobs().Begin(job.id, clock_.Now()), IsOk());
  JobProgress progress;
  progress.listed = 100;
  EXPECT_OK(storage_->jobs().Advance(job.id, progress, clock_.Now()));
  EXPECT_OK(storage_->jobs().Finish(job.id, progress, "", clock_.Now()));
  EXPECT_THAT(JobEvents(),
              ElementsAre("backfill 1 queued", "backfill 1 running", "backfill 1 succeeded"));
}

TEST_F(JobStoreTest, ProgressSurvivesARestart) {
  const Job job = Create(Spec(JobKind::kReconcile));
  ASSERT_OK(storage_->jobs().Begin(job.id, clock_.Now()).status());
  JobProgress progress;
  progress.after = OrderId(77);
  progress.total = 500;
  progress.listed = 100;
  progress.enqueued = 3;
  progress.unchanged = 90;
  progress.dead = 1;
  progress.differences = 150;
  progress.baseline = 7;
  progress.waits_for = "backlog";
  for (int i = 1; i <= 150; ++i) {
    progress.first_differences.push_back({OrderId(i), "S\xff" + std::to_string(i), "missing"});
  }
  clock_.Advance(absl::Seconds(1));
  ASSERT_OK(storage_->jobs().Advance(job.id, progress, clock_.Now()));
  Reopen();
  ASSERT_OK_AND_ASSIGN(const std::vector<Job> unfinished, storage_->jobs().Unfinished());
  ASSERT_THAT(unfinished, SizeIs(1));
  const JobProgress& read = unfinished[0].progress;
  EXPECT_EQ(unfinished[0].state, JobState::kRunning);
  EXPECT_EQ(unfinished[0].updated_at, clock_.Now());
  EXPECT_EQ(read.after, OrderId(77));
  EXPECT_EQ(read.total, 500);
  EXPECT_EQ(read.listed, 100);
  EXPECT_EQ(read.enqueued, 3);
  EXPECT_EQ(read.unchanged, 90);
  EXPECT_EQ(read.dead, 1);
  EXPECT_EQ(read.differences, 150);
  EXPECT_EQ(read.baseline, 7);
  EXPECT_EQ(read.waits_for, "backlog");
  ASSERT_THAT(read.first_differences, SizeIs(100));
  EXPECT_EQ(read.first_differences[99].order, OrderId(100));
  EXPECT_EQ(read.first_differences[99].name,
            "S\xef\xbf\xbd"
            "100")
      << "valid UTF-8";
  EXPECT_EQ(read.first_differences[99].what, "missing");
}

TEST_F(JobStoreTest, OneUnfinishedJobOfAKindAConnection) {
  const Job first = Create(Spec());
  const auto second = storage_->jobs().Create(Spec(), kActor, clock_.Now());
  EXPECT_THAT(second.status(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("\"shop\"")));
  EXPECT_EQ(Reason(second.status()), "JOB_RUNS");
  EXPECT_THAT(Metadata(second.status()),
              ElementsAre(Pair("job", std::to_string(first.id.value()))));
  Create(Spec(JobKind::kReconcile));
  AddConnection("other");
  Create(Spec());
}

TEST_F(JobStoreTest, AFinishedJobMakesRoom) {
  const Job first = Create(Spec());
  ASSERT_OK(storage_->jobs().Finish(first.id, JobProgress(), "Odoo is gone", clock_.Now()));
  EXPECT_EQ(Get(first.id).state, JobState::kFailed);
  EXPECT_EQ(Get(first.id).error, "Odoo is gone");
  EXPECT_EQ(Get(first.id).finished_at, clock_.Now());
  EXPECT_GT(Create(Spec()).id, first.id);
}

TEST_F(JobStoreTest, ARepeatedRequestGivesTheFirstJob) {
  const Actor actor{.token_name = "ops", .request_id = "r1"};
  ASSERT_OK_AND_ASSIGN(const Job first, storage_->jobs().Create(Spec(), actor, clock_.Now()));
  ASSERT_OK(storage_->jobs().Cancel(first.id, kActor, clock_.Now()).status());
  ASSERT_OK_AND_ASSIGN(const Job again, storage_->jobs().Create(Spec(), actor, clock_.Now()));
  EXPECT_EQ(again.id, first.id);
  EXPECT_EQ(again.state, JobState::kCancelled);
  const Actor other{.token_name = "ops", .request_id = "r1", .token = TokenId(2)};
  ASSERT_OK_AND_ASSIGN(const Job third, storage_->jobs().Create(Spec(), other, clock_.Now()));
  EXPECT_NE(third.id, first.id);
}

TEST_F(JobStoreTest, ACancelledJobCannotGoOn) {
  const Job job = Create(Spec());
  JobProgress progress;
  progress.waits_for = "backlog";
  ASSERT_OK(storage_->jobs().Advance(job.id, progress, clock_.Now()));
  ASSERT_OK_AND_ASSIGN(const Job cancelled, storage_->jobs().Cancel(job.id, kActor, clock_.Now()));
  EXPECT_EQ(cancelled.state, JobState::kCancelled);
  EXPECT_EQ(cancelled.progress.waits_for, "");
  const auto is_over = StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("is over"));
  EXPECT_THAT(storage_->jobs().Begin(job.id, clock_.Now()).status(), is_over);
  EXPECT_THAT(storage_->jobs().Advance(job.id, JobProgress(), clock_.Now()), is_over);
  EXPECT_THAT(storage_->jobs().Finish(job.id, JobProgress(), "", clock_.Now()), is_over);
  const absl::Status again = storage_->jobs().Cancel(job.id, kActor, clock_.Now()).status();
  EXPECT_THAT(again, is_over);
  EXPECT_EQ(Reason(again), "JOB_OVER");
  EXPECT_THAT(JobEvents(), ElementsAre("backfill 1 queued", "backfill 1 cancelled"));
}

TEST_F(JobStoreTest, WhatIsUnknownIsNotFound) {
  const absl::Status unknown = storage_->jobs().Get(JobId(99)).status();
  EXPECT_THAT(unknown, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(Reason(unknown), "JOB_NOT_FOUND");
  EXPECT_THAT(storage_->jobs().Advance(JobId(99), JobProgress(), clock_.Now()),
              StatusIs(absl::StatusCode::kNotFound));
  JobSpec spec = Spec();
  spec.connection = ConnectionId(99);
  EXPECT_THAT(storage_->jobs().Create(spec, kActor, clock_.Now()),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(JobStoreTest, ListsByFilterNewestFirst) {
  const Job one = Create(Spec());
  ASSERT_OK(storage_->jobs().Cancel(one.id, kActor, clock_.Now()).status());
  const Job two = Create(Spec());
  const Job three = Create(Spec(JobKind::kReconcile));
  const ConnectionId shop = connection_.id;
  AddConnection("other");
  const Job four = Create(Spec());
  const auto ids = [&](const JobFilter& filter, JobId before, int limit) {
    std::vector<JobId> found;
    const auto jobs = storage_->jobs().List(filter, before, limit);
    EXPECT_OK(jobs.status());
    for (const Job& job : *jobs) found.push_back(job.id);
    return found;
  };
  EXPECT_THAT(ids({}, JobId(), 10), ElementsAre(four.id, three.id, two.id, one.id));
  EXPECT_THAT(ids({}, four.id, 2), ElementsAre(three.id, two.id));
  EXPECT_THAT(ids({.connection = shop}, JobId(), 10), ElementsAre(three.id, two.id, one.id));
  EXPECT_THAT(ids({.connection = shop, .kind = JobKind::kBackfill}, JobId(), 10),
              ElementsAre(two.id, one.id));
  EXPECT_THAT(ids({.kind = JobKind::kBackfill, .unfinished = true}, JobId(), 10),
              ElementsAre(four.id, two.id));
  ASSERT_OK_AND_ASSIGN(const std::vector<Job> unfinished, storage_->jobs().Unfinished());
  ASSERT_THAT(unfinished, SizeIs(3));
  EXPECT_EQ(unfinished[0].id, two.id) << "oldest first";
}

TEST_F(JobStoreTest, JobsGoWithTheirConnection) {
  const Job job = Create(Spec());
  ASSERT_OK(storage_->connections().Delete(connection_.id, false, kActor, clock_.Now()));
  EXPECT_THAT(storage_->jobs().Get(job.id), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(storage_->jobs().Advance(job.id, JobProgress(), clock_.Now()),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(storage_->jobs().Unfinished(), IsOkAndHolds(IsEmpty()));
}

TEST_F(JobStoreTest, OldFinishedJobsAreRemovedAndNumbersNotReused) {
  const Job old = Create(Spec());
  ASSERT_OK(storage_->jobs().Cancel(old.id, kActor, clock_.Now()).status());
  const Job running = Create(Spec(JobKind::kReconcile));
  clock_.Advance(absl::Hours(1));
  const Job recent = Create(Spec());
  ASSERT_OK(storage_->jobs().Cancel(recent.id, kActor, clock_.Now()).status());
  const absl::Time before = clock_.Now();
  EXPECT_THAT(storage_->jobs().Prune(before, 10), IsOkAndHolds(1));
  EXPECT_THAT(storage_->jobs().Prune(before, 10), IsOkAndHolds(0));
  EXPECT_THAT(storage_->jobs().Get(old.id), StatusIs(absl::StatusCode::kNotFound));
  Get(running.id);
  Get(recent.id);
  EXPECT_THAT(storage_->jobs().Prune(clock_.Now() + absl::Hours(1), 10), IsOkAndHolds(1));
  EXPECT_GT(Create(Spec()).id, recent.id);
}

}  // namespace
}  // namespace poller

#include "server/retention.h"

#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>
#include <vector>

#include "core/async/task_group.h"
#include "tests/support/fake_time.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/fake_requests.h"

namespace poller {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::SizeIs;

// Logs that hold a number of rows that are too old.
class OldEvents final : public EventLog {
 public:
  absl::StatusOr<std::vector<SyncEvent>> Read(EventSequence, int) override {
    return std::vector<SyncEvent>();
  }
  absl::StatusOr<EventRange> Range() override { return EventRange(); }
  absl::StatusOr<EventSequence> Append(const SyncEvent&) override { return EventSequence(); }
  void SetListener(std::function<void()>) override {}
  absl::StatusOr<int> Prune(absl::Time before, int limit) override {
    befores.push_back(before);
    if (!failure.ok()) return failure;
    const int removed = std::min(old, limit);
    old -= removed;
    return removed;
  }
  int old = 0;
  absl::Status failure;
  std::vector<absl::Time> befores;
};

class OldLogs final : public SyncLogStore {
 public:
  absl::Status Append(const SyncLog&) override { return absl::OkStatus(); }
  absl::StatusOr<std::vector<SyncLog>> List(std::optional<ConnectionId>, SyncLogId, int) override {
    return std::vector<SyncLog>();
  }
  absl::StatusOr<int> Prune(absl::Time before, int keep, int) override {
    befores.push_back(before);
    keeps.push_back(keep);
    return 0;
  }
  std::vector<absl::Time> befores;
  std::vector<int> keeps;
};

class OldJobs final : public JobStore {
 public:
  absl::StatusOr<Job> Create(const JobSpec&, const Actor&, absl::Time) override { return Job(); }
  absl::StatusOr<Job> Get(JobId) override { return Job(); }
  absl::StatusOr<std::vector<Job>> List(const JobFilter&, JobId, int) override {
    return std::vector<Job>();
  }
  absl::StatusOr<std::vector<Job>> Unfinished() override { return std::vector<Job>(); }
  absl::StatusOr<Job> Begin(JobId, absl::Time) override { return Job(); }
  absl::Status Advance(JobId, const JobProgress&, absl::Time) override { return absl::OkStatus(); }
  absl::Status Finish(JobId, const JobProgress&, const std::string&, absl::Time) override {
    return absl::OkStatus();
  }
  absl::StatusOr<Job> Cancel(JobId, const Actor&, absl::Time) override { return Job(); }
  absl::StatusOr<int> Prune(absl::Time before, int) override {
    befores.push_back(before);
    return 0;
  }
  std::vector<absl::Time> befores;
};

class OldRevisions final : public LedgerStore {
 public:
  absl::StatusOr<int> Prune(absl::Time before, int limit) override {
    befores.push_back(before);
    const int removed = std::min(old, limit);
    old -= removed;
    return removed;
  }
  int old = 0;
  std::vector<absl::Time> befores;
};

class OldSecrets final : public SecretRotations {
 public:
  absl::StatusOr<int> EndRotations(absl::Time now, int) override {
    nows.push_back(now);
    return 0;
  }
  std::vector<absl::Time> nows;
};

class RetentionTest : public testing::Test {
 protected:
  ~RetentionTest() override {
    retention.Stop();
    RunUntilIdle(io);
  }
  void Begin() {
    tasks.Spawn(retention.Run());
    RunUntilIdle(io);
  }

  boost::asio::io_context io;
  FakeClock clock;
  FakeSleeper sleeper{clock, &io};
  TaskGroup tasks{io.get_executor()};
  OldEvents events;
  OldLogs logs;
  OldJobs jobs;
  OldRevisions ledger;
  OldSecrets secrets;
  FakeRequests requests;
  Retention retention{{events, logs, jobs, ledger, secrets, requests},
                      sleeper,
                      clock,
                      io.get_executor(),
                      NullLogger(),
                      RetentionOptions()};
};

TEST_F(RetentionTest, RemovesInStepsUntilNothingIsOld) {
  events.old = 1200;
  ledger.old = 700;
  requests.old = 1000;
  Begin();
  EXPECT_EQ(events.old, 0);
  EXPECT_EQ(ledger.old, 0);
  EXPECT_EQ(requests.old, 0);
  EXPECT_THAT(events.befores, SizeIs(3));
  EXPECT_THAT(events.befores, Each(clock.Now() - absl::Hours(24 * 7)));
  EXPECT_THAT(logs.befores, ElementsAre(clock.Now() - absl::Hours(24 * 30)));
  EXPECT_THAT(logs.keeps, ElementsAre(1000));
  EXPECT_THAT(jobs.befores, ElementsAre(clock.Now() - absl::Hours(24 * 30)));
  EXPECT_THAT(secrets.nows, ElementsAre(clock.Now()));
  EXPECT_THAT(ledger.befores, SizeIs(2));
  EXPECT_THAT(ledger.befores, Each(clock.Now() - absl::Hours(24 * 90)));
}

TEST_F(RetentionTest, LooksAgainAfterItsInterval) {
  Begin();
  sleeper.Advance(absl::Minutes(9));
  EXPECT_THAT(logs.befores, SizeIs(1));
  sleeper.Advance(absl::Minutes(1));
  EXPECT_THAT(logs.befores, SizeIs(2));
}

TEST_F(RetentionTest, GoesOnAfterAFailure) {
  events.failure = absl::UnavailableError("busy");
  Begin();
  events.failure = absl::OkStatus();
  events.old = 5;
  sleeper.Advance(absl::Minutes(10));
  EXPECT_EQ(events.old, 0);
}

TEST_F(RetentionTest, AFailureKeepsNothingElse) {
  events.failure = absl::UnavailableError("busy");
  ledger.old = 5;
  Begin();
  EXPECT_EQ(ledger.old, 0);
  EXPECT_THAT(secrets.nows, SizeIs(1));
}

TEST_F(RetentionTest, EndsAtOnceWhenStopped) {
  Begin();
  EXPECT_EQ(tasks.Running(), 1);
  retention.Stop();
  RunUntilIdle(io);
  EXPECT_EQ(tasks.Running(), 0);
}

}  // namespace
}  // namespace poller

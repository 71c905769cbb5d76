// A shop with a history, and the jobs that work through it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/integration/polling/polling_fixture.h"

namespace poller::test {

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

}  // namespace poller::test

// Backfill, reconcile, and what else works on many orders at once, through the API.
#include <gmock/gmock.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/integration/server/server_fixture.h"

namespace poller {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

using Jobs = v1::JobService::Stub;
using Retries = v1::RetryQueueService::Stub;

class JobServiceTest : public ServerFixture {
 protected:
  void SetUp() override { Start(); }

  // A shop that had orders before we came, so that they are baseline.
  void AddShopWithHistory(int orders) {
    for (int i = 0; i < orders; ++i) ConfirmOrder();
    shop_ = AddShop().id();
  }
  Answer<v1::StartBackfillResponse> Backfill(const std::string& request_id = "",
                                             bool validate_only = false) {
    v1::StartBackfillRequest request;
    *request.mutable_connection() = Ref(shop_);
    request.set_request_id(request_id);
    request.set_validate_only(validate_only);
    return Call(jobs_, &Jobs::StartBackfill, request);
  }
  Answer<v1::StartReconcileResponse> Reconcile(bool repair) {
    v1::StartReconcileRequest request;
    *request.mutable_connection() = Ref(shop_);
    request.set_repair(repair);
    return Call(jobs_, &Jobs::StartReconcile, request);
  }
  Answer<v1::GetJobResponse> Get(std::int64_t job) {
    v1::GetJobRequest request;
    request.set_job_id(job);
    return Call(jobs_, &Jobs::GetJob, request);
  }
  Answer<v1::CancelJobResponse> Cancel(std::int64_t job) {
    v1::CancelJobRequest request;
    request.set_job_id(job);
    return Call(jobs_, &Jobs::CancelJob, request);
  }
  // All that WatchJob sends until the job is over.
  std::vector<v1::Job> Watch(std::int64_t job) {
    grpc::ClientContext context;
    Prepare(context, admin_);
    v1::WatchJobRequest request;
    request.set_job_id(job);
    const auto reader = jobs_->WatchJob(&context, request);
    std::vector<v1::Job> seen;
    for (v1::WatchJobResponse message; reader->Read(&message);) seen.push_back(message.job());
    EXPECT_TRUE(reader->Finish().ok());
    return seen;
  }
  // Once its first attempt has failed.
  void DiscardTheNextThatFails(EventReader& failures) {
    ASSERT_TRUE(failures.NextEvent().has_value());
    const auto retries = Call(retries_, &Retries::ListRetries, v1::ListRetriesRequest());
    ASSERT_EQ(retries->deliveries_size(), 1);
    v1::DiscardDeliveryRequest request;
    request.set_delivery_id(retries->deliveries(0).id());
    ASSERT_TRUE(Call(retries_, &Retries::DiscardDelivery, request).ok());
  }
};

TEST_F(JobServiceTest, BackfillDeliversWhatWasThereBefore) {
  AddShopWithHistory(3);
  EXPECT_EQ(receiver_.Summary().accepted_orders, 0);
  const auto counted = Backfill("", /*validate_only=*/true);
  ASSERT_TRUE(counted.ok()) << counted.status.error_message();
  EXPECT_EQ(counted->order_count(), 3);
  EXPECT_FALSE(counted->has_job());

  const auto started = Backfill();
  ASSERT_TRUE(started.ok()) << started.status.error_message();
  const std::vector<v1::Job> seen = Watch(started->job().id());
  ASSERT_FALSE(seen.empty());
  EXPECT_EQ(seen.back().state(), v1::JOB_STATE_SUCCEEDED) << seen.back().error();
  EXPECT_EQ(seen.back().progress().enqueued_count(), 3);
  EXPECT_TRUE(Accepted(3));
  EXPECT_EQ(Get(started->job().id())->job().actor(), "admin");
}

TEST_F(JobServiceTest, ARepeatOfTheCallGivesTheSameJob) {
  AddShopWithHistory(1);
  const auto first = Backfill("once");
  const auto again = Backfill("once");
  ASSERT_TRUE(again.ok()) << again.status.error_message();
  EXPECT_EQ(first->job().id(), again->job().id());
}

TEST_F(JobServiceTest, ASecondOneOfAKindWaitsForItsTurn) {
  AddShopWithHistory(1);
  Pause(shop_, v1::PAUSE_SCOPE_POLLING);
  const auto first = Backfill();
  ASSERT_TRUE(first.ok()) << first.status.error_message();
  const auto second = Backfill();
  EXPECT_THAT(second, FailsWith(grpc::StatusCode::FAILED_PRECONDITION, "JOB_RUNS"));
  EXPECT_EQ(InfoOf(second.status).metadata().at("job"), std::to_string(first->job().id()));
}

TEST_F(JobServiceTest, ACancelledJobIsOver) {
  AddShopWithHistory(1);
  Pause(shop_, v1::PAUSE_SCOPE_POLLING);
  const std::int64_t job = Backfill()->job().id();
  const auto cancelled = Cancel(job);
  ASSERT_TRUE(cancelled.ok()) << cancelled.status.error_message();
  EXPECT_EQ(cancelled->job().state(), v1::JOB_STATE_CANCELLED);
  EXPECT_THAT(Cancel(job), FailsWith(grpc::StatusCode::FAILED_PRECONDITION, "JOB_OVER"));
  EXPECT_EQ(Watch(job).size(), 1u);
}

TEST_F(JobServiceTest, ReconcileReportsAndThenRepairs) {
  AddShopWithHistory(2);
  v1::StreamSyncEventsRequest request;
  request.set_after_sequence(NewestSequence());
  request.add_types(v1::EVENT_TYPE_DELIVERY_FAILED);
  EventReader failures = Events(request);
  receiver_.SetBehaviour({.status = 500});
  ConfirmOrder();
  Poll(shop_);
  DiscardTheNextThatFails(failures);
  receiver_.ClearBehaviour();
  const std::vector<v1::Job> reported = Watch(Reconcile(/*repair=*/false)->job().id());
  ASSERT_FALSE(reported.empty());
  EXPECT_EQ(reported.back().progress().difference_count(), 1);
  EXPECT_EQ(reported.back().progress().differences(0).what(), "undelivered");
  EXPECT_EQ(reported.back().progress().baseline_count(), 2) << "nobody asked for these";
  EXPECT_EQ(receiver_.Summary().accepted_orders, 0);

  const std::vector<v1::Job> repaired = Watch(Reconcile(/*repair=*/true)->job().id());
  ASSERT_FALSE(repaired.empty());
  EXPECT_EQ(repaired.back().state(), v1::JOB_STATE_SUCCEEDED) << repaired.back().error();
  EXPECT_EQ(repaired.back().progress().enqueued_count(), 1);
  EXPECT_TRUE(Accepted(1));
}

TEST_F(JobServiceTest, ListsTheNewestFirstPageByPage) {
  AddShopWithHistory(1);
  const std::int64_t first = Backfill()->job().id();
  Watch(first);
  const std::int64_t second = Reconcile(false)->job().id();
  Watch(second);
  v1::ListJobsRequest request;
  request.set_page_size(1);
  const auto page = Call(jobs_, &Jobs::ListJobs, request);
  ASSERT_EQ(page->jobs_size(), 1);
  EXPECT_EQ(page->jobs(0).id(), second);
  request.set_page_token(page->next_page_token());
  const auto rest = Call(jobs_, &Jobs::ListJobs, request);
  ASSERT_EQ(rest->jobs_size(), 1);
  EXPECT_EQ(rest->jobs(0).id(), first);
  EXPECT_EQ(rest->next_page_token(), "");
  v1::ListJobsRequest unfinished;
  unfinished.set_unfinished(true);
  EXPECT_EQ(Call(jobs_, &Jobs::ListJobs, unfinished)->jobs_size(), 0);
}

TEST_F(JobServiceTest, WhatIsWrongIsNamed) {
  AddShopWithHistory(0);
  EXPECT_THAT(Get(99), FailsWith(grpc::StatusCode::NOT_FOUND, "JOB_NOT_FOUND"));
  EXPECT_THAT(Cancel(99), FailsWith(grpc::StatusCode::NOT_FOUND, "JOB_NOT_FOUND"));
  EXPECT_THAT(WrongFields(Get(0).status), ElementsAre("job_id"));
  v1::StartBackfillRequest request;
  EXPECT_THAT(WrongFields(Call(jobs_, &Jobs::StartBackfill, request).status),
              ElementsAre("connection"));
  request.mutable_connection()->set_id(99);
  EXPECT_THAT(Call(jobs_, &Jobs::StartBackfill, request),
              FailsWith(grpc::StatusCode::NOT_FOUND, "CONNECTION_NOT_FOUND"));
}

TEST_F(JobServiceTest, EveryChangeOfAJobIsAnEvent) {
  AddShopWithHistory(1);
  EventReader reader = FromNow({v1::EVENT_TYPE_JOB_CHANGED});
  const std::int64_t job = Backfill()->job().id();
  for (const v1::JobState state :
       {v1::JOB_STATE_QUEUED, v1::JOB_STATE_RUNNING, v1::JOB_STATE_SUCCEEDED}) {
    const auto event = reader.NextEvent();
    ASSERT_TRUE(event.has_value());
    EXPECT_EQ(event->job_change().job_id(), job);
    EXPECT_EQ(event->job_change().kind(), v1::JOB_KIND_BACKFILL);
    EXPECT_EQ(event->job_change().state(), state);
  }
}

TEST_F(JobServiceTest, AStoppedServerEndsTheWatchAndGoesOnAfterwards) {
  AddShopWithHistory(2);
  Pause(shop_, v1::PAUSE_SCOPE_POLLING);
  const std::int64_t job = Backfill()->job().id();
  EXPECT_TRUE(Stop());
  Start();
  v1::ResumeConnectionRequest resume;
  *resume.mutable_connection() = Ref(shop_);
  ASSERT_TRUE(Call(connections_, &v1::ConnectionService::Stub::ResumeConnection, resume).ok());
  const std::vector<v1::Job> seen = Watch(job);
  ASSERT_FALSE(seen.empty());
  EXPECT_EQ(seen.back().state(), v1::JOB_STATE_SUCCEEDED) << seen.back().error();
  EXPECT_TRUE(Accepted(2));
}

TEST_F(JobServiceTest, TheWholeQueueIsTriedAgainInSteps) {
  AddShopWithHistory(0);
  EventReader reader = FromNow({v1::EVENT_TYPE_DELIVERY_FAILED});
  receiver_.SetBehaviour({.status = 500});
  for (int i = 0; i < 3; ++i) ConfirmOrder();
  Poll(shop_);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(reader.NextEvent().has_value());
  v1::RetryDeliveriesRequest request;
  *request.mutable_connection() = Ref(shop_);
  request.set_validate_only(true);
  EXPECT_EQ(Call(retries_, &Retries::RetryDeliveries, request)->matching_count(), 3);

  receiver_.ClearBehaviour();
  request.set_validate_only(false);
  request.set_page_size(2);
  const auto first = Call(retries_, &Retries::RetryDeliveries, request);
  ASSERT_TRUE(first.ok()) << first.status.error_message();
  EXPECT_EQ(first->retried_count(), 2);
  request.set_page_token(first->next_page_token());
  ASSERT_NE(request.page_token(), "");
  const auto second = Call(retries_, &Retries::RetryDeliveries, request);
  EXPECT_EQ(second->retried_count(), 1);
  EXPECT_EQ(second->next_page_token(), "");
  EXPECT_TRUE(Accepted(3));
}

class BackupTest : public JobServiceTest {
 protected:
  Answer<v1::BackupDatabaseResponse> Backup(const std::string& name) {
    v1::BackupDatabaseRequest request;
    request.set_name(name);
    return Call(status_, &v1::AdminService::Stub::BackupDatabase, request);
  }
};

TEST_F(BackupTest, LandsInTheFolderOfBackups) {
  AddShopWithHistory(1);
  const auto made = Backup("first.db");
  ASSERT_TRUE(made.ok()) << made.status.error_message();
  EXPECT_EQ(made->path(), (options_.data_dir / "backups" / "first.db").string());
  EXPECT_EQ(static_cast<std::uintmax_t>(made->size_bytes()),
            std::filesystem::file_size(made->path()));
  EXPECT_THAT(Backup("first.db"), FailsWith(grpc::StatusCode::ALREADY_EXISTS, "FILE_EXISTS"));
}

TEST_F(BackupTest, ANameThatIsAPathIsRefused) {
  for (const std::string& name : std::vector<std::string>{
           "", "../poller.db", "/tmp/x", "a/b", ".hidden", "sp ace", std::string("nul\0byte", 8)}) {
    EXPECT_THAT(WrongFields(Backup(name).status), ElementsAre("name")) << name;
  }
  EXPECT_THAT(WrongFields(Backup(std::string(101, 'a')).status), ElementsAre("name"));
}

TEST_F(BackupTest, ADiskWithoutRoomForItIsSaid) {
  ASSERT_TRUE(Stop());
  options_.min_free_disk = std::int64_t{1} << 60;
  Start();
  EXPECT_THAT(Backup("a.db"), FailsWith(grpc::StatusCode::FAILED_PRECONDITION, "NO_DISK_SPACE"));
  EXPECT_TRUE(std::filesystem::is_empty(options_.data_dir / "backups"));
}

TEST_F(BackupTest, IsAnEventThatNamesWhoAsked) {
  EventReader reader = FromNow();
  ASSERT_TRUE(Backup("a.db").ok());
  const auto event = reader.Until(v1::EVENT_TYPE_BACKUP_MADE);
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->server_act().what(), "a.db");
  EXPECT_EQ(event->server_act().actor(), "admin");
}

}  // namespace
}  // namespace poller

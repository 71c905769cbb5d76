#include "server/rpc/convert_job.h"

#include <gmock/gmock.h>

#include "core/base/status.h"
#include "core/base/text.h"
#include "tests/support/status_matchers.h"

namespace poller::rpc {
namespace {

namespace v1 = odoopoller::v1;
using testing::ElementsAre;
using testing::Field;

auto ViolationOf(const char* field) { return ElementsAre(Field(&FieldViolation::field, field)); }

TEST(SpecOfTest, NoTimesMeanAllOrders) {
  const auto spec = SpecOf(v1::StartBackfillRequest());
  ASSERT_THAT(spec, IsOk());
  EXPECT_EQ(spec->kind, JobKind::kBackfill);
  EXPECT_EQ(spec->since, absl::InfinitePast());
  EXPECT_EQ(spec->until, absl::InfiniteFuture());
}

TEST(SpecOfTest, PartsOfASecondAreCutOff) {
  v1::StartReconcileRequest request;
  request.mutable_since_time()->set_seconds(1'000);
  request.mutable_since_time()->set_nanos(999'999'999);
  request.set_repair(true);
  const auto spec = SpecOf(request);
  ASSERT_THAT(spec, IsOk());
  EXPECT_EQ(spec->since, absl::FromUnixSeconds(1'000));
  EXPECT_TRUE(spec->repair);
  EXPECT_EQ(spec->kind, JobKind::kReconcile);
}

TEST(SpecOfTest, AnEmptyRangeNamesItsEnd) {
  v1::StartBackfillRequest request;
  request.mutable_since_time()->set_seconds(2'000);
  request.mutable_until_time()->set_seconds(2'000);
  EXPECT_THAT(FieldViolations(SpecOf(request).status()), ViolationOf("until_time"));
}

TEST(SpecOfTest, ATimeThatOdooCannotWriteIsRefused) {
  v1::StartBackfillRequest request;
  request.mutable_since_time()->set_seconds(-62'135'596'800);  // the year 1
  EXPECT_THAT(FieldViolations(SpecOf(request).status()), ViolationOf("since_time"));
  request.mutable_since_time()->set_seconds(0);
  request.mutable_since_time()->set_nanos(-1);
  EXPECT_THAT(FieldViolations(SpecOf(request).status()), ViolationOf("since_time"));
}

TEST(KindOfTest, UnsetIsNoFilterAndAnUnknownNumberAnError) {
  EXPECT_EQ(*KindOf(v1::JOB_KIND_UNSPECIFIED), std::nullopt);
  EXPECT_EQ(*KindOf(v1::JOB_KIND_RECONCILE), JobKind::kReconcile);
  EXPECT_THAT(FieldViolations(KindOf(static_cast<v1::JobKind>(99)).status()), ViolationOf("kind"));
}

TEST(JobToProtoTest, WhatIsNotKnownStaysUnset) {
  Job job;
  job.id = JobId(7);
  job.created_at = absl::FromUnixSeconds(1'000);
  job.updated_at = absl::FromUnixSeconds(2'000);
  const v1::Job proto = ToProto(job);
  EXPECT_FALSE(proto.progress().has_total_count());
  EXPECT_FALSE(proto.has_since_time());
  EXPECT_FALSE(proto.has_until_time());
  EXPECT_FALSE(proto.has_finish_time());
  EXPECT_EQ(proto.create_time().seconds(), 1'000);
}

TEST(JobToProtoTest, ProgressAndDifferencesGoAlong) {
  Job job;
  job.spec.kind = JobKind::kReconcile;
  job.state = JobState::kRunning;
  job.progress.total = 0;
  job.progress.listed = 5;
  job.progress.enqueued = 2;
  job.progress.waits_for = "backlog";
  job.progress.first_differences.push_back({OrderId(42), "S00042", "missing"});
  const v1::Job proto = ToProto(job);
  EXPECT_EQ(proto.kind(), v1::JOB_KIND_RECONCILE);
  EXPECT_EQ(proto.state(), v1::JOB_STATE_RUNNING);
  EXPECT_TRUE(proto.progress().has_total_count());
  EXPECT_EQ(proto.progress().done_count(), 5);
  EXPECT_EQ(proto.progress().enqueued_count(), 2);
  EXPECT_EQ(proto.progress().waits_for(), "backlog");
  EXPECT_EQ(proto.progress().differences(0).order_name(), "S00042");
}

}  // namespace
}  // namespace poller::rpc

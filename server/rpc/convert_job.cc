#include "server/rpc/convert_job.h"

#include <string>
#include <utility>
#include <vector>

#include "core/base/status.h"
#include "server/rpc/convert_common.h"

namespace poller::rpc {
namespace {

namespace v1 = odoopoller::v1;

// Odoo keeps dates as text with a year of four digits.
const absl::Time kEarliest = absl::FromCivil(absl::CivilSecond(1000, 1, 1), absl::UTCTimeZone());
const absl::Time kLatest =
    absl::FromCivil(absl::CivilSecond(9999, 12, 31, 23, 59, 59), absl::UTCTimeZone());
constexpr int kNanosPerSecond = 1'000'000'000;

absl::Time ReadTime(const google::protobuf::Timestamp& proto, const char* field,
                    std::vector<FieldViolation>& violations) {
  const absl::Time time = absl::FromUnixSeconds(proto.seconds());
  if (proto.nanos() < 0 || proto.nanos() >= kNanosPerSecond || time < kEarliest || time > kLatest)
    violations.push_back({field, "must be a time between the years 1000 and 9999"});
  return time;
}

template <class Request>
absl::StatusOr<JobSpec> Range(const Request& request, JobKind kind) {
  JobSpec spec;
  spec.kind = kind;
  std::vector<FieldViolation> violations;
  if (request.has_since_time())
    spec.since = ReadTime(request.since_time(), "since_time", violations);
  if (request.has_until_time())
    spec.until = ReadTime(request.until_time(), "until_time", violations);
  if (violations.empty() && spec.until <= spec.since)
    violations.push_back({"until_time", "must be later than the beginning of the range"});
  if (!violations.empty()) return InvalidFields(violations);
  return spec;
}

v1::JobProgress ToProto(const JobProgress& progress) {
  v1::JobProgress proto;
  if (progress.total >= 0) proto.set_total_count(progress.total);
  proto.set_done_count(progress.listed);
  proto.set_enqueued_count(progress.enqueued);
  proto.set_unchanged_count(progress.unchanged);
  proto.set_dead_count(progress.dead);
  proto.set_difference_count(progress.differences);
  proto.set_baseline_count(progress.baseline);
  for (const JobDifference& difference : progress.first_differences) {
    v1::JobDifference& out = *proto.add_differences();
    out.set_order_id(difference.order.value());
    out.set_order_name(difference.name);
    out.set_what(difference.what);
  }
  proto.set_waits_for(progress.waits_for);
  return proto;
}

}  // namespace

v1::JobKind ToProto(JobKind kind) { return static_cast<v1::JobKind>(static_cast<int>(kind)); }
v1::JobState ToProto(JobState state) { return static_cast<v1::JobState>(static_cast<int>(state)); }

// Both sides count alike: what is stored is what the API says.
static_assert(static_cast<int>(JobKind::kBackfill) == v1::JOB_KIND_BACKFILL);
static_assert(static_cast<int>(JobKind::kReconcile) == v1::JOB_KIND_RECONCILE);
static_assert(static_cast<int>(JobState::kQueued) == v1::JOB_STATE_QUEUED);
static_assert(static_cast<int>(JobState::kRunning) == v1::JOB_STATE_RUNNING);
static_assert(static_cast<int>(JobState::kSucceeded) == v1::JOB_STATE_SUCCEEDED);
static_assert(static_cast<int>(JobState::kFailed) == v1::JOB_STATE_FAILED);
static_assert(static_cast<int>(JobState::kCancelled) == v1::JOB_STATE_CANCELLED);

v1::Job ToProto(const Job& job) {
  v1::Job proto;
  proto.set_id(job.id.value());
  proto.set_kind(ToProto(job.spec.kind));
  proto.set_connection_id(job.spec.connection.value());
  proto.set_connection_name(job.connection_name);
  proto.set_state(ToProto(job.state));
  SetTime(proto, &v1::Job::mutable_since_time, job.spec.since);
  SetTime(proto, &v1::Job::mutable_until_time, job.spec.until);
  proto.set_last_n(job.spec.last);
  proto.set_repair(job.spec.repair);
  *proto.mutable_progress() = ToProto(job.progress);
  proto.set_error(job.error);
  proto.set_actor(job.requested);
  SetTime(proto, &v1::Job::mutable_create_time, job.created_at);
  SetTime(proto, &v1::Job::mutable_update_time, job.updated_at);
  SetTime(proto, &v1::Job::mutable_finish_time, job.finished_at);
  return proto;
}

absl::StatusOr<std::optional<JobKind>> KindOf(v1::JobKind kind) {
  if (kind == v1::JOB_KIND_UNSPECIFIED) return std::optional<JobKind>();
  if (!v1::JobKind_IsValid(kind)) {
    return InvalidFields(
        {{"kind", "is a number that this version does not know: " + std::to_string(kind)}});
  }
  return std::optional(static_cast<JobKind>(kind));
}

absl::StatusOr<JobSpec> SpecOf(const v1::StartBackfillRequest& request) {
  return Range(request, JobKind::kBackfill);
}

absl::StatusOr<JobSpec> SpecOf(const v1::StartReconcileRequest& request) {
  ASSIGN_OR_RETURN(JobSpec spec, Range(request, JobKind::kReconcile));
  spec.repair = request.repair();
  return spec;
}

}  // namespace poller::rpc

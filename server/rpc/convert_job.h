// Jobs, to and from the API.
#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "core/model/job.h"
#include "odoopoller/v1/job.pb.h"
#include "odoopoller/v1/job_service.pb.h"

namespace poller::rpc {

odoopoller::v1::Job ToProto(const Job& job);
odoopoller::v1::JobKind ToProto(JobKind kind);
odoopoller::v1::JobState ToProto(JobState state);
// Nothing for UNSPECIFIED. kInvalidArgument (field "kind"): this version does not know the number.
absl::StatusOr<std::optional<JobKind>> KindOf(odoopoller::v1::JobKind kind);

// The range that a request asks for, in whole seconds as Odoo compares: a part of a second is cut
// off. kInvalidArgument names every field that is wrong. The connection is left to the caller.
absl::StatusOr<JobSpec> SpecOf(const odoopoller::v1::StartBackfillRequest& request);
absl::StatusOr<JobSpec> SpecOf(const odoopoller::v1::StartReconcileRequest& request);

}  // namespace poller::rpc

// Jobs: kept until they are done, and for a while afterwards.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/model/event.h"
#include "core/model/job.h"

namespace poller {

struct JobFilter {
  std::optional<ConnectionId> connection = std::nullopt;
  std::optional<JobKind> kind = std::nullopt;
  bool unfinished = false;  // only those that are not over
};

// Thread-safe. Blocking: call through Offload. Every change of a job's state writes kJobChanged in
// the same transaction. kUnavailable everywhere: busy or disk full, safe to repeat.
class JobStore {
 public:
  virtual ~JobStore() = default;

  // A new job, queued. A repeat with the same non-empty actor.request_id within 24 h gives the job
  // that the first call made. kNotFound: no such connection. kFailedPrecondition (reason JOB_RUNS):
  // a job of that kind and connection is not over yet; the metadata names it ("job").
  virtual absl::StatusOr<Job> Create(const JobSpec& spec, const Actor& actor, absl::Time now) = 0;
  // kNotFound.
  virtual absl::StatusOr<Job> Get(JobId id) = 0;
  // Newest first, ids smaller than `before` (0: all).
  virtual absl::StatusOr<std::vector<Job>> List(const JobFilter& filter, JobId before,
                                                int limit) = 0;
  // Those that are not over, oldest first: what a start has to take up again.
  virtual absl::StatusOr<std::vector<Job>> Unfinished() = 0;

  // Queued becomes running; running stays so. kFailedPrecondition: it is over (cancelled).
  virtual absl::StatusOr<Job> Begin(JobId id, absl::Time now) = 0;
  // Moves the place. kFailedPrecondition: it is over (cancelled), stop. kNotFound: it is gone with
  // its connection.
  virtual absl::Status Advance(JobId id, const JobProgress& progress, absl::Time now) = 0;
  // Ends a job as kSucceeded (`error` empty) or kFailed. kFailedPrecondition: it is over.
  virtual absl::Status Finish(JobId id, const JobProgress& progress, const std::string& error,
                              absl::Time now) = 0;
  // kNotFound; kFailedPrecondition (reason JOB_OVER).
  virtual absl::StatusOr<Job> Cancel(JobId id, const Actor& actor, absl::Time now) = 0;

  // Deletes jobs that were over before `before`, at most `limit`; returns how many.
  virtual absl::StatusOr<int> Prune(absl::Time before, int limit) = 0;
};

}  // namespace poller

// Jobs as rows.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/storage/job_store.h"
#include "core/storage/sqlite/writer.h"

namespace poller {

// Orders that differ which are kept with their job.
inline constexpr std::size_t kDifferencesKept = 100;

// kNotFound (reason JOB_NOT_FOUND); so are the jobs of a connection that is being deleted.
absl::StatusOr<Job> ReadJob(Database& db, JobId id);
// Newest first, ids smaller than `below`.
absl::StatusOr<std::vector<Job>> ReadJobs(Database& db, const JobFilter& filter, JobId below,
                                          int limit);
absl::StatusOr<std::vector<Job>> ReadUnfinishedJobs(Database& db);

// Queued. The caller has seen to it that there is no other one.
absl::StatusOr<JobId> InsertJob(Database& db, const JobSpec& spec, const std::string& requested,
                                absl::Time now);
absl::Status WriteProgress(Database& db, JobId id, const JobProgress& progress, absl::Time now);
// Stores the state, and kJobChanged. `job` is as it was before.
absl::Status ChangeJobState(Transaction& transaction, const Job& job, JobState state,
                            const std::string& error, const Actor& actor, absl::Time now);

// JSON; the first kDifferencesKept.
std::string EncodeDifferences(const std::vector<JobDifference>& differences);
absl::StatusOr<std::vector<JobDifference>> DecodeDifferences(const std::string& text);

}  // namespace poller

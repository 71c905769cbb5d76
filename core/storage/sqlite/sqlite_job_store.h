// JobStore on SQLite.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/storage/job_store.h"
#include "core/storage/sqlite/context.h"

namespace poller {

class SqliteJobStore final : public JobStore {
 public:
  explicit SqliteJobStore(const StoreContext& context) : context_(context) {}
  absl::StatusOr<Job> Create(const JobSpec& spec, const Actor& actor, absl::Time now) override;
  absl::StatusOr<Job> Get(JobId id) override;
  absl::StatusOr<std::vector<Job>> List(const JobFilter& filter, JobId before, int limit) override;
  absl::StatusOr<std::vector<Job>> Unfinished() override;
  absl::StatusOr<Job> Begin(JobId id, absl::Time now) override;
  absl::Status Advance(JobId id, const JobProgress& progress, absl::Time now) override;
  absl::Status Finish(JobId id, const JobProgress& progress, const std::string& error,
                      absl::Time now) override;
  absl::StatusOr<Job> Cancel(JobId id, const Actor& actor, absl::Time now) override;
  absl::StatusOr<int> Prune(absl::Time before, int limit) override;

 private:
  // Calls `change` with the job, which is not over, in a transaction; then reads it again.
  absl::StatusOr<Job> Change(JobId id,
                             const std::function<absl::Status(Transaction&, Job&)>& change);
  const StoreContext& context_;
};

}  // namespace poller

#include "core/storage/sqlite/sqlite_job_store.h"

#include <cstdint>
#include <limits>
#include <utility>

#include "core/base/status.h"
#include "core/base/status_metadata.h"
#include "core/base/text.h"
#include "core/storage/sqlite/codes.h"
#include "core/storage/sqlite/connection_rows.h"
#include "core/storage/sqlite/job_rows.h"
#include "core/storage/sqlite/request_rows.h"

namespace poller {
namespace {

absl::Status Over(const Job& job) {
  return WithReason(MakeStatus(absl::StatusCode::kFailedPrecondition,
                               "job " + std::to_string(job.id.value()) + " is over: it " +
                                   (job.state == JobState::kCancelled ? "was " : "has ") +
                                   std::string(JobStateName(job.state))),
                    "JOB_OVER");
}

// kFailedPrecondition: one of that kind is not over yet.
absl::Status CheckNoneRuns(Database& db, const JobSpec& spec, const ConnectionRef& connection) {
  Query query =
      db.Run("SELECT id FROM job WHERE connection_id = ?1 AND kind = ?2 AND state IN (1, 2)",
             spec.connection, Code(spec.kind));
  if (!query.Next()) return query.status();
  const std::string id = std::to_string(query.Int(0));
  const absl::Status runs =
      MakeStatus(absl::StatusCode::kFailedPrecondition,
                 "job " + id + ", a " + std::string(JobKindName(spec.kind)) + " of connection \"" +
                     connection.name + "\", is not over yet: wait for it, or cancel it");
  return WithMetadata(WithReason(runs, "JOB_RUNS"), "job", id);
}

}  // namespace

absl::StatusOr<Job> SqliteJobStore::Create(const JobSpec& spec, const Actor& actor,
                                           absl::Time now) {
  Job job;
  const std::string kind = "start_" + std::string(JobKindName(spec.kind));
  const absl::Status stored = context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    Database& db = transaction.db;
    ASSIGN_OR_RETURN(const auto done, FindRequest(db, context_.vault, kind, actor, now));
    if (done) {
      ASSIGN_OR_RETURN(job, ReadJob(db, JobId(*done)));
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(const ConnectionRef connection, FindConnection(db, spec.connection));
    RETURN_IF_ERROR(CheckNoneRuns(db, spec, connection));
    ASSIGN_OR_RETURN(const JobId id, InsertJob(db, spec, actor.token_name, now));
    RETURN_IF_ERROR(KeepRequest(db, context_.vault, kind, actor, id.value(), now));
    ASSIGN_OR_RETURN(job, ReadJob(db, id));
    return ChangeJobState(transaction, job, JobState::kQueued, std::string(), actor, now);
  });
  RETURN_IF_ERROR(stored);
  return job;
}

absl::StatusOr<Job> SqliteJobStore::Get(JobId id) {
  return context_.readers.Read([&](Database& db) { return ReadJob(db, id); });
}

absl::StatusOr<std::vector<Job>> SqliteJobStore::List(const JobFilter& filter, JobId before,
                                                      int limit) {
  const JobId below = before ? before : JobId(std::numeric_limits<std::int64_t>::max());
  return context_.readers.Read([&](Database& db) { return ReadJobs(db, filter, below, limit); });
}

absl::StatusOr<std::vector<Job>> SqliteJobStore::Unfinished() {
  return context_.readers.Read([](Database& db) { return ReadUnfinishedJobs(db); });
}

absl::StatusOr<Job> SqliteJobStore::Change(
    JobId id, const std::function<absl::Status(Transaction&, Job&)>& change) {
  Job job;
  const absl::Status stored = context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(job, ReadJob(transaction.db, id));
    if (IsOver(job.state)) return Over(job);
    RETURN_IF_ERROR(change(transaction, job));
    ASSIGN_OR_RETURN(job, ReadJob(transaction.db, id));
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(stored);
  return job;
}

absl::StatusOr<Job> SqliteJobStore::Begin(JobId id, absl::Time now) {
  return Change(id, [&](Transaction& transaction, Job& job) -> absl::Status {
    if (job.state == JobState::kRunning) return absl::OkStatus();
    return ChangeJobState(transaction, job, JobState::kRunning, std::string(), Actor(), now);
  });
}

absl::Status SqliteJobStore::Advance(JobId id, const JobProgress& progress, absl::Time now) {
  return Change(id, [&](Transaction& transaction,
                        Job& job) { return WriteProgress(transaction.db, job.id, progress, now); })
      .status();
}

absl::Status SqliteJobStore::Finish(JobId id, const JobProgress& progress, const std::string& error,
                                    absl::Time now) {
  return Change(id,
                [&](Transaction& transaction, Job& job) -> absl::Status {
                  RETURN_IF_ERROR(WriteProgress(transaction.db, job.id, progress, now));
                  job.progress = progress;
                  const JobState state = error.empty() ? JobState::kSucceeded : JobState::kFailed;
                  return ChangeJobState(transaction, job, state, SafeText(error), Actor(), now);
                })
      .status();
}

absl::StatusOr<Job> SqliteJobStore::Cancel(JobId id, const Actor& actor, absl::Time now) {
  return Change(id, [&](Transaction& transaction, Job& job) {
    return ChangeJobState(transaction, job, JobState::kCancelled, std::string(), actor, now);
  });
}

absl::StatusOr<int> SqliteJobStore::Prune(absl::Time before, int limit) {
  int pruned = 0;
  const absl::Status stored = context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    RETURN_IF_ERROR(
        transaction.db.Exec("DELETE FROM job WHERE id IN (SELECT id FROM job WHERE finished_at < "
                            "?1 ORDER BY finished_at LIMIT ?2)",
                            before, limit));
    pruned = static_cast<int>(transaction.db.changes());
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(stored);
  return pruned;
}

}  // namespace poller

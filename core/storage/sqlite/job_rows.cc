#include "core/storage/sqlite/job_rows.h"

#include <boost/json.hpp>
#include <cstdint>
#include <utility>

#include "core/base/status.h"
#include "core/base/text.h"
#include "core/storage/sqlite/codes.h"
#include "core/storage/sqlite/event_rows.h"

namespace poller {
namespace {

namespace json = boost::json;

// One select list for every reader: the order is that of ReadRow.
#define POLLER_JOB_SELECT                                                                       \
  "SELECT j.id, j.connection_id, c.name, j.kind, j.since, j.until, j.last, j.repair, j.state, " \
  "j.after_order, j.total, j.listed, j.enqueued, j.unchanged, j.dead, j.differences, "          \
  "j.first_differences, j.waits_for, j.error, j.requested, j.created_at, j.updated_at, "        \
  "j.finished_at, j.oldest_date, j.oldest_order, j.baseline FROM job j JOIN connection c ON "   \
  "c.id = j.connection_id WHERE c.deleted = 0 "

absl::StatusOr<Job> ReadRow(const Query& query) {
  Job job;
  job.id = query.As<JobId>(0);
  job.spec.connection = query.As<ConnectionId>(1);
  job.connection_name = query.Text(2);
  job.spec.kind = FromCode<JobKind>(query.Int(3));
  job.spec.since = query.TimeOr(4, absl::InfinitePast());
  job.spec.until = query.TimeOr(5, absl::InfiniteFuture());
  job.spec.last = static_cast<int>(query.Int(6));
  job.spec.repair = query.Bool(7);
  job.state = FromCode<JobState>(query.Int(8));
  JobProgress& progress = job.progress;
  progress.after = query.As<OrderId>(9);
  progress.total = query.Int(10);
  progress.listed = query.Int(11);
  progress.enqueued = query.Int(12);
  progress.unchanged = query.Int(13);
  progress.dead = query.Int(14);
  progress.differences = query.Int(15);
  ASSIGN_OR_RETURN(progress.first_differences, DecodeDifferences(query.Text(16)));
  progress.waits_for = query.Text(17);
  job.error = query.Text(18);
  job.requested = query.Text(19);
  job.created_at = query.TimeOr(20, absl::InfinitePast());
  job.updated_at = query.TimeOr(21, absl::InfinitePast());
  job.finished_at = query.TimeOr(22, absl::InfinitePast());
  progress.oldest_date = query.TimeOr(23, absl::InfinitePast());
  progress.oldest_order = query.As<OrderId>(24);
  progress.baseline = query.Int(25);
  return job;
}

absl::StatusOr<std::vector<Job>> ReadAll(Query query) {
  std::vector<Job> jobs;
  while (query.Next()) {
    ASSIGN_OR_RETURN(Job job, ReadRow(query));
    jobs.push_back(std::move(job));
  }
  RETURN_IF_ERROR(query.status());
  return jobs;
}

std::optional<int> CodeOf(const std::optional<JobKind>& kind) {
  if (!kind) return std::nullopt;
  return Code(*kind);
}

}  // namespace

std::string EncodeDifferences(const std::vector<JobDifference>& differences) {
  json::array out;
  for (const JobDifference& difference : differences) {
    if (out.size() == kDifferencesKept) break;
    out.push_back(json::object{{"order", difference.order.value()},
                               {"name", ToValidUtf8(difference.name)},
                               {"what", difference.what}});
  }
  return json::serialize(out);
}

absl::StatusOr<std::vector<JobDifference>> DecodeDifferences(const std::string& text) {
  json::error_code error;
  const json::value value = json::parse(text, error);
  if (error || !value.is_array()) return absl::DataLossError("the progress of a job is damaged");
  std::vector<JobDifference> differences;
  for (const json::value& item : value.get_array()) {
    const json::object* const in = item.if_object();
    const json::value* const order = in == nullptr ? nullptr : in->if_contains("order");
    const json::value* const name = in == nullptr ? nullptr : in->if_contains("name");
    const json::value* const what = in == nullptr ? nullptr : in->if_contains("what");
    if (order == nullptr || !order->is_int64() || name == nullptr || !name->is_string() ||
        what == nullptr || !what->is_string()) {
      return absl::DataLossError("the progress of a job is damaged");
    }
    differences.push_back({.order = OrderId(order->get_int64()),
                           .name = std::string(name->get_string()),
                           .what = std::string(what->get_string())});
  }
  return differences;
}

absl::StatusOr<Job> ReadJob(Database& db, JobId id) {
  Query query = db.Run(POLLER_JOB_SELECT "AND j.id = ?1", id);
  if (query.Next()) return ReadRow(query);
  RETURN_IF_ERROR(query.status());
  return WithReason(
      MakeStatus(absl::StatusCode::kNotFound, "there is no job " + std::to_string(id.value())),
      "JOB_NOT_FOUND");
}

absl::StatusOr<std::vector<Job>> ReadJobs(Database& db, const JobFilter& filter, JobId below,
                                          int limit) {
  if (filter.connection) {
    return ReadAll(db.Run(POLLER_JOB_SELECT
                          "AND j.connection_id = ?1 AND j.id < ?2 AND (?3 IS NULL OR j.kind = ?3) "
                          "AND (NOT ?4 OR j.state IN (1, 2)) ORDER BY j.id DESC LIMIT ?5",
                          *filter.connection, below, CodeOf(filter.kind), filter.unfinished,
                          limit));
  }
  return ReadAll(db.Run(POLLER_JOB_SELECT
                        "AND j.id < ?1 AND (?2 IS NULL OR j.kind = ?2) "
                        "AND (NOT ?3 OR j.state IN (1, 2)) ORDER BY j.id DESC LIMIT ?4",
                        below, CodeOf(filter.kind), filter.unfinished, limit));
}

absl::StatusOr<std::vector<Job>> ReadUnfinishedJobs(Database& db) {
  return ReadAll(db.Run(POLLER_JOB_SELECT "AND j.state IN (1, 2) ORDER BY j.id"));
}

absl::StatusOr<JobId> InsertJob(Database& db, const JobSpec& spec, const std::string& requested,
                                absl::Time now) {
  RETURN_IF_ERROR(
      db.Exec("INSERT INTO job(connection_id, kind, since, until, last, repair, state, requested, "
              "created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)",
              spec.connection, Code(spec.kind), spec.since, spec.until, spec.last, spec.repair,
              Code(JobState::kQueued), requested, now));
  return JobId(db.last_insert_id());
}

absl::Status WriteProgress(Database& db, JobId id, const JobProgress& progress, absl::Time now) {
  return db.Exec(
      "UPDATE job SET after_order = ?2, total = ?3, listed = ?4, enqueued = ?5, unchanged = ?6, "
      "dead = ?7, differences = ?8, first_differences = ?9, waits_for = ?10, updated_at = ?11, "
      "oldest_date = ?12, oldest_order = ?13, baseline = ?14 WHERE id = ?1",
      id, progress.after, progress.total, progress.listed, progress.enqueued, progress.unchanged,
      progress.dead, progress.differences, EncodeDifferences(progress.first_differences),
      progress.waits_for, now, progress.oldest_date, progress.oldest_order, progress.baseline);
}

absl::Status ChangeJobState(Transaction& transaction, const Job& job, JobState state,
                            const std::string& error, const Actor& actor, absl::Time now) {
  const absl::Time finished = IsOver(state) ? now : absl::InfinitePast();
  RETURN_IF_ERROR(transaction.db.Exec(
      "UPDATE job SET state = ?2, error = ?3, updated_at = ?4, finished_at = ?5, "
      "waits_for = CASE WHEN ?5 IS NULL THEN waits_for ELSE '' END WHERE id = ?1",
      job.id, Code(state), error, now, finished));
  SyncEvent event;
  event.at = now;
  event.type = EventType::kJobChanged;
  event.connection = job.spec.connection;
  event.connection_name = job.connection_name;
  event.detail.job = job.id;
  event.detail.job_kind = std::string(JobKindName(job.spec.kind));
  event.detail.job_state = std::string(JobStateName(state));
  event.detail.count = job.progress.enqueued;
  event.detail.error = error;
  event.detail.actor = actor.token_name;
  event.detail.request_id = actor.request_id;
  return AppendEvent(transaction, event).status();
}

}  // namespace poller

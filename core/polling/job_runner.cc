#include "core/polling/job_runner.h"

#include <algorithm>
#include <utility>

#include "core/async/offload.h"
#include "core/base/status.h"
#include "core/base/text.h"
#include "core/polling/pass_verdict.h"

namespace poller {
namespace {

constexpr char kStartFrom[] = "start_from";
constexpr absl::Duration kStoreRetry = absl::Seconds(10);
constexpr absl::Duration kLookAgain = absl::Seconds(10);
constexpr absl::Duration kFirstRetry = absl::Seconds(30);
constexpr absl::Duration kLongestRetry = absl::Minutes(5);
// In a row, with a poll that succeeded since the first: then it is the job alone that fails.
constexpr int kMaxFailures = 10;
constexpr int kAllJobs = 100;  // of one connection that are not over: one a kind

bool Delivers(const JobSpec& spec) { return spec.kind == JobKind::kBackfill || spec.repair; }

JobSpec SpecOf(const Connection& connection) {
  const StartFrom& start = connection.settings.start_from;
  JobSpec spec;
  spec.kind = JobKind::kBackfill;
  spec.connection = connection.id;
  if (start.kind == StartFrom::Kind::kTime) spec.since = start.time;
  if (start.kind == StartFrom::Kind::kLast) spec.last = start.last;
  return spec;
}

}  // namespace

JobRunner::JobRunner(const PollerContext& context, ConnectionId connection)
    : context_(context), connection_(connection) {}

Task<absl::Duration> JobRunner::Step(Turn turn) {
  const absl::Status found = co_await FindJob();
  if (!found.ok()) co_return kStoreRetry;
  if (!job_.has_value()) co_return absl::InfiniteDuration();
  std::string why = WaitsFor(turn);
  if (!why.empty()) co_return co_await StandStill(std::move(why), kLookAgain);
  if (job_->state == JobState::kQueued) {
    // Not before: a job that runs belongs to an Odoo with which the connection has begun.
    const absl::Status begun = co_await Begin();
    if (!begun.ok()) co_return kStoreRetry;
  }
  OrderIngest::Manner manner = work_->Manner();
  manner.actor.token_name = job_->requested;
  IngestSubject subject = std::move(turn.subject);
  LastPoll polled = subject.connection.state.last_poll;
  OrderIngest ingest(context_.ingest, context_.options, std::move(subject), std::move(manner));
  JobProgress progress = job_->progress;
  progress.waits_for.clear();
  const auto done = co_await work_->Step(ingest, progress);
  turn.undecided(ingest.undecided());
  if (!done.ok())
    co_return co_await HandleFailure(done.status(), std::move(polled), std::move(turn));
  failures_ = 0;
  co_return co_await Store(std::move(progress), *done, std::string());
}

// The oldest that is not over becomes the one that runs.
Task<absl::Status> JobRunner::FindJob() {
  if (!changed_ && job_.has_value()) co_return absl::OkStatus();
  changed_ = false;
  auto work = [&jobs = context_.jobs, id = connection_]() -> absl::StatusOr<std::optional<Job>> {
    JobFilter filter;
    filter.connection = id;
    filter.unfinished = true;
    ASSIGN_OR_RETURN(const std::vector<Job> open, jobs.List(filter, JobId(), kAllJobs));
    if (open.empty()) return std::nullopt;
    return open.back();
  };
  auto found = co_await Offload(context_.ingest.storage_pool, std::move(work));
  if (!found.ok()) {
    changed_ = true;
    co_return found.status();
  }
  const bool same = job_.has_value() && found->has_value() && job_->id == (*found)->id;
  job_ = std::move(*found);
  working_ = job_.has_value();
  if (same || !job_.has_value()) co_return absl::OkStatus();
  failures_ = 0;
  work_ = job_->spec.kind == JobKind::kBackfill ? MakeBackfill(job_->spec, context_.options)
                                                : MakeReconcile(job_->spec, context_.options);
  co_return absl::OkStatus();
}

Task<absl::Status> JobRunner::Begin() {
  auto work = [&jobs = context_.jobs, id = job_->id, now = context_.ingest.clock.Now()] {
    return jobs.Begin(id, now).status();
  };
  const absl::Status begun = co_await Offload(context_.ingest.storage_pool, std::move(work));
  if (begun.ok()) {
    job_->state = JobState::kRunning;
  } else {
    changed_ = true;  // cancelled meanwhile, perhaps
  }
  co_return begun;
}

std::string JobRunner::WaitsFor(const Turn& turn) const {
  if (!turn.held_by.empty()) return turn.held_by;
  const ConnectionState& state = turn.subject.connection.state;
  if (!state.HasBegun()) return "start";
  const bool full = state.waiting > context_.options.backlog_limit;
  return full && Delivers(job_->spec) ? "backlog" : "";
}

Task<absl::Duration> JobRunner::StandStill(std::string why, absl::Duration wait) {
  if (job_->progress.waits_for == why) co_return wait;
  JobProgress progress = job_->progress;
  progress.waits_for = std::move(why);
  co_await Store(std::move(progress), /*done=*/false, std::string());
  co_return wait;
}

Task<absl::Duration> JobRunner::HandleFailure(absl::Status failure, LastPoll polled, Turn turn) {
  // The next step sees why.
  if (IsInterruption(failure)) co_return absl::ZeroDuration();
  const auto kind = odoo::ErrorKindOf(failure);
  if (!kind.has_value()) co_return kStoreRetry;
  const absl::Duration hold = JudgePass(failure, /*credentials_refused_before=*/false).hold;
  if (hold > absl::ZeroDuration()) {
    turn.hold(hold);
    co_return absl::ZeroDuration();
  }
  // Clocks jump: that it is another poll than before the first failure is all that `at` says.
  const bool alone = failures_ > 0 && polled.at != polled_.at && polled.error.empty();
  if (++failures_ == 1) polled_ = std::move(polled);
  context_.ingest.log.Write(failures_ == 1 ? LogLevel::kWarning : LogLevel::kDebug,
                            "a job's batch failed",
                            {{"connection", connection_}, {"job", job_->id}, {"error", failure}});
  if (failures_ >= kMaxFailures && alone) {
    co_return co_await Store(job_->progress, /*done=*/true, std::string(Message(failure)));
  }
  const absl::Duration wait =
      std::min(kFirstRetry * (1 << std::min(failures_ - 1, 10)), kLongestRetry);
  co_return co_await StandStill("odoo", wait);
}

Task<absl::Duration> JobRunner::Store(JobProgress progress, bool done, std::string error) {
  auto work = [&jobs = context_.jobs, id = job_->id, progress, done, error,
               now = context_.ingest.clock.Now()] {
    return done ? jobs.Finish(id, progress, error, now) : jobs.Advance(id, progress, now);
  };
  const absl::Status stored = co_await Offload(context_.ingest.storage_pool, std::move(work));
  if (absl::IsFailedPrecondition(stored) || absl::IsNotFound(stored)) {
    // Cancelled, or gone with its connection: perhaps another waits.
    job_.reset();
    work_.reset();
    working_ = false;
    changed_ = true;
    co_return absl::ZeroDuration();
  }
  if (!stored.ok()) {
    // The place stays where it was, and the batch comes again.
    work_.reset();
    job_.reset();
    changed_ = true;
    co_return kStoreRetry;
  }
  job_->progress = std::move(progress);
  if (!done) co_return absl::ZeroDuration();
  co_await Log(std::move(error));
  job_.reset();
  work_.reset();
  working_ = false;
  changed_ = true;
  co_return absl::ZeroDuration();
}

Task<void> JobRunner::Log(std::string error) {
  SyncLog log;
  log.connection = connection_;
  log.connection_name = job_->connection_name;
  log.kind = std::string(JobKindName(job_->spec.kind));
  log.started_at = job_->created_at;
  log.duration = context_.ingest.clock.Now() - job_->created_at;
  log.listed = job_->progress.listed;
  log.recorded = job_->progress.enqueued;
  log.unchanged = job_->progress.unchanged;
  log.dead = job_->progress.dead;
  log.error = std::move(error);
  context_.ingest.log.Info("a job is done", {{"connection", connection_},
                                             {"job", job_->id},
                                             {"kind", log.kind},
                                             {"enqueued", log.recorded},
                                             {"differences", job_->progress.differences}});
  auto append = [&logs = context_.sync_logs, log] { return logs.Append(log); };
  const absl::Status status = co_await Offload(context_.ingest.storage_pool, std::move(append));
  if (!status.ok()) {
    context_.ingest.log.Warning("cannot log a job",
                                {{"connection", connection_}, {"error", status}});
  }
}

absl::Status EnsureStartJob(JobStore& jobs, const Connection& connection, absl::Time started,
                            absl::Time now, Logger& log) {
  Actor actor;
  actor.token_name = kStartFrom;
  actor.request_id = std::string(kStartFrom) + " " + connection.uid + " " +
                     std::to_string(absl::ToUnixMicros(started));
  JobFilter filter;
  filter.connection = connection.id;
  filter.unfinished = true;
  ASSIGN_OR_RETURN(const std::vector<Job> open, jobs.List(filter, JobId(), kAllJobs));
  for (const Job& job : open) {
    // None can have run on an Odoo with which this connection has not begun.
    if (job.state == JobState::kRunning) RETURN_IF_ERROR(jobs.Cancel(job.id, actor, now).status());
  }
  if (connection.settings.start_from.kind == StartFrom::Kind::kNow) return absl::OkStatus();
  auto made = jobs.Create(SpecOf(connection), actor, now);
  if (made.ok() || !absl::IsFailedPrecondition(made.status())) return made.status();
  for (const Job& job : open) {
    // One of an earlier start, which was for another Odoo, or was so long ago that nobody remembers
    // the request.
    if (job.state != JobState::kQueued || job.requested != kStartFrom) continue;
    RETURN_IF_ERROR(jobs.Cancel(job.id, actor, now).status());
    return jobs.Create(SpecOf(connection), actor, now).status();
  }
  log.Warning("the history that start_from asks for is not fetched: another backfill waits",
              {{"connection", connection.id}, {"error", made.status()}});
  return absl::OkStatus();
}

}  // namespace poller

#include "core/storage/sqlite/writer.h"

#include <utility>

#include "core/base/status.h"

namespace poller {
namespace {

// Above about a hundred rows a transaction gains nothing more; and nobody waits longer than this
// for others.
constexpr std::size_t kMaxGroup = 100;
constexpr absl::Duration kMaxGroupTime = absl::Milliseconds(5);

}  // namespace

Writer::Writer(std::unique_ptr<Database> db, const Clock& clock, Metrics& metrics)
    : db_(std::move(db)),
      clock_(clock),
      commits_(metrics.GetCounter("poller_storage_commits_total", "Transactions committed.")),
      jobs_(metrics.GetCounter("poller_storage_writes_total",
                               "Pieces of work that asked for a commit; several share one.")),
      failures_(metrics.GetCounter("poller_storage_commit_failures_total",
                                   "Transactions that could not be committed.")),
      seconds_(metrics.GetHistogram("poller_storage_commit_seconds",
                                    "Time of a transaction, flush to the disk included.",
                                    {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5})),
      thread_([this] { Loop(); }) {}

Writer::~Writer() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  thread_.join();
}

absl::Status Writer::Run(Work work) {
  Job job{.work = std::move(work), .status = absl::OkStatus()};
  absl::MutexLock lock(&mu_);
  queue_.push_back(&job);
  mu_.Await(absl::Condition(&job.done));
  return job.status;
}

void Writer::Loop() {
  while (true) {
    {
      absl::MutexLock lock(&mu_);
      const auto ready = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
        return !queue_.empty() || stopping_;
      };
      mu_.Await(absl::Condition(&ready));
      if (queue_.empty()) return;
    }
    RunGroup();
  }
}

Writer::Job* Writer::Take() {
  absl::MutexLock lock(&mu_);
  if (queue_.empty()) return nullptr;
  Job* const job = queue_.front();
  queue_.pop_front();
  return job;
}

void Writer::RunGroup() {
  const absl::Duration start = clock_.Monotonic();
  std::vector<Job*> group;
  Transaction transaction(*db_);
  absl::Status outcome = db_->Exec("BEGIN IMMEDIATE");
  while (group.size() < kMaxGroup &&
         (group.empty() || clock_.Monotonic() - start < kMaxGroupTime)) {
    Job* const job = Take();
    if (job == nullptr) break;
    group.push_back(job);
    if (!outcome.ok()) break;
    job->status = RunJob(*job, transaction);
    if (!db_->in_transaction()) {
      // SQLite gave the whole transaction up (disk full, I/O error): what the others did is gone
      // too.
      outcome = job->status.ok() ? absl::UnavailableError("the transaction was rolled back")
                                 : job->status;
      break;
    }
  }
  if (outcome.ok()) outcome = db_->Exec("COMMIT");
  if (db_->in_transaction()) db_->Exec("ROLLBACK").IgnoreError();

  seconds_.Observe(absl::ToDoubleSeconds(clock_.Monotonic() - start));
  jobs_.Add(static_cast<double>(group.size()));
  (outcome.ok() ? commits_ : failures_).Add();
  {
    absl::MutexLock lock(&mu_);
    for (Job* const job : group) {
      if (job->status.ok()) job->status = outcome;
      job->done = true;  // `job` may be gone as soon as the lock is released
    }
  }
  if (outcome.ok() && transaction.wrote_events) CallListener();
}

absl::Status Writer::RunJob(Job& job, Transaction& transaction) {
  RETURN_IF_ERROR(db_->Exec("SAVEPOINT job"));
  const bool events_before = transaction.wrote_events;
  absl::Status status = job.work(transaction);
  if (!status.ok() && db_->in_transaction()) {
    transaction.wrote_events = events_before;
    const absl::Status undone = db_->Exec("ROLLBACK TO job");
    if (!undone.ok()) {
      db_->Exec("ROLLBACK").IgnoreError();  // half a piece of work must never be committed
      return undone;
    }
  }
  if (db_->in_transaction()) {
    const absl::Status released = db_->Exec("RELEASE job");
    if (!released.ok()) {
      db_->Exec("ROLLBACK").IgnoreError();
      return released;
    }
  }
  return status;
}

void Writer::SetEventListener(std::function<void()> listener) {
  absl::MutexLock lock(&listener_mu_);
  const auto idle = [this]()
                        ABSL_EXCLUSIVE_LOCKS_REQUIRED(listener_mu_) { return !listener_runs_; };
  listener_mu_.Await(absl::Condition(&idle));
  listener_ =
      listener ? std::make_shared<const std::function<void()>>(std::move(listener)) : nullptr;
}

void Writer::CallListener() {
  std::shared_ptr<const std::function<void()>> listener;
  {
    absl::MutexLock lock(&listener_mu_);
    listener = listener_;
    listener_runs_ = listener != nullptr;
  }
  if (listener == nullptr) return;
  (*listener)();
  absl::MutexLock lock(&listener_mu_);
  listener_runs_ = false;
}

}  // namespace poller

// Runs one connection's jobs.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/async/task.h"
#include "core/model/job.h"
#include "core/polling/job_work.h"
#include "core/polling/poller_context.h"

namespace poller {

// One job at a time, the oldest first, from its stored place on. Every batch is committed before the
// place moves, so that a crash repeats one batch at most. It stands still, and says why, while polls
// would not run and while too much of the connection waits. Used by one coroutine, save where it
// says otherwise.
class JobRunner {
 public:
  JobRunner(const PollerContext& context, ConnectionId connection);

  // Look at the stored jobs again. Thread-safe.
  void Changed() { changed_ = true; }
  // There is a job, or may be one. Thread-safe.
  bool HasWork() const { return changed_ || working_; }

  // A batch, if nothing speaks against it. Returns when to come again; InfiniteDuration: there is no
  // job. `held_by`: why polls would not run, empty: they would. `undecided`, `hold`: what the polls
  // have to know (background_work.h).
  struct Turn {
    IngestSubject subject;
    std::string held_by;
    std::function<void(const std::vector<OrderId>&)> undecided;
    std::function<void(absl::Duration)> hold;
  };
  Task<absl::Duration> Step(Turn turn);

 private:
  Task<absl::Status> FindJob();
  Task<absl::Status> Begin();
  std::string WaitsFor(const Turn& turn) const;
  Task<absl::Duration> StandStill(std::string why, absl::Duration wait);
  Task<absl::Duration> HandleFailure(absl::Status failure, LastPoll polled, Turn turn);
  // Stores the place or the end.
  Task<absl::Duration> Store(JobProgress progress, bool done, std::string error);
  Task<void> Log(std::string error);

  const PollerContext& context_;
  const ConnectionId connection_;
  std::atomic<bool> changed_ = true;
  std::atomic<bool> working_ = false;
  std::optional<Job> job_;
  std::unique_ptr<JobWork> work_;
  int failures_ = 0;  // of Odoo, in a row
  LastPoll polled_;   // before the first of them
};

// What `start_from` asks for beside polls, as a job that is made once however often the start is
// repeated: the caller is a connection that has fixed its moment `started` and has not begun. Ends
// jobs that ran on the Odoo that the connection had before. Blocking. Errors: those of the store.
absl::Status EnsureStartJob(JobStore& jobs, const Connection& connection, absl::Time started,
                            absl::Time now, Logger& log);

}  // namespace poller

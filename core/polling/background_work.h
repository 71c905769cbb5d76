// What a connection's polls leave behind: sweeps and jobs.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "core/async/sleeper.h"
#include "core/async/task.h"
#include "core/polling/job_runner.h"
#include "core/polling/order_ingest.h"
#include "core/polling/poller_context.h"
#include "core/polling/sweep_schedule.h"

namespace poller {

// One connection's work of low priority, one thing at a time, step by step behind its polls. Runs
// on a coroutine of its own, which exists only while there is something to do. Thread-safe.
class BackgroundWork {
 public:
  // The connection's poller.
  struct Host {
    std::function<Task<absl::StatusOr<ConnectionWithState>>()> load;
    // Its subject as of now, whose `go_on` ends the work when polls would not run.
    std::function<IngestSubject(ConnectionWithState)> subject;
    // Why polls would not run: "paused", "odoo"; empty: they would.
    std::function<std::string()> held_by;
    // Orders that the next poll is to look up; an Odoo that asks to be left alone for a while.
    std::function<void(const std::vector<OrderId>&)> undecided;
    std::function<void(absl::Duration)> hold;
  };
  BackgroundWork(const PollerContext& context, ConnectionId connection, Host host);

  // Every state that was read from the store.
  void Load(const ConnectionWithState& connection);
  // A poll was complete: sweeps may run from now on.
  void Polled();
  // A job was made or cancelled.
  void JobsChanged();
  // What held the work may have ended, or the server stops: look again.
  void Wake() { wakeup_.Notify(); }
  // How long until there is something to do; zero: call Run. InfiniteDuration while it runs.
  absl::Duration Wait() const;

  // Does what is due, until nothing is. The caller awaits it on a coroutine of its own. False if it
  // runs already.
  bool Begin();
  Task<void> Run();

 private:
  bool SweepIsDue() const;
  absl::Duration SweepWait() const;
  Task<absl::Duration> JobStep();
  void SweepEnded(bool complete, absl::Duration start);
  Task<absl::Duration> RunSweep();

  const PollerContext& context_;
  const Host host_;

  mutable absl::Mutex mu_;
  SweepSchedule sweeps_ ABSL_GUARDED_BY(mu_);
  bool running_ ABSL_GUARDED_BY(mu_) = false;
  bool polled_ ABSL_GUARDED_BY(mu_) = false;
  bool hurried_ ABSL_GUARDED_BY(mu_) = false;  // for a hold that has not ended

  JobRunner jobs_;
  Wakeup wakeup_;
  std::string last_failure_;  // class of the failure that the last sweep ended with; empty: none
};

}  // namespace poller

// Polls every connection on its own schedule.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/async/sleeper.h"
#include "core/async/task.h"
#include "core/async/task_group.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/base/random_source.h"
#include "core/http/http_client.h"
#include "core/model/connection.h"
#include "core/model/event.h"
#include "core/model/job.h"
#include "core/polling/polling_options.h"
#include "core/storage/connection_store.h"
#include "core/storage/ingest_store.h"
#include "core/storage/job_store.h"
#include "core/storage/sync_log_store.h"

namespace poller {

// One coroutine a connection on the task group. All that reads a connection's Odoo (poll, line
// query, resend, sweep, job) holds its ingest lane from read to commit. All collaborators outlive it.
// Thread-safe.
class Scheduler {
 public:
  struct Deps {
    ConnectionStore& connections;
    IngestStore& ingest;
    SyncLogStore& sync_logs;
    JobStore& jobs;
    HttpClient& http;
    const Clock& clock;
    Sleeper& sleeper;
    RandomSource& random;
    TaskGroup& tasks;
    Executor storage_pool;  // where blocking calls of the stores run
    Logger& log;
    Metrics& metrics;
    std::function<void(ConnectionId)>
        committed;  // hint: deliveries may be due; called on any thread
    // There is no room for new orders: no pass begins, save for what an operator resends. Asked on
    // any thread; may be empty.
    std::function<bool()> full = nullptr;
  };
  Scheduler(Deps deps, PollingOptions options);
  ~Scheduler();

  // Begins to poll a connection, at once, or spread over its interval (`spread`: many at a start).
  // Harmless if it is known. Ends by itself when the connection is deleted.
  void Add(ConnectionId id, bool spread);
  // Settings changed: look again now, and poll if it is neither paused nor held. Unknown ids are
  // ignored.
  void Refresh(ConnectionId id);
  // One pass now, with its line query, also when paused, suspended or held by the breaker; waits
  // for a pass that runs. kNotFound; else the error of the pass. `wanted` is asked before the pass
  // begins: one that has begun is the shop's, and is settled like any other.
  Task<absl::StatusOr<PassResult>> PollNow(ConnectionId id, StillWanted wanted = nullptr);
  // Reads the orders again and delivers them, equal ones under their ids. kNotFound: the
  // connection; else the error of Odoo or of the store. An order in flight is delivered again
  // afterwards if it changed. `wanted` is asked before each call of Odoo but those of one batch.
  Task<absl::StatusOr<ResendResult>> Resend(ConnectionId id, ResendRequest request, Actor actor,
                                            StillWanted wanted = nullptr);
  // A job of the connection was created or cancelled: look now. Unknown ids are ignored. (Jobs that
  // are not over are taken up by Add.)
  void JobsChanged(ConnectionId id);
  // How many orders a job of this spec would look at, as Odoo counts them now. kNotFound;
  // kUnavailable (reason DISK_LOW); else the error of Odoo.
  Task<absl::StatusOr<std::int64_t>> CountOrders(JobSpec spec, StillWanted wanted = nullptr);
  // Closes Odoo's breaker and ends a suspension, and stores that; the next pass runs at once.
  Task<absl::Status> ResetCircuit(ConnectionId id, Actor actor);
  // The Odoo side of a connection test, step by step; does not need a stored connection. Records
  // nothing. `wanted` is asked before each call: an error skips the rest.
  Task<std::vector<TestStep>> TestOdoo(Connection connection, StillWanted wanted = nullptr);
  // No new passes; those that run end at their next batch. The coroutines end then.
  void Stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with the coroutines, which may outlive the scheduler for
                                // as long as the task group runs
};

}  // namespace poller

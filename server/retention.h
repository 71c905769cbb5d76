// Removes what is older than it needs to be kept.
#pragma once

#include <atomic>
#include <functional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/async/sleeper.h"
#include "core/async/task.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/storage/connection_store.h"
#include "core/storage/event_log.h"
#include "core/storage/job_store.h"
#include "core/storage/ledger_store.h"
#include "core/storage/request_store.h"
#include "core/storage/sync_log_store.h"

namespace poller {

struct RetentionOptions {
  absl::Duration events = absl::Hours(24 * 7);
  absl::Duration logs = absl::Hours(24 * 30);
  int logs_per_connection = 1000;
  absl::Duration jobs = absl::Hours(24 * 30);    // after their end
  absl::Duration ledger = absl::Hours(24 * 90);  // revisions and attempts, after their end
  absl::Duration interval = absl::Minutes(10);   // between two rounds
  int step = 500;  // rows a transaction: others write between two steps
};

// One coroutine, started once. Collaborators outlive it.
class Retention {
 public:
  struct Stores {
    EventLog& events;
    SyncLogStore& logs;
    JobStore& jobs;
    LedgerStore& ledger;
    SecretRotations& rotations;
    RequestStore& requests;
  };
  Retention(Stores stores, Sleeper& sleeper, const Clock& clock, Executor storage_pool, Logger& log,
            RetentionOptions options);
  // Until Stop.
  Task<void> Run();
  // Any thread.
  void Stop();

 private:
  // Everything that is old now; how many rows. What fails is logged, and keeps nothing else.
  Task<int> Round();
  // Removes at most a step's rows and says how many.
  using Prune = std::function<absl::StatusOr<int>(int step)>;
  // Step after step, until one finds less than it may remove.
  Task<absl::StatusOr<int>> PruneAll(Prune prune);

  const Stores stores_;
  Sleeper& sleeper_;
  const Clock& clock_;
  const Executor storage_pool_;
  Logger& log_;
  const RetentionOptions options_;
  std::atomic<bool> stopped_ = false;
  Wakeup wakeup_;
};

}  // namespace poller

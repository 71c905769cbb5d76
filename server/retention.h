// Removes what is older than it needs to be kept.
#pragma once

#include <atomic>

#include "absl/time/time.h"
#include "core/async/sleeper.h"
#include "core/async/task.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/storage/event_log.h"
#include "core/storage/sync_log_store.h"

namespace poller {

struct RetentionOptions {
  absl::Duration events = absl::Hours(24 * 7);
  absl::Duration logs = absl::Hours(24 * 30);
  int logs_per_connection = 1000;
  absl::Duration interval = absl::Minutes(10);  // between two rounds
  int step = 500;  // rows a transaction: others write between two steps
};

// One coroutine, started once. Collaborators outlive it.
class Retention {
 public:
  Retention(EventLog& events, SyncLogStore& logs, Sleeper& sleeper, const Clock& clock,
            Executor storage_pool, Logger& log, RetentionOptions options);
  // Until Stop.
  Task<void> Run();
  // Any thread.
  void Stop();

 private:
  Task<absl::StatusOr<int>> Round();

  EventLog& events_;
  SyncLogStore& logs_;
  Sleeper& sleeper_;
  const Clock& clock_;
  const Executor storage_pool_;
  Logger& log_;
  const RetentionOptions options_;
  std::atomic<bool> stopped_ = false;
  Wakeup wakeup_;
};

}  // namespace poller

// Hands the durable event log to any number of live readers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/async/sleeper.h"
#include "core/async/task.h"
#include "core/async/task_group.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/model/event.h"
#include "core/storage/event_log.h"

namespace poller {

struct EventFilter {
  std::set<ConnectionId> connections;  // empty: all
  std::set<EventType> types;           // empty: all
  bool Matches(const SyncEvent& event) const;
};

// One reader's place in the log.
class EventSubscription {
 public:
  virtual ~EventSubscription() = default;
  struct Batch {
    std::vector<SyncEvent> events;  // that match, rising
    EventSequence scanned;          // everything up to here has been looked at
  };
  // The next events that match, at most `limit`; without any, waits for `patience` at most and then
  // gives an empty batch whose `scanned` has advanced. kOutOfRange (reason EVENTS_PRUNED): the
  // place was pruned meanwhile. kCancelled: `Cancel` or the broker's `Stop`. One call at a time, on
  // a strand.
  virtual Task<absl::StatusOr<Batch>> Next(int limit, absl::Duration patience) = 0;
  // Ends a waiting and every later `Next`. Any thread.
  virtual void Cancel() = 0;
};

// Reads the log once for all readers that are up to date; one that is behind reads the database at
// its own pace, so that it costs neither memory nor the others anything. All collaborators outlive
// it. Thread-safe.
class EventBroker {
 public:
  // `clock` measures patience; it is the sleeper's.
  EventBroker(EventLog& log, Sleeper& sleeper, TaskGroup& tasks, Executor storage_pool,
              Logger& logger, const Clock& clock = SystemClock());
  ~EventBroker();

  // Starts to follow the log (its listener is ours until Stop).
  absl::Status Start();
  // A reader behind `after`; without it, from now on. kOutOfRange (reason SEQUENCE_OUT_OF_RANGE or
  // LOG_CHANGED) names the present range: `after` is older than what is kept, beyond the end, or of
  // another log than `log_id` (when given). `after` 0: from the oldest kept.
  Task<absl::StatusOr<std::unique_ptr<EventSubscription>>> Subscribe(
      std::optional<std::string> log_id, std::optional<EventSequence> after, EventFilter filter);
  // Ends all subscriptions with kCancelled. Wait for the task group before the collaborators go.
  void Stop();

 private:
  struct Impl;
  TaskGroup& tasks_;
  std::shared_ptr<Impl> impl_;  // shared with the follower and the subscriptions
};

}  // namespace poller

#include "server/retention.h"

#include <utility>

#include "core/async/offload.h"
#include "core/base/status.h"

namespace poller {

Retention::Retention(EventLog& events, SyncLogStore& logs, Sleeper& sleeper, const Clock& clock,
                     Executor storage_pool, Logger& log, RetentionOptions options)
    : events_(events),
      logs_(logs),
      sleeper_(sleeper),
      clock_(clock),
      storage_pool_(std::move(storage_pool)),
      log_(log),
      options_(options) {}

Task<void> Retention::Run() {
  while (!stopped_) {
    const auto removed = co_await Round();
    if (!removed.ok())
      log_.Warning("could not remove old events and logs", {{"error", removed.status()}});
    if (removed.ok() && *removed > 0)
      log_.Debug("removed old events and logs", {{"rows", *removed}});
    if (!stopped_) co_await sleeper_.Sleep(options_.interval, &wakeup_);
  }
}

void Retention::Stop() {
  stopped_ = true;
  wakeup_.Notify();
}

Task<absl::StatusOr<int>> Retention::Round() {
  const absl::Time now = clock_.Now();
  int total = 0;
  for (int removed = options_.step; removed >= options_.step && !stopped_;) {
    auto prune = [this, now] { return events_.Prune(now - options_.events, options_.step); };
    CO_ASSIGN_OR_RETURN(removed, co_await Offload(storage_pool_, std::move(prune)));
    total += removed;
  }
  for (int removed = options_.step; removed >= options_.step && !stopped_;) {
    auto prune = [this, now] {
      return logs_.Prune(now - options_.logs, options_.logs_per_connection, options_.step);
    };
    CO_ASSIGN_OR_RETURN(removed, co_await Offload(storage_pool_, std::move(prune)));
    total += removed;
  }
  co_return total;
}

}  // namespace poller

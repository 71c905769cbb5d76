#include "server/retention.h"

#include <utility>

#include "core/async/offload.h"
#include "core/base/status.h"

namespace poller {

Retention::Retention(Stores stores, Sleeper& sleeper, const Clock& clock, Executor storage_pool,
                     Logger& log, RetentionOptions options)
    : stores_(stores),
      sleeper_(sleeper),
      clock_(clock),
      storage_pool_(std::move(storage_pool)),
      log_(log),
      options_(options) {}

Task<void> Retention::Run() {
  while (!stopped_) {
    const int removed = co_await Round();
    if (removed > 0) log_.Debug("removed what is old", {{"rows", removed}});
    if (!stopped_) co_await sleeper_.Sleep(options_.interval, &wakeup_);
  }
}

void Retention::Stop() {
  stopped_ = true;
  wakeup_.Notify();
}

Task<int> Retention::Round() {
  const absl::Time now = clock_.Now();
  const Prune prunes[] = {
      [this, now](int step) { return stores_.events.Prune(now - options_.events, step); },
      [this, now](int step) {
        return stores_.logs.Prune(now - options_.logs, options_.logs_per_connection, step);
      },
      [this, now](int step) { return stores_.jobs.Prune(now - options_.jobs, step); },
      [this, now](int step) { return stores_.ledger.Prune(now - options_.ledger, step); },
      [this, now](int step) { return stores_.rotations.EndRotations(now, step); },
      [this, now](int step) { return stores_.requests.Prune(now, step); },
  };
  int total = 0;
  for (const Prune& prune : prunes) {
    const auto removed = co_await PruneAll(prune);
    if (!removed.ok()) log_.Warning("could not remove what is old", {{"error", removed.status()}});
    total += removed.value_or(0);
  }
  co_return total;
}

Task<absl::StatusOr<int>> Retention::PruneAll(Prune prune) {
  int total = 0;
  for (int removed = options_.step; removed >= options_.step && !stopped_;) {
    auto step = [&prune, this] { return prune(options_.step); };
    CO_ASSIGN_OR_RETURN(removed, co_await Offload(storage_pool_, std::move(step)));
    total += removed;
  }
  co_return total;
}

}  // namespace poller

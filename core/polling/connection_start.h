// How a connection begins.
#pragma once

#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/async/task.h"
#include "core/polling/order_comparer.h"
#include "core/polling/order_ingest.h"

namespace poller {

// The pass that fixes the moment at which a connection begins, and records what was there before it
// as baseline. Repeated after a crash, it keeps the moment. Used by one coroutine. Errors: as those
// of PollCycle.
class ConnectionStart {
 public:
  // Called once the moment is fixed, and before anything else is stored; again when the start is
  // repeated. Its error ends the pass.
  using Fixed = std::function<Task<absl::Status>(absl::Time started)>;

  // Both outlive it.
  ConnectionStart(const PollingOptions& options, OrderIngest& ingest, Fixed fixed);

  Task<absl::Status> Run();

 private:
  using Rows = std::vector<odoo::ListedOrder>;
  using Wanted = std::vector<WantedOrder>;
  struct Baseline {
    absl::Time at;  // Odoo's clock
    Rows newest;
    bool seen =
        false;  // `newest` is from the answer that told the time: all of it was there when we began
    OrderId after;
    bool complete = false;
  };
  Task<absl::StatusOr<Baseline>> BeginBaseline();
  Task<absl::StatusOr<Wanted>> BaselinePage(Baseline& baseline);
  Task<absl::StatusOr<Wanted>> Unknown(const Baseline& baseline, Rows rows, bool seen);

  const int newest_;
  OrderIngest& ingest_;
  OrderComparer comparer_;
  const Fixed fixed_;
};

}  // namespace poller

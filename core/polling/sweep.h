// The long comparison behind the polls.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/async/task.h"
#include "core/polling/order_comparer.h"
#include "core/polling/order_ingest.h"
#include "core/polling/window_listing.h"

namespace poller {

// Lists what was written in a window much longer than the polls', drops what the heads have, and
// compares the rest; reads dead letters again that could not be mapped; looks up the orders that we
// hold for confirmed and that Odoo does not list; and does the same for lines. What the polls should
// have found is recorded as found late. Sets the sweep mark at the end.
//
// One pass, used by one coroutine, step by step behind the polls. Errors: as those of PollCycle.
class Sweep {
 public:
  // Both outlive it. `ingest` is its own. The connection has begun.
  Sweep(const PollingOptions& options, OrderIngest& ingest);

  Task<absl::Status> Run();

 private:
  Task<absl::StatusOr<std::vector<WantedOrder>>> Page(WindowListing& listing,
                                                      std::vector<OrderId>& listed);
  Task<absl::Status> CheckOpen(const WindowListing& listing, std::vector<OrderId> listed);
  Task<absl::StatusOr<std::vector<OrderHead>>> OpenOrders(absl::Time from);

  const PollingOptions& options_;
  OrderIngest& ingest_;
  OrderComparer comparer_;
  CompareRules rules_;
  OrderId checked_;  // open orders up to this id were checked
};

}  // namespace poller

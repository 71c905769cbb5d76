// One poll of one shop's window.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/async/task.h"
#include "core/polling/order_comparer.h"
#include "core/polling/order_ingest.h"
#include "core/polling/window_listing.h"

namespace poller {

// What a connection's polls remember of one another. Lost at a restart, which the sweep makes up
// for.
struct PassMemory {
  // The orders that the last complete poll listed, by rising id, with their write_date: one that is
  // not listed any more although its write_date lies in the window went back to draft or was
  // deleted.
  std::vector<std::pair<OrderId, std::string>> listed;
  // Orders that seem to be gone, or whose reading decided nothing: looked up by the next poll.
  std::vector<OrderId> suspects;
  // What was imported and waits to be read was looked up.
  bool read_imported = false;
};

// One pass, used by one coroutine. Errors: those of Odoo (with their ErrorKind), of the stores, and
// interruptions (pass_verdict.h). What was committed before an error stays; the mark does not move,
// so that the next pass lists it again and the heads drop it.
class PollCycle {
 public:
  // All outlive the cycle. `ingest` is this pass's own. The connection has begun.
  PollCycle(const PollingOptions& options, OrderIngest& ingest, PassMemory& memory);

  // Lists and compares the window since the mark, and moves the mark.
  Task<absl::Status> Poll();

 private:
  using Listed = std::vector<std::pair<OrderId, std::string>>;
  Task<absl::StatusOr<std::vector<WantedOrder>>> Page(WindowListing& listing, Listed& listed);
  Task<absl::Status> ReadImported();
  Task<absl::Status> Conclude(absl::Time from, Listed listed);

  const PollingOptions& options_;
  OrderIngest& ingest_;
  PassMemory& memory_;
  OrderComparer comparer_;
};

}  // namespace poller

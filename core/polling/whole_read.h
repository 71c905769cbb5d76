// Reads orders until they hold still: for readers that do not come again.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "core/async/task.h"
#include "core/polling/order_ingest.h"

namespace poller {

// These orders with what is known of them.
Task<absl::StatusOr<std::vector<WantedOrder>>> WithHeads(OrderIngest& ingest,
                                                         std::vector<OrderId> ids);

// As OrderIngest::ReadAndCommit, and reads what changed meanwhile again, up to three times in all.
// Returns what had changed at the last reading too: nothing was committed of it.
Task<absl::StatusOr<std::vector<OrderId>>> ReadWhole(OrderIngest& ingest,
                                                     std::vector<WantedOrder> wanted);

}  // namespace poller

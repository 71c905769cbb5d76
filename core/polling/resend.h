// Reads orders again because an operator wants them delivered again.
#pragma once

#include "absl/status/statusor.h"
#include "core/async/task.h"
#include "core/polling/order_ingest.h"
#include "core/polling/polling_options.h"

namespace poller {

// `ingest` outlives the call and is its own: its manner is kResend. Errors: those of Odoo and of
// the stores.
Task<absl::StatusOr<ResendResult>> ResendOrders(OrderIngest& ingest, ResendRequest request);

}  // namespace poller

// Retention of revisions that are over, and what their order's head remembers of them.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/model/delivery.h"
#include "core/storage/sqlite/connection_rows.h"

namespace poller {

// Revisions that ended before `before` and that retention has not dealt with; oldest first.
absl::StatusOr<std::vector<DeliveryId>> OverBefore(Database& db, absl::Time before, int limit);
// Of one of OverBefore, in its transaction: the whole revision goes, after its head has noted what
// is to be known of it; or its attempts alone, if the order needs it.
absl::Status PruneRevision(Database& db, DeliveryId id);
// The order gets a new revision: what the others were kept for may be gone.
absl::Status LookAgain(Database& db, ConnectionId connection, OrderId order);

// What the head remembers of revisions that are gone, all of its present generation.
struct ForgottenRevisions {
  int known = 0;           // the newest that the receiver may know; 0: none
  bool attempted = false;  // one was requested or accepted
  bool baseline = false;   // one was baseline
};
absl::StatusOr<ForgottenRevisions> ReadForgotten(Database& db, ConnectionId connection,
                                                 OrderId order, int generation);

// For the check that they read an index alone.
std::vector<std::string> LedgerStatements();

}  // namespace poller

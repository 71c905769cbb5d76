// Claims as rows: what is due, and how a claim ends.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/storage/outbox_store.h"
#include "core/storage/sqlite/delivery_rows.h"

// `now` is the store's time throughout (context.h).
namespace poller {

// A claim with its content still sealed: it is opened outside the transaction.
struct SealedClaim {
  ClaimedDelivery claim;
  std::string sealed;
};

// Claims for `run`. Deliveries whose wait is over join the due ones first, a few times `limit` at
// once.
absl::StatusOr<std::vector<SealedClaim>> ClaimDue(Database& db, const ConnectionRef& connection,
                                                  std::int64_t run, const Instant& now, int limit,
                                                  bool forced_only);
absl::StatusOr<absl::Duration> TimeUntilDue(Database& db, ConnectionId connection,
                                            const Instant& now);

// Ends the claim of `row` as `outcome` says. The caller calls changes.Finish().
absl::StatusOr<Resolution> EndClaim(Transaction& transaction, const DeliveryRow& row,
                                    const DeliveryOutcome& outcome, const Instant& now,
                                    DeliveryChanges& changes);

// At the start of a run: ends the claims of runs before, whose answers are lost for ever; and puts
// right the waits that a jump of the wall clock made wrong: each lasts at most an hour.
absl::Status FreeClaims(Transaction& transaction, const Instant& now);
absl::Status RestoreWaits(Database& db, const Instant& now);

// The statements of Claim and NextDue, and those of a start, for the test that looks at their
// plans.
std::vector<std::string> HotStatements();
std::vector<std::string> StartStatements();

}  // namespace poller

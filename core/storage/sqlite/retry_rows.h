// The retry queue as rows: pending with a failed attempt, plus dead.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "core/storage/outbox_store.h"
#include "core/storage/sqlite/database.h"

namespace poller {

// Up to `limit` ids smaller than `below`, newest first. Deleted connections have none.
absl::StatusOr<std::vector<DeliveryId>> RetriesBefore(Database& db, const DeliveryFilter& filter,
                                                      std::int64_t below, int limit);
// Up to `limit` ids greater than `after`, oldest first.
absl::StatusOr<std::vector<DeliveryId>> RetriesAfter(Database& db, const DeliveryFilter& filter,
                                                     DeliveryId after, int limit);
// Those that are not in flight.
absl::StatusOr<std::int64_t> CountRetries(Database& db, const DeliveryFilter& filter);

}  // namespace poller

// The smallest number that a new revision takes. A restored backup does not know which numbers were
// given out after it, so that a restore raises the floor above all of them.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/storage/sqlite/database.h"

namespace poller {

// 1 as long as nothing was restored.
absl::StatusOr<int> ReadRevisionFloor(Database& db);
absl::Status WriteRevisionFloor(Database& db, int floor);
// Seconds since 2020: no order changes as often as once a second for years, so that this is above
// every number that a database of any age gave out.
int RevisionFloorAt(absl::Time now);

}  // namespace poller

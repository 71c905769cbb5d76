// Totals over all connections.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace poller {

struct StorageTotals {
  std::int64_t connections = 0;
  std::int64_t paused = 0;  // polling, delivery or both
  std::int64_t suspended = 0;
  // A breaker is not closed, suspended, held, receiver gone, last poll failed, or dead letters.
  std::int64_t unhealthy = 0;
  // Those, and all whose polling is not paused: what is unhealthy while the server polls nothing.
  std::int64_t unhealthy_or_polled = 0;
  std::int64_t held = 0;           // after a restore, until a complete poll and a complete sweep
  std::int64_t keys_expiring = 0;  // readers were told that the user's API key ends
  std::int64_t waiting = 0;
  std::int64_t dead = 0;
  absl::Time oldest_waiting = absl::InfiniteFuture();
  std::int64_t database_bytes = 0;
};

// Thread-safe. Blocking.
class StatusStore {
 public:
  virtual ~StatusStore() = default;
  virtual absl::StatusOr<StorageTotals> Totals() = 0;
};

}  // namespace poller

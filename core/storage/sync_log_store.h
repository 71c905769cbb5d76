// The list of passes that operators read.
#pragma once

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/model/sync_log.h"

namespace poller {

// Thread-safe. Blocking: call through Offload.
class SyncLogStore {
 public:
  virtual ~SyncLogStore() = default;
  // A pass that failed, or ended without a batch. `log.id` is ignored.
  virtual absl::Status Append(const SyncLog& log) = 0;
  // Newest first, ids smaller than `before` (0: all).
  virtual absl::StatusOr<std::vector<SyncLog>> List(std::optional<ConnectionId> connection,
                                                    SyncLogId before, int limit) = 0;
  // Deletes those older than `before` and, of each connection, all but the newest `keep`; at most
  // `limit` rows; returns how many.
  virtual absl::StatusOr<int> Prune(absl::Time before, int keep, int limit) = 0;
};

}  // namespace poller

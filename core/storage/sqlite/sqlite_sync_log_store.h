// SyncLogStore on SQLite.
#pragma once

#include <optional>
#include <vector>

#include "core/storage/sqlite/context.h"
#include "core/storage/sync_log_store.h"

namespace poller {

class SqliteSyncLogStore final : public SyncLogStore {
 public:
  explicit SqliteSyncLogStore(const StoreContext& context) : context_(context) {}
  absl::Status Append(const SyncLog& log) override;
  absl::StatusOr<std::vector<SyncLog>> List(std::optional<ConnectionId> connection,
                                            SyncLogId before, int limit) override;
  absl::StatusOr<int> Prune(absl::Time before, int keep, int limit) override;

 private:
  const StoreContext& context_;
};

}  // namespace poller

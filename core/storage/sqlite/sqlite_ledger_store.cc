#include "core/storage/sqlite/sqlite_ledger_store.h"

#include <vector>

#include "core/base/status.h"
#include "core/storage/sqlite/ledger_rows.h"

namespace poller {

absl::StatusOr<int> SqliteLedgerStore::Prune(absl::Time before, int limit) {
  int pruned = 0;
  const absl::Status stored = context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    Database& db = transaction.db;
    ASSIGN_OR_RETURN(const std::vector<DeliveryId> ids, OverBefore(db, before, limit));
    for (const DeliveryId id : ids) RETURN_IF_ERROR(PruneRevision(db, id));
    pruned = static_cast<int>(ids.size());
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(stored);
  return pruned;
}

}  // namespace poller

// StatusStore on SQLite.
#pragma once

#include "core/storage/sqlite/context.h"
#include "core/storage/status_store.h"

namespace poller {

class SqliteStatusStore final : public StatusStore {
 public:
  explicit SqliteStatusStore(const StoreContext& context) : context_(context) {}
  absl::StatusOr<StorageTotals> Totals() override;

 private:
  const StoreContext& context_;
};

}  // namespace poller

// LedgerStore on SQLite.
#pragma once

#include "core/storage/ledger_store.h"
#include "core/storage/sqlite/context.h"

namespace poller {

class SqliteLedgerStore final : public LedgerStore {
 public:
  explicit SqliteLedgerStore(const StoreContext& context) : context_(context) {}
  absl::StatusOr<int> Prune(absl::Time before, int limit) override;

 private:
  const StoreContext& context_;
};

}  // namespace poller

// ImportStore on SQLite.
#pragma once

#include <vector>

#include "core/storage/import_store.h"
#include "core/storage/sqlite/context.h"

namespace poller {

class SqliteImportStore final : public ImportStore {
 public:
  explicit SqliteImportStore(const StoreContext& context) : context_(context) {}
  absl::StatusOr<ImportedCounts> Import(const std::vector<ImportedConnection>& connections,
                                        const Actor& actor, absl::Time now) override;

 private:
  const StoreContext& context_;
};

}  // namespace poller

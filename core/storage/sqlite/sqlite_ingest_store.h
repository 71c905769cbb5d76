// IngestStore on SQLite: the decisions of ingest_decision.h, applied in one transaction.
#pragma once

#include <vector>

#include "core/storage/ingest_store.h"
#include "core/storage/sqlite/context.h"

namespace poller {

class SqliteIngestStore final : public IngestStore {
 public:
  explicit SqliteIngestStore(const StoreContext& context) : context_(context) {}
  absl::StatusOr<std::vector<OrderHead>> Heads(ConnectionId connection,
                                               const std::vector<OrderId>& orders) override;
  absl::StatusOr<std::vector<OrderHead>> OpenOrders(ConnectionId connection,
                                                    const std::string& written_since, OrderId after,
                                                    int limit) override;
  absl::StatusOr<IngestResult> Commit(const IngestBatch& batch, absl::Time now) override;

 private:
  const StoreContext& context_;
};

}  // namespace poller

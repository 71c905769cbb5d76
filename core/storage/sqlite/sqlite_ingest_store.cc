#include "core/storage/sqlite/sqlite_ingest_store.h"

#include <optional>
#include <utility>

#include "core/base/status.h"
#include "core/storage/sqlite/ingest_transaction.h"

namespace poller {

absl::StatusOr<std::vector<OrderHead>> SqliteIngestStore::Heads(
    ConnectionId connection, const std::vector<OrderId>& orders) {
  return context_.readers.Read([&](Database& db) -> absl::StatusOr<std::vector<OrderHead>> {
    std::vector<OrderHead> heads;
    ASSIGN_OR_RETURN(const ConnectionRef ref, FindConnection(db, connection));
    for (const OrderId order : orders) {
      ASSIGN_OR_RETURN(std::optional<OrderHead> head, ReadHead(db, ref, order));
      if (head) heads.push_back(*std::move(head));
    }
    return heads;
  });
}

absl::StatusOr<std::vector<OrderHead>> SqliteIngestStore::OpenOrders(
    ConnectionId connection, const std::string& written_since, OrderId after, int limit) {
  return context_.readers.Read([&](Database& db) -> absl::StatusOr<std::vector<OrderHead>> {
    ASSIGN_OR_RETURN(const ConnectionRef ref, FindConnection(db, connection));
    return ReadOpenHeads(db, ref, written_since, after, limit);
  });
}

absl::StatusOr<IngestResult> SqliteIngestStore::Commit(const IngestBatch& batch, absl::Time now) {
  IngestResult result;
  const absl::Status stored = context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(const ConnectionRef connection,
                     FindConnection(transaction.db, batch.connection));
    if (batch.expected_version != 0 && batch.expected_version != connection.version) {
      return absl::FailedPreconditionError("the connection was edited");
    }
    IngestTransaction work(transaction, context_.vault, connection, batch, context_.revision_floor,
                           now);
    ASSIGN_OR_RETURN(result, work.Run());
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(stored);
  return result;
}

}  // namespace poller

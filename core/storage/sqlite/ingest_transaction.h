// One batch of observations inside one transaction.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/storage/ingest_decision.h"
#include "core/storage/ingest_store.h"
#include "core/storage/sqlite/delivery_rows.h"

namespace poller {

// The head of an order as it is seen: only if it belongs to the present Odoo of the connection.
absl::StatusOr<std::optional<OrderHead>> ReadHead(Database& db, const ConnectionRef& connection,
                                                  OrderId order);
// IngestStore::OpenOrders.
absl::StatusOr<std::vector<OrderHead>> ReadOpenHeads(Database& db, const ConnectionRef& connection,
                                                     const std::string& written_since,
                                                     OrderId after, int limit);

class IngestTransaction {
 public:
  IngestTransaction(Transaction& transaction, const Vault& vault, const ConnectionRef& connection,
                    const IngestBatch& batch, int revision_floor, absl::Time now);
  // Everything in the batch. An error: nothing of it may be committed.
  absl::StatusOr<IngestResult> Run();

 private:
  enum class Depth { kNewest, kAll };  // kAll: what cancelled orders need too
  absl::StatusOr<OrderHistory> History(OrderId order, Depth depth);
  absl::Status ReadNewest(DeliveryId newest, OrderHistory& history);
  absl::Status ReadPast(OrderId order, OrderHistory& history);
  // `content`: the observation's content or raw record.
  absl::Status Apply(OrderId order, const IngestDecision& decision, const std::string& content);
  absl::Status DeliverAgain(const DeliveryRow& row);
  absl::Status Adopt(DeliveryId id, const std::string& content_hash, const std::string& content);
  absl::StatusOr<DeliveryId> Insert(OrderId order, const NewRevision& revision,
                                    const std::string& content);
  absl::Status Announce(const DeliveryRow& row, const NewRevision& revision);
  absl::Status WriteHead(const OrderHead& head);
  absl::Status WriteMarks();
  absl::Status EndHold();
  absl::Status WriteLog();
  // The last recorded content of an order, and its hash.
  absl::Status LastRecorded(OrderId order, std::string& content, std::string& content_hash);

  Transaction& transaction_;
  Database& db_;
  const Vault& vault_;
  const ConnectionRef& connection_;
  const IngestBatch& batch_;
  int revision_floor_;
  absl::Time now_;
  bool held_ = false;  // ConnectionState::held_since, before this batch
  DeliveryChanges changes_;
  IngestResult result_;
};

}  // namespace poller

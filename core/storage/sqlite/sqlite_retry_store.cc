#include "core/storage/sqlite/sqlite_retry_store.h"

#include <algorithm>
#include <optional>

#include "core/base/status.h"
#include "core/storage/sqlite/delivery_rows.h"
#include "core/storage/sqlite/retry_rows.h"

namespace poller {
namespace {

absl::Status RetryOne(Transaction& transaction, DeliveryId id, const Actor& actor,
                      const Instant& now, RetryStep& step) {
  Database& db = transaction.db;
  ASSIGN_OR_RETURN(const std::optional<DeliveryRow> row, FindDelivery(db, id));
  if (!row) return absl::OkStatus();
  const Delivery& delivery = row->delivery;
  ASSIGN_OR_RETURN(const ConnectionRef connection, FindConnection(db, delivery.connection));
  ASSIGN_OR_RETURN(const HeadRef head, FindHead(db, delivery.connection, delivery.order));
  if (delivery.in_flight || head.delivery != id) {
    ++step.skipped;
    return absl::OkStatus();
  }
  if (row->unmappable) {
    step.unmappable.push_back({id, delivery.connection, delivery.order});
    return absl::OkStatus();
  }
  DeliveryChanges changes(transaction, connection, now.wall);
  RETURN_IF_ERROR(changes.Requeue(*row, actor));
  RETURN_IF_ERROR(changes.Finish());
  ++step.retried;
  if (std::find(step.connections.begin(), step.connections.end(), connection.id) ==
      step.connections.end()) {
    step.connections.push_back(connection.id);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::int64_t> SqliteRetryStore::Count(const DeliveryFilter& filter) {
  return context_.readers.Read([&](Database& db) { return CountRetries(db, filter); });
}

absl::StatusOr<RetryStep> SqliteRetryStore::RetryMany(const DeliveryFilter& filter,
                                                      DeliveryId after, int limit,
                                                      const Actor& actor, const Instant& now) {
  RetryStep step;
  const absl::Status stored = context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    step = RetryStep{.last = after};
    ASSIGN_OR_RETURN(const auto ids, RetriesAfter(transaction.db, filter, after, limit));
    for (const DeliveryId id : ids) {
      RETURN_IF_ERROR(RetryOne(transaction, id, actor, now, step));
      step.last = id;
    }
    step.done = ids.size() < static_cast<std::size_t>(limit);
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(stored);
  return step;
}

}  // namespace poller

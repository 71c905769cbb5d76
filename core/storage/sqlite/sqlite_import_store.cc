#include "core/storage/sqlite/sqlite_import_store.h"

#include <algorithm>
#include <utility>

#include "core/base/status.h"
#include "core/base/text.h"
#include "core/storage/sqlite/codes.h"
#include "core/storage/sqlite/delivery_rows.h"

namespace poller {
namespace {

using Fate = ImportedOrder::Fate;

DeliveryStatus StatusOf(Fate fate) {
  switch (fate) {
    case Fate::kSent:
      return DeliveryStatus::kDelivered;
    case Fate::kOwed:
      return DeliveryStatus::kPending;
    case Fate::kGivenUp:
      break;
  }
  return DeliveryStatus::kDead;
}

void Tally(Fate fate, ImportedCounts& counts) {
  if (fate == Fate::kSent) ++counts.sent;
  if (fate == Fate::kOwed) ++counts.owed;
  if (fate == Fate::kGivenUp) ++counts.given_up;
}

class OrderWriter {
 public:
  OrderWriter(Transaction& transaction, const Vault& vault, const ConnectionRef& connection,
              absl::Time now)
      : db_(transaction.db),
        vault_(vault),
        connection_(connection),
        changes_(transaction, connection, now) {}

  absl::Status Write(const ImportedOrder& order) {
    DeliveryRow row;
    row.delivery.order = order.order;
    row.delivery.order_name = order.name;
    row.delivery.revision = 1;
    row.delivery.webhook_id = vault_.WebhookId(connection_.uid, order.order, 1, std::string(),
                                               OrderCondition::kConfirmed);
    RETURN_IF_ERROR(InsertDelivery(order, row.delivery.webhook_id));
    row.delivery.id = DeliveryId(db_.last_insert_id());
    RETURN_IF_ERROR(WritePayload(db_, vault_, row.delivery.id, row.delivery.webhook_id,
                                 /*unmappable=*/true, order.record));
    RETURN_IF_ERROR(InsertHead(order, row.delivery.id));
    const DeliveryStatus status = StatusOf(order.fate);
    changes_.CountNew(status);
    if (status != DeliveryStatus::kDead) return absl::OkStatus();
    EventDetail detail;
    detail.reason = std::string(kReasonImported);
    detail.error = order.error;
    return changes_.Event(row, EventType::kDeliveryDead, std::move(detail));
  }
  absl::Status Finish() { return changes_.Finish(); }

 private:
  // Not queued: there is nothing yet that could be sent. What follows it is an update, since the
  // receiver knows the order, or may.
  absl::Status InsertDelivery(const ImportedOrder& order, const std::string& webhook_id) {
    const bool sent = order.fate == Fate::kSent;
    return db_.Exec(
        "INSERT INTO delivery(connection_id, generation, order_id, order_name, revision, "
        "webhook_id, status, condition, priority, content_hash, write_date, unmappable, "
        "before_start, attempts, failed, accepted, fate_unknown, created_at, updated_at, "
        "pending_since, queue, last_error, reason) VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6, 0, 0, '', "
        "?7, 1, 1, ?8, ?9, ?10, ?9, ?11, ?11, ?11, 0, ?12, ?13)",
        connection_.id, connection_.generation, order.order, order.name, webhook_id,
        Code(StatusOf(order.fate)), order.write_date, order.attempts, !sent, sent, order.known_at,
        order.error, kReasonImported);
  }

  absl::Status InsertHead(const ImportedOrder& order, DeliveryId id) {
    // Clocks differ: the lines that were written with the order were seen with it.
    const std::string lines = std::max(order.write_date, FormatOdooTime(order.known_at));
    return db_.Exec(
        "INSERT INTO head(connection_id, order_id, generation, name, revision, content_hash, "
        "write_date, line_write_date, condition, young, observed_at, delivery_id) "
        "VALUES (?1, ?2, ?3, ?4, 1, '', ?5, ?6, 0, 0, ?7, ?8)",
        connection_.id, order.order, connection_.generation, order.name, order.write_date, lines,
        order.known_at, id);
  }

  Database& db_;
  const Vault& vault_;
  const ConnectionRef& connection_;
  DeliveryChanges changes_;
};

absl::Status ImportOne(Transaction& transaction, const Vault& vault,
                       const ImportedConnection& imported, const Actor& actor, absl::Time now,
                       ImportedCounts& counts) {
  Database& db = transaction.db;
  ASSIGN_OR_RETURN(const ConnectionRef connection,
                   InsertConnection(transaction, vault, imported.settings, actor, now));
  ++counts.connections;
  RETURN_IF_ERROR(db.Exec("UPDATE connection SET pause_note = ?2 WHERE id = ?1", connection.id,
                          imported.pause_note));
  RETURN_IF_ERROR(
      db.Exec("UPDATE connection_state SET mark = ?2, line_mark = ?2, started = ?3 "
              "WHERE connection_id = ?1",
              connection.id, imported.mark, imported.started));
  if (!imported.orders) return absl::OkStatus();
  OrderWriter writer(transaction, vault, connection, now);
  RETURN_IF_ERROR(imported.orders([&](const ImportedOrder& order) {
    Tally(order.fate, counts);
    return writer.Write(order);
  }));
  return writer.Finish();
}

}  // namespace

absl::StatusOr<ImportedCounts> SqliteImportStore::Import(
    const std::vector<ImportedConnection>& connections, const Actor& actor, absl::Time now) {
  ImportedCounts counts;
  const absl::Status stored = context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    counts = ImportedCounts();
    for (const ImportedConnection& imported : connections)
      RETURN_IF_ERROR(ImportOne(transaction, context_.vault, imported, actor, now, counts));
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(stored);
  return counts;
}

}  // namespace poller

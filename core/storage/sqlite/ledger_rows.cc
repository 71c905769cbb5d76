#include "core/storage/sqlite/ledger_rows.h"

#include "core/base/status.h"

namespace poller {
namespace {

constexpr std::string_view kOver =
    "SELECT id FROM delivery INDEXED BY delivery_ledger WHERE status NOT IN (0, 2) AND pruned = 0 "
    "AND updated_at < ?1 ORDER BY updated_at LIMIT ?2";

// The newest revision that could be mapped, of an order whose newest could not: the announcement of
// its cancellation repeats it.
constexpr std::string_view kNeeded =
    "SELECT 1 FROM delivery d LEFT JOIN head h ON h.connection_id = d.connection_id "
    "AND h.order_id = d.order_id WHERE d.id = ?1 AND (h.delivery_id IS NULL "
    "OR h.delivery_id = d.id "
    "OR (d.unmappable = 0 AND d.generation = h.generation AND NOT EXISTS (SELECT 1 "
    "FROM delivery n WHERE n.connection_id = d.connection_id AND n.order_id = d.order_id "
    "AND n.revision > d.revision AND n.unmappable = 0 AND n.generation = d.generation)))";

constexpr std::string_view kNote =
    "UPDATE head SET "
    "known_revision = max(known_revision, CASE WHEN d.accepted OR d.fate_unknown OR d.was_baseline "
    "THEN d.revision ELSE 0 END), "
    "past_attempted = max(past_attempted, d.attempts > 0 OR d.accepted OR d.fate_unknown), "
    "past_baseline = max(past_baseline, d.was_baseline) "
    "FROM delivery d WHERE d.id = ?1 AND head.connection_id = d.connection_id "
    "AND head.order_id = d.order_id AND head.generation = d.generation";

}  // namespace

absl::StatusOr<std::vector<DeliveryId>> OverBefore(Database& db, absl::Time before, int limit) {
  std::vector<DeliveryId> ids;
  Query query = db.Run(kOver, before, limit);
  while (query.Next()) ids.push_back(query.As<DeliveryId>(0));
  RETURN_IF_ERROR(query.status());
  return ids;
}

absl::Status PruneRevision(Database& db, DeliveryId id) {
  bool needed = false;
  {
    Query query = db.Run(kNeeded, id);
    needed = query.Next();
    RETURN_IF_ERROR(query.status());
  }
  if (needed) {
    RETURN_IF_ERROR(db.Exec("DELETE FROM attempt WHERE delivery_id = ?1", id));
    return db.Exec("UPDATE delivery SET pruned = 1 WHERE id = ?1", id);
  }
  RETURN_IF_ERROR(db.Exec(kNote, id));
  // Payload and attempts go with it.
  return db.Exec("DELETE FROM delivery WHERE id = ?1", id);
}

absl::Status LookAgain(Database& db, ConnectionId connection, OrderId order) {
  return db.Exec(
      "UPDATE delivery SET pruned = 0 WHERE connection_id = ?1 AND order_id = ?2 AND pruned = 1",
      connection, order);
}

absl::StatusOr<ForgottenRevisions> ReadForgotten(Database& db, ConnectionId connection,
                                                 OrderId order, int generation) {
  ForgottenRevisions forgotten;
  Query query = db.Run(
      "SELECT known_revision, past_attempted, past_baseline FROM head "
      "WHERE connection_id = ?1 AND order_id = ?2 AND generation = ?3",
      connection, order, generation);
  if (query.Next()) {
    forgotten.known = static_cast<int>(query.Int(0));
    forgotten.attempted = query.Bool(1);
    forgotten.baseline = query.Bool(2);
  }
  RETURN_IF_ERROR(query.status());
  return forgotten;
}

std::vector<std::string> LedgerStatements() {
  return {std::string(kOver), std::string(kNeeded), std::string(kNote)};
}

}  // namespace poller

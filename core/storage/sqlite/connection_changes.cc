// The longer changes of connections declared in connection_rows.h: breakers and deletion.
#include <utility>

#include "core/base/status.h"
#include "core/storage/sqlite/codes.h"
#include "core/storage/sqlite/connection_rows.h"

namespace poller {
namespace {

// Rows a step: short enough that other writers hardly notice.
constexpr int kPurgeRows = 1000;

EventType BreakerEvent(BreakerState state) {
  switch (state) {
    case BreakerState::kOpen:
      return EventType::kCircuitOpened;
    case BreakerState::kHalfOpen:
      return EventType::kCircuitHalfOpen;
    case BreakerState::kClosed:
      break;
  }
  return EventType::kCircuitClosed;
}

absl::StatusOr<BreakerState> StoredState(Database& db, ConnectionId id, Leg leg) {
  Query query = db.Run(
      "SELECT odoo_breaker_state, receiver_breaker_state FROM connection_state "
      "WHERE connection_id = ?1",
      id);
  if (query.Next()) return FromCode<BreakerState>(query.Int(leg == Leg::kOdoo ? 0 : 1));
  RETURN_IF_ERROR(query.status());
  return NoSuchConnection(id);
}

}  // namespace

absl::Status WriteBreaker(Transaction& transaction, const ConnectionRef& connection, Leg leg,
                          const BreakerRecord& record, absl::Time now) {
  Database& db = transaction.db;
  ASSIGN_OR_RETURN(const BreakerState before, StoredState(db, connection.id, leg));
  constexpr std::string_view kOdoo =
      "UPDATE connection_state SET odoo_breaker_state = ?2, odoo_breaker_failures = ?3, "
      "odoo_breaker_successes = ?4, odoo_breaker_opened_at = ?5, odoo_breaker_retry_at = ?6, "
      "odoo_breaker_error = ?7 WHERE connection_id = ?1";
  constexpr std::string_view kReceiver =
      "UPDATE connection_state SET receiver_breaker_state = ?2, receiver_breaker_failures = ?3, "
      "receiver_breaker_successes = ?4, receiver_breaker_opened_at = ?5, "
      "receiver_breaker_retry_at = ?6, receiver_breaker_error = ?7 WHERE connection_id = ?1";
  RETURN_IF_ERROR(db.Exec(leg == Leg::kOdoo ? kOdoo : kReceiver, connection.id, Code(record.state),
                          record.failures, record.successes, record.opened_at, record.retry_at,
                          record.last_error));
  if (record.state == before) return absl::OkStatus();
  EventDetail detail;
  detail.leg = leg == Leg::kOdoo ? "odoo" : "receiver";
  detail.error = record.last_error;
  if (record.state == BreakerState::kOpen) detail.next_attempt_at = record.retry_at;
  return AppendConnectionEvent(transaction, connection, BreakerEvent(record.state),
                               std::move(detail), now);
}

absl::Status HideConnection(Transaction& transaction, const ConnectionRef& connection, bool force,
                            EventDetail detail, absl::Time now) {
  Database& db = transaction.db;
  {
    Query query = db.Run("SELECT waiting + dead FROM connection_state WHERE connection_id = ?1",
                         connection.id);
    if (query.Next()) detail.count = query.Int(0);
    RETURN_IF_ERROR(query.status());
  }
  if (detail.count > 0 && !force) {
    return WithReason(
        MakeStatus(absl::StatusCode::kFailedPrecondition,
                   "connection \"" + connection.name + "\" has " + std::to_string(detail.count) +
                       " undelivered orders; force the deletion to lose them"),
        "UNDELIVERED_ORDERS");
  }
  RETURN_IF_ERROR(
      db.Exec("UPDATE connection SET deleted = 1, odoo_api_key = x'', webhook_secret = x'', "
              "webhook_previous_secret = x'', webhook_rotated_until = NULL WHERE id = ?1",
              connection.id));
  return AppendConnectionEvent(transaction, connection, EventType::kConnectionDeleted,
                               std::move(detail), now);
}

absl::StatusOr<bool> PurgeStep(Database& db) {
  ConnectionId id;
  {
    Query query = db.Run("SELECT id FROM connection WHERE deleted = 1 ORDER BY id LIMIT 1");
    if (query.Next()) id = query.As<ConnectionId>(0);
    RETURN_IF_ERROR(query.status());
  }
  if (!id) return false;
  // Heads refer to deliveries: they go first. Payloads and attempts go with their deliveries.
  for (const std::string_view sql : {
           std::string_view("DELETE FROM head WHERE connection_id = ?1 AND order_id IN (SELECT "
                            "order_id FROM head WHERE connection_id = ?1 LIMIT ?2)"),
           std::string_view("DELETE FROM delivery WHERE id IN (SELECT id FROM delivery WHERE "
                            "connection_id = ?1 LIMIT ?2)"),
           std::string_view("DELETE FROM sync_log WHERE id IN (SELECT id FROM sync_log WHERE "
                            "connection_id = ?1 LIMIT ?2)"),
           std::string_view("DELETE FROM job WHERE id IN (SELECT id FROM job WHERE "
                            "connection_id = ?1 LIMIT ?2)"),
       }) {
    RETURN_IF_ERROR(db.Exec(sql, id, kPurgeRows));
    if (db.changes() > 0) return true;
  }
  RETURN_IF_ERROR(db.Exec("DELETE FROM connection_state WHERE connection_id = ?1", id));
  RETURN_IF_ERROR(db.Exec("DELETE FROM connection WHERE id = ?1", id));
  return true;
}

}  // namespace poller

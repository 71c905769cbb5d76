#include "core/storage/sqlite/delivery_rows.h"

#include <algorithm>
#include <utility>

#include "core/base/status.h"
#include "core/storage/sqlite/codes.h"
#include "core/storage/sqlite/event_rows.h"

namespace poller {
namespace {

constexpr int kAttemptsShown = 100;

// One select list for every reader: the order is that of ReadRow.
#define POLLER_DELIVERY_SELECT                                                                  \
  "SELECT id, connection_id, order_id, order_name, revision, webhook_id, status, condition, "   \
  "priority, event, write_date, attempts, spent, created_at, updated_at, next_attempt_at, "     \
  "claimed, last_http_status, last_error, reason, generation, webhook_connection_id, "          \
  "content_hash, unmappable, before_start, was_baseline, reconfirmed, base, acceptances_seen, " \
  "queue, forced, forced_again, claimed_at FROM delivery "

DeliveryRow ReadRow(const Query& query) {
  DeliveryRow row;
  Delivery& delivery = row.delivery;
  delivery.id = query.As<DeliveryId>(0);
  delivery.connection = query.As<ConnectionId>(1);
  delivery.order = query.As<OrderId>(2);
  delivery.order_name = query.Text(3);
  delivery.revision = static_cast<int>(query.Int(4));
  delivery.webhook_id = query.Text(5);
  delivery.status = FromCode<DeliveryStatus>(query.Int(6));
  delivery.condition = FromCode<OrderCondition>(query.Int(7));
  delivery.priority = FromCode<DeliveryClass>(query.Int(8));
  delivery.event = query.Text(9);
  delivery.write_date = query.Text(10);
  row.ended = static_cast<int>(query.Int(11));
  delivery.spent = static_cast<int>(query.Int(12));
  delivery.created_at = query.TimeOr(13, absl::InfinitePast());
  delivery.updated_at = query.TimeOr(14, absl::InfinitePast());
  if (delivery.status == DeliveryStatus::kPending) {
    delivery.next_attempt_at = query.TimeOr(15, absl::InfinitePast());
  }
  row.claimed = query.Int(16);
  delivery.in_flight = row.claimed != 0;
  delivery.attempts = row.ended + (delivery.in_flight ? 1 : 0);
  delivery.last_http_status = static_cast<int>(query.Int(17));
  delivery.last_error = query.Text(18);
  delivery.reason = query.Text(19);
  row.generation = static_cast<int>(query.Int(20));
  row.webhook_connection_id = query.Text(21);
  row.content_hash = query.Text(22);
  row.unmappable = query.Bool(23);
  row.before_start = query.Bool(24);
  row.was_baseline = query.Bool(25);
  row.reconfirmed = query.Bool(26);
  row.base = static_cast<int>(query.Int(27));
  if (!query.IsNull(28)) row.acceptances_seen = query.Int(28);
  row.due = query.Int(29) == 1;
  row.forced = query.Bool(30);
  row.forced_again = query.Bool(31);
  row.claimed_at = query.TimeOr(32, absl::InfinitePast());
  return row;
}

SealContext PayloadPlace(const std::string& webhook_id, bool unmappable) {
  return {"payload", webhook_id, unmappable ? "raw_record" : "content"};
}

EventType EndEvent(DeliveryStatus status) {
  switch (status) {
    case DeliveryStatus::kDelivered:
      return EventType::kDeliverySucceeded;
    case DeliveryStatus::kDead:
      return EventType::kDeliveryDead;
    case DeliveryStatus::kSuperseded:
      return EventType::kDeliverySuperseded;
    case DeliveryStatus::kDiscarded:
      return EventType::kDeliveryDiscarded;
    case DeliveryStatus::kWithdrawn:
      return EventType::kDeliveryWithdrawn;
    case DeliveryStatus::kPending:
    case DeliveryStatus::kBaseline:
      break;
  }
  return EventType::kDeliveryFailed;
}

}  // namespace

absl::Status NoSuchDelivery(DeliveryId id) {
  return WithReason(
      MakeStatus(absl::StatusCode::kNotFound, "there is no delivery " + std::to_string(id.value())),
      "DELIVERY_NOT_FOUND");
}

absl::StatusOr<std::optional<DeliveryRow>> FindDelivery(Database& db, DeliveryId id) {
  Query query = db.Run(POLLER_DELIVERY_SELECT "WHERE id = ?1", id);
  if (query.Next()) return ReadRow(query);
  RETURN_IF_ERROR(query.status());
  return std::nullopt;
}

absl::StatusOr<std::vector<DeliveryRow>> ReadRevisions(Database& db, ConnectionId connection,
                                                       OrderId order, int limit) {
  std::vector<DeliveryRow> rows;
  Query query = db.Run(POLLER_DELIVERY_SELECT
                       "WHERE connection_id = ?1 AND order_id = ?2 ORDER BY revision DESC LIMIT ?3",
                       connection, order, limit);
  while (query.Next()) rows.push_back(ReadRow(query));
  RETURN_IF_ERROR(query.status());
  return rows;
}

absl::StatusOr<std::vector<DeliveryAttempt>> ReadAttempts(Database& db, DeliveryId id) {
  std::vector<DeliveryAttempt> attempts;
  Query query = db.Run(
      "SELECT number, at, duration_us, http_status, failure, error FROM attempt "
      "WHERE delivery_id = ?1 ORDER BY number DESC LIMIT ?2",
      id, kAttemptsShown);
  while (query.Next()) {
    attempts.push_back({.number = static_cast<int>(query.Int(0)),
                        .at = query.TimeOr(1, absl::InfinitePast()),
                        .duration = absl::Microseconds(query.Int(2)),
                        .http_status = static_cast<int>(query.Int(3)),
                        .failure = query.Text(4),
                        .error = query.Text(5)});
  }
  RETURN_IF_ERROR(query.status());
  std::reverse(attempts.begin(), attempts.end());
  return attempts;
}

absl::Status WritePayload(Database& db, const Vault& vault, DeliveryId id,
                          const std::string& webhook_id, bool unmappable, std::string_view plain) {
  const std::string sealed = vault.Seal(plain, PayloadPlace(webhook_id, unmappable));
  return db.Exec("INSERT INTO payload(delivery_id, content) VALUES (?1, ?2)", id, Blob{sealed});
}

absl::StatusOr<std::string> ReadSealedPayload(Database& db, DeliveryId id) {
  Query query = db.Run("SELECT content FROM payload WHERE delivery_id = ?1", id);
  if (query.Next()) return query.Text(0);
  RETURN_IF_ERROR(query.status());
  return MakeStatus(absl::StatusCode::kDataLoss,
                    "the content of delivery " + std::to_string(id.value()) + " is missing");
}

absl::StatusOr<std::string> UnsealPayload(const Vault& vault, const std::string& webhook_id,
                                          bool unmappable, const std::string& sealed) {
  return vault.Unseal(sealed, PayloadPlace(webhook_id, unmappable));
}

absl::StatusOr<HeadRef> FindHead(Database& db, ConnectionId connection, OrderId order) {
  Query query =
      db.Run("SELECT delivery_id, condition FROM head WHERE connection_id = ?1 AND order_id = ?2",
             connection, order);
  if (query.Next()) {
    return HeadRef{query.As<DeliveryId>(0), FromCode<OrderCondition>(query.Int(1))};
  }
  RETURN_IF_ERROR(query.status());
  return MakeStatus(absl::StatusCode::kDataLoss,
                    "order " + std::to_string(order.value()) + " of connection " +
                        std::to_string(connection.value()) + " has deliveries and no head");
}

void DeliveryChanges::Count(DeliveryStatus status, int by) {
  if (status == DeliveryStatus::kPending) waiting_ += by;
  if (status == DeliveryStatus::kDead) dead_ += by;
}

absl::Status DeliveryChanges::End(const DeliveryRow& row, DeliveryStatus status,
                                  std::string_view reason, EventDetail detail) {
  // Of what was imported and is discarded the content is still unknown: readings compare by time.
  const bool stays_imported =
      row.delivery.reason == kReasonImported && status == DeliveryStatus::kDiscarded;
  RETURN_IF_ERROR(transaction_.db.Exec(
      "UPDATE delivery SET status = ?2, reason = ?3, queue = 0, forced = 0, forced_again = 0, "
      "claimed = 0, updated_at = ?4, next_attempt_at = NULL, pruned = 0 WHERE id = ?1",
      row.delivery.id, Code(status), stays_imported ? kReasonImported : reason, now_));
  Count(row.delivery.status, -1);
  Count(status, 1);
  detail.reason = std::string(reason);
  return Event(row, EndEvent(status), std::move(detail));
}

absl::Status DeliveryChanges::Force(const DeliveryRow& row, const Actor& actor) {
  if (!row.delivery.in_flight) return MakeDue(row, /*forced=*/true, actor);
  if (row.forced_again) return absl::OkStatus();
  RETURN_IF_ERROR(
      transaction_.db.Exec("UPDATE delivery SET forced_again = 1 WHERE id = ?1", row.delivery.id));
  return Requeued(row, actor);
}

absl::Status DeliveryChanges::Requeue(const DeliveryRow& row, const Actor& actor) {
  return MakeDue(row, /*forced=*/false, actor);
}

absl::Status DeliveryChanges::MakeDue(const DeliveryRow& row, bool forced, const Actor& actor) {
  if (row.delivery.status == DeliveryStatus::kPending) {
    if (row.due && (row.forced || !forced)) return absl::OkStatus();
    RETURN_IF_ERROR(transaction_.db.Exec(
        "UPDATE delivery SET queue = 1, forced = max(forced, ?3), next_attempt_at = ?2, "
        "updated_at = ?2 WHERE id = ?1",
        row.delivery.id, now_, forced));
    return Requeued(row, actor);
  }
  // A dead one stays in the list of retries until it is delivered: its failures are still what an
  // operator looks for.
  RETURN_IF_ERROR(transaction_.db.Exec(
      "UPDATE delivery SET status = 0, reason = '', queue = 1, forced = ?3, spent = 0, "
      "failed = CASE WHEN status = 2 THEN failed ELSE 0 END, pending_since = ?2, "
      "next_attempt_at = ?2, updated_at = ?2 WHERE id = ?1",
      row.delivery.id, now_, forced));
  Count(row.delivery.status, -1);
  Count(DeliveryStatus::kPending, 1);
  return Requeued(row, actor);
}

absl::Status DeliveryChanges::Enqueue(const DeliveryRow& row, DeliveryClass priority,
                                      const Actor& actor) {
  RETURN_IF_ERROR(transaction_.db.Exec(
      "UPDATE delivery SET status = 0, priority = ?3, queue = 1, pending_since = ?2, "
      "next_attempt_at = ?2, updated_at = ?2 WHERE id = ?1",
      row.delivery.id, now_, Code(priority)));
  Count(row.delivery.status, -1);
  Count(DeliveryStatus::kPending, 1);
  return Requeued(row, actor);
}

absl::Status DeliveryChanges::Requeued(const DeliveryRow& row, const Actor& actor) {
  EventDetail detail;
  detail.actor = actor.token_name;
  detail.request_id = actor.request_id;
  return Event(row, EventType::kDeliveryRequeued, std::move(detail));
}

absl::Status DeliveryChanges::Event(const DeliveryRow& row, EventType type, EventDetail detail) {
  detail.delivery = row.delivery.id;
  detail.revision = row.delivery.revision;
  detail.webhook_id = row.delivery.webhook_id;
  detail.event = row.delivery.event;
  SyncEvent event;
  event.at = now_;
  event.type = type;
  event.connection = connection_.id;
  event.connection_name = connection_.name;
  event.order = row.delivery.order;
  event.order_name = row.delivery.order_name;
  event.detail = std::move(detail);
  return AppendEvent(transaction_, event).status();
}

absl::Status DeliveryChanges::Finish() {
  if (waiting_ == 0 && dead_ == 0) return absl::OkStatus();
  const std::int64_t waiting = std::exchange(waiting_, 0);
  const std::int64_t dead = std::exchange(dead_, 0);
  return transaction_.db.Exec(
      "UPDATE connection_state SET waiting = waiting + ?2, dead = dead + ?3 WHERE connection_id = "
      "?1",
      connection_.id, waiting, dead);
}

}  // namespace poller

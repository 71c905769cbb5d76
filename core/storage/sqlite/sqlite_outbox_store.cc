#include "core/storage/sqlite/sqlite_outbox_store.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "core/base/status.h"
#include "core/base/text.h"
#include "core/storage/sqlite/claim_rows.h"
#include "core/storage/sqlite/request_rows.h"
#include "core/storage/sqlite/retry_rows.h"

namespace poller {
namespace {

constexpr const char* kRetryKind = "retry_delivery";

absl::Status Refused(std::string_view reason, DeliveryId id, std::string_view why) {
  return WithReason(MakeStatus(absl::StatusCode::kFailedPrecondition,
                               "delivery " + std::to_string(id.value()) + " " + std::string(why)),
                    reason);
}

// What Retry and Discard have in common: the delivery and its connection, or kNotFound.
struct Target {
  DeliveryRow row;
  ConnectionRef connection;
};
absl::StatusOr<Target> FindTarget(Database& db, DeliveryId id) {
  ASSIGN_OR_RETURN(std::optional<DeliveryRow> row, FindDelivery(db, id));
  if (!row) return NoSuchDelivery(id);
  absl::StatusOr<ConnectionRef> connection = FindConnection(db, row->delivery.connection);
  if (absl::IsNotFound(connection.status())) return NoSuchDelivery(id);
  RETURN_IF_ERROR(connection);
  return Target{*std::move(row), *std::move(connection)};
}

bool IsPendingOrDead(const DeliveryRow& row) {
  return row.delivery.status == DeliveryStatus::kPending ||
         row.delivery.status == DeliveryStatus::kDead;
}

absl::Status CheckRetryable(Database& db, const DeliveryRow& row) {
  const DeliveryId id = row.delivery.id;
  ASSIGN_OR_RETURN(const HeadRef head, FindHead(db, row.delivery.connection, row.delivery.order));
  if (head.delivery != id) {
    return Refused("NOT_NEWEST_REVISION", id,
                   "is not the newest revision of its order; that is delivery " +
                       std::to_string(head.delivery.value()));
  }
  if (row.delivery.in_flight) return Refused("IN_FLIGHT", id, "is being delivered right now");
  if (!IsPendingOrDead(row)) {
    return Refused("NOT_RETRYABLE", id,
                   "is " + std::string(DeliveryStatusName(row.delivery.status)) +
                       ", neither pending nor dead; resend its order instead");
  }
  if (row.unmappable) {
    return Refused("UNMAPPABLE", id,
                   "holds a record that could not be mapped; its order must be read again");
  }
  return absl::OkStatus();
}

absl::StatusOr<Delivery> Reread(Database& db, DeliveryId id) {
  ASSIGN_OR_RETURN(const std::optional<DeliveryRow> row, FindDelivery(db, id));
  if (!row) return NoSuchDelivery(id);
  return row->delivery;
}

DeliveryDetails DetailsOf(const DeliveryRow& row, const ConnectionRef& connection) {
  DeliveryDetails details;
  details.delivery = row.delivery;
  details.connection_name = connection.name;
  details.webhook_connection_id = row.webhook_connection_id.empty()
                                      ? connection.WebhookConnectionId()
                                      : row.webhook_connection_id;
  details.unmappable = row.unmappable;
  return details;
}

}  // namespace

absl::StatusOr<std::vector<ClaimedDelivery>> SqliteOutboxStore::Claim(ConnectionId connection,
                                                                      const Instant& now, int limit,
                                                                      bool forced_only) {
  std::vector<SealedClaim> sealed;
  const absl::Status stored = context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    const absl::StatusOr<ConnectionRef> ref = FindConnection(transaction.db, connection);
    if (absl::IsNotFound(ref.status())) return absl::OkStatus();
    RETURN_IF_ERROR(ref);
    ASSIGN_OR_RETURN(sealed, ClaimDue(transaction.db, *ref, context_.run, context_.StoreTime(now),
                                      limit, forced_only));
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(stored);
  std::vector<ClaimedDelivery> claims;
  for (SealedClaim& item : sealed) {
    absl::StatusOr<std::string> content =
        UnsealPayload(context_.vault, item.claim.webhook_id, /*unmappable=*/false, item.sealed);
    if (!content.ok()) {
      RETURN_IF_ERROR(Bury(item.claim.id, now));
      continue;
    }
    item.claim.content = *std::move(content);
    claims.push_back(std::move(item.claim));
  }
  return claims;
}

absl::Status SqliteOutboxStore::Bury(DeliveryId id, const Instant& now) {
  return context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    const absl::StatusOr<Target> target = FindTarget(transaction.db, id);
    if (absl::IsNotFound(target.status())) return absl::OkStatus();
    RETURN_IF_ERROR(target);
    DeliveryChanges changes(transaction, target->connection, now.wall);
    const std::string error = "its stored content is damaged: resend the order";
    RETURN_IF_ERROR(
        transaction.db.Exec("UPDATE delivery SET last_error = ?2 WHERE id = ?1", id, error));
    EventDetail detail;
    detail.error = error;
    RETURN_IF_ERROR(
        changes.End(target->row, DeliveryStatus::kDead, kReasonDamaged, std::move(detail)));
    return changes.Finish();
  });
}

absl::StatusOr<Resolution> SqliteOutboxStore::Resolve(const DeliveryOutcome& outcome,
                                                      const Instant& now) {
  Resolution resolution;
  const absl::Status stored = context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(const Target target, FindTarget(transaction.db, outcome.id));
    if (target.row.claimed != context_.run) {
      return MakeStatus(
          absl::StatusCode::kNotFound,
          "delivery " + std::to_string(outcome.id.value()) + " is not claimed by this process");
    }
    DeliveryChanges changes(transaction, target.connection, now.wall);
    ASSIGN_OR_RETURN(resolution,
                     EndClaim(transaction, target.row, outcome, context_.StoreTime(now), changes));
    return changes.Finish();
  });
  RETURN_IF_ERROR(stored);
  return resolution;
}

absl::StatusOr<absl::Duration> SqliteOutboxStore::NextDue(ConnectionId connection,
                                                          const Instant& now) {
  return context_.readers.Read([&](Database& db) -> absl::StatusOr<absl::Duration> {
    const absl::StatusOr<ConnectionRef> ref = FindConnection(db, connection);
    if (absl::IsNotFound(ref.status())) return absl::InfiniteDuration();
    RETURN_IF_ERROR(ref);
    return TimeUntilDue(db, connection, context_.StoreTime(now));
  });
}

absl::StatusOr<std::vector<DeliveryDetails>> SqliteOutboxStore::ListRetries(
    const DeliveryFilter& filter, DeliveryId before, int limit) {
  const std::int64_t below = before ? before.value() : std::numeric_limits<std::int64_t>::max();
  return context_.readers.Read([&](Database& db) -> absl::StatusOr<std::vector<DeliveryDetails>> {
    ASSIGN_OR_RETURN(const auto ids, RetriesBefore(db, filter, below, limit));
    std::vector<DeliveryDetails> list;
    for (const DeliveryId id : ids) {
      const absl::StatusOr<Target> target = FindTarget(db, id);
      if (absl::IsNotFound(target.status())) continue;  // its connection is being deleted
      RETURN_IF_ERROR(target);
      list.push_back(DetailsOf(target->row, target->connection));
    }
    return list;
  });
}

absl::StatusOr<DeliveryDetails> SqliteOutboxStore::Get(DeliveryId id) {
  std::string sealed;
  const auto read = [&](Database& db) -> absl::StatusOr<DeliveryDetails> {
    ASSIGN_OR_RETURN(const Target target, FindTarget(db, id));
    DeliveryDetails found = DetailsOf(target.row, target.connection);
    ASSIGN_OR_RETURN(found.attempts, ReadAttempts(db, id));
    ASSIGN_OR_RETURN(sealed, ReadSealedPayload(db, id));
    return found;
  };
  ASSIGN_OR_RETURN(DeliveryDetails details, context_.readers.Read(read));
  ASSIGN_OR_RETURN(details.content, UnsealPayload(context_.vault, details.delivery.webhook_id,
                                                  details.unmappable, sealed));
  return details;
}

absl::StatusOr<Delivery> SqliteOutboxStore::Retry(DeliveryId id, const Actor& actor,
                                                  const Instant& now) {
  Delivery delivery;
  const absl::Status stored = context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    Database& db = transaction.db;
    ASSIGN_OR_RETURN(const Target target, FindTarget(db, id));
    ASSIGN_OR_RETURN(const auto done, FindRequest(db, context_.vault, kRetryKind, actor, now.wall));
    if (done && *done != id.value()) return RequestIdReused();
    if (!done) {
      RETURN_IF_ERROR(CheckRetryable(db, target.row));
      DeliveryChanges changes(transaction, target.connection, now.wall);
      RETURN_IF_ERROR(changes.Force(target.row, actor));
      RETURN_IF_ERROR(changes.Finish());
      RETURN_IF_ERROR(KeepRequest(db, context_.vault, kRetryKind, actor, id.value(), now.wall));
    }
    ASSIGN_OR_RETURN(delivery, Reread(db, id));
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(stored);
  return delivery;
}

absl::StatusOr<Delivery> SqliteOutboxStore::Discard(DeliveryId id, const std::string& why,
                                                    const Actor& actor, absl::Time now) {
  Delivery delivery;
  const absl::Status stored = context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    Database& db = transaction.db;
    ASSIGN_OR_RETURN(const Target target, FindTarget(db, id));
    if (target.row.delivery.in_flight) {
      return Refused("IN_FLIGHT", id, "is being delivered right now");
    }
    if (!IsPendingOrDead(target.row)) {
      return Refused("NOT_RETRYABLE", id,
                     "is " + std::string(DeliveryStatusName(target.row.delivery.status)) +
                         ", neither pending nor dead");
    }
    DeliveryChanges changes(transaction, target.connection, now);
    EventDetail detail;
    detail.actor = actor.token_name;
    detail.request_id = actor.request_id;
    detail.error = SafeText(why);
    RETURN_IF_ERROR(
        changes.End(target.row, DeliveryStatus::kDiscarded, "operator", std::move(detail)));
    RETURN_IF_ERROR(changes.Finish());
    ASSIGN_OR_RETURN(delivery, Reread(db, id));
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(stored);
  return delivery;
}

}  // namespace poller

#include "core/storage/sqlite/claim_rows.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/base/status.h"
#include "core/storage/ingest_decision.h"
#include "core/storage/sqlite/codes.h"
#include "core/storage/sqlite/ledger_rows.h"

namespace poller {
namespace {

// Deliveries of each class that join the due ones in one claim. Enough that the order among them is
// kept, few enough that a claim stays short when an outage has made a whole backlog due at once.
int Promoted(int limit) { return std::max(4 * limit, 32); }
constexpr int kAttemptsKept = 200;
constexpr std::int64_t kLongestWaitMicros = 3'600'000'000;
// The clocks drift apart a little: not worth rewriting a backlog for.
constexpr std::int64_t kToleratedMicros = 5'000'000;

// The words of TransportFailure before a byte of the request was sent: the receiver cannot know the
// order.
constexpr std::array<std::string_view, 4> kNeverSent = {"dns", "connect", "tls", "egress_denied"};

// An order with a revision in flight is left out. Inside Claim the statement sees the claims made
// before it.
#define POLLER_NOT_BLOCKED                                                            \
  "AND NOT EXISTS (SELECT 1 FROM delivery f WHERE f.connection_id = d.connection_id " \
  "AND f.order_id = d.order_id AND f.claimed <> 0) "

constexpr std::string_view kPromote =
    "UPDATE delivery SET queue = 1 WHERE id IN (SELECT id FROM delivery WHERE connection_id = ?1 "
    "AND queue = 2 AND priority = ?2 AND due_mono <= ?3 ORDER BY due_mono LIMIT ?4)";
constexpr std::string_view kDue =
    "SELECT d.id FROM delivery d WHERE d.connection_id = ?1 AND d.queue = 1 " POLLER_NOT_BLOCKED
    "ORDER BY d.forced DESC, d.priority, d.attempts, d.id LIMIT ?2";
constexpr std::string_view kDueForced =
    "SELECT d.id FROM delivery d WHERE d.connection_id = ?1 AND d.queue = 1 AND d.forced = "
    "1 " POLLER_NOT_BLOCKED "ORDER BY d.priority, d.attempts, d.id LIMIT ?2";
constexpr std::string_view kAnyDue =
    "SELECT 1 FROM delivery d WHERE d.connection_id = ?1 AND d.queue = 1 " POLLER_NOT_BLOCKED
    "LIMIT 1";
// A backlog is not read at a start: partial indexes give what is in flight or waits.
constexpr std::string_view kClaimed =
    "SELECT id FROM delivery INDEXED BY delivery_in_flight WHERE claimed <> 0";
constexpr std::string_view kWrongWaits =
    "UPDATE delivery SET due_mono = ?1 + min(max(coalesce(next_attempt_at, ?2) - ?2, 0), ?3) "
    "WHERE id IN (SELECT id FROM delivery WHERE queue = 2 AND abs(max(due_mono, ?1) - "
    "(?1 + min(max(coalesce(next_attempt_at, ?2) - ?2, 0), ?3))) > ?4)";
constexpr std::string_view kNextWait =
    "SELECT min(due_mono) FROM delivery WHERE connection_id = ?1 AND queue = 2 AND priority = ?2";

std::int64_t Micros(absl::Duration duration) { return absl::ToInt64Microseconds(duration); }

absl::StatusOr<bool> ReceiverMayKnow(Database& db, const DeliveryRow& row) {
  if (row.was_baseline) return true;
  Query query = db.Run(
      "SELECT 1 FROM delivery WHERE connection_id = ?1 AND order_id = ?2 AND revision >= ?3 "
      "AND revision < ?4 AND generation = ?5 AND (accepted OR fate_unknown OR was_baseline) LIMIT "
      "1",
      row.delivery.connection, row.delivery.order, row.base, row.delivery.revision, row.generation);
  if (query.Next()) return true;
  RETURN_IF_ERROR(query.status());
  ASSIGN_OR_RETURN(const ForgottenRevisions forgotten,
                   ReadForgotten(db, row.delivery.connection, row.delivery.order, row.generation));
  return forgotten.known > 0 && forgotten.known >= row.base;
}

absl::StatusOr<SealedClaim> ClaimOne(Database& db, const ConnectionRef& connection, DeliveryId id,
                                     std::int64_t run, const Instant& now) {
  ASSIGN_OR_RETURN(std::optional<DeliveryRow> row, FindDelivery(db, id));
  Delivery& delivery = row->delivery;
  if (delivery.event.empty()) {
    ASSIGN_OR_RETURN(const bool may_know, ReceiverMayKnow(db, *row));
    delivery.event = std::string(
        FirstClaimEvent(delivery.condition, may_know, row->reconfirmed, row->before_start));
    row->webhook_connection_id = connection.WebhookConnectionId();
  }
  RETURN_IF_ERROR(
      db.Exec("UPDATE delivery SET claimed = ?2, claimed_at = ?3, queue = 0, event = ?4, "
              "webhook_connection_id = ?5 WHERE id = ?1",
              id, run, now.wall, delivery.event, row->webhook_connection_id));
  SealedClaim result;
  ClaimedDelivery& claim = result.claim;
  claim.id = id;
  claim.connection = connection.id;
  claim.order = delivery.order;
  claim.order_name = delivery.order_name;
  claim.revision = delivery.revision;
  claim.webhook_id = delivery.webhook_id;
  claim.event = delivery.event;
  claim.webhook_connection_id = row->webhook_connection_id;
  claim.attempt = row->ended + 1;
  claim.spent = delivery.spent;
  claim.forced = row->forced;
  // A payload that is missing is found when it does not open.
  absl::StatusOr<std::string> sealed = ReadSealedPayload(db, id);
  if (sealed.ok()) result.sealed = *std::move(sealed);
  return result;
}

// What a finished request leaves on its row, whatever becomes of the delivery.
absl::Status RecordAttempt(Database& db, const DeliveryRow& row, const DeliveryAttempt& attempt,
                           bool accepted, int spent, std::int64_t acceptances) {
  const int number = row.ended + 1;
  const bool unknown =
      !accepted && attempt.http_status == 0 &&
      std::find(kNeverSent.begin(), kNeverSent.end(), attempt.failure) == kNeverSent.end();
  RETURN_IF_ERROR(db.Exec(
      "INSERT INTO attempt(delivery_id, number, at, duration_us, http_status, failure, error) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
      row.delivery.id, number, absl::ToUnixMicros(attempt.at), Micros(attempt.duration),
      attempt.http_status, attempt.failure, attempt.error));
  RETURN_IF_ERROR(db.Exec("DELETE FROM attempt WHERE delivery_id = ?1 AND number <= ?2",
                          row.delivery.id, number - kAttemptsKept));
  std::string error;
  if (!accepted) error = attempt.error.empty() ? attempt.failure : attempt.error;
  return db.Exec(
      "UPDATE delivery SET attempts = ?2, spent = ?3, failed = ?4, accepted = max(accepted, ?5), "
      "fate_unknown = max(fate_unknown, ?6), acceptances_seen = ?7, last_http_status = ?8, "
      "last_error = ?9 WHERE id = ?1",
      row.delivery.id, number, spent, !accepted, accepted, unknown, acceptances,
      attempt.http_status, error);
}

EventDetail AttemptDetail(const DeliveryRow& row, const DeliveryAttempt& attempt) {
  EventDetail detail;
  detail.attempt = row.ended + 1;
  detail.http_status = attempt.http_status;
  detail.failure = attempt.failure;
  detail.error = attempt.error;
  return detail;
}

absl::StatusOr<std::int64_t> Acceptances(Database& db, ConnectionId connection) {
  Query query =
      db.Run("SELECT acceptances FROM connection_state WHERE connection_id = ?1", connection);
  if (query.Next()) return query.Int(0);
  RETURN_IF_ERROR(query.status());
  return NoSuchConnection(connection);
}

// What the order did while the revision was in flight decides over it.
struct Overtaken {
  std::optional<DeliveryStatus> status;
  std::string_view reason;
};
absl::StatusOr<Overtaken> OvertakenBy(Database& db, const DeliveryRow& row, bool requested) {
  ASSIGN_OR_RETURN(const HeadRef head, FindHead(db, row.delivery.connection, row.delivery.order));
  if (head.delivery != row.delivery.id) {
    return Overtaken{DeliveryStatus::kSuperseded, "newer_revision"};
  }
  if (head.condition == OrderCondition::kCancelled &&
      row.delivery.condition == OrderCondition::kConfirmed) {
    const auto status = requested ? DeliveryStatus::kWithdrawn : DeliveryStatus::kSuperseded;
    return Overtaken{status, "cancelled"};
  }
  return Overtaken{};
}

absl::StatusOr<Resolution> EndReleased(Database& db, const DeliveryRow& row,
                                       DeliveryChanges& changes) {
  Resolution resolution{.spent = row.delivery.spent};
  ASSIGN_OR_RETURN(const Overtaken overtaken, OvertakenBy(db, row, row.ended > 0));
  if (overtaken.status) {
    resolution.status = *overtaken.status;
    RETURN_IF_ERROR(changes.End(row, *overtaken.status, overtaken.reason, EventDetail()));
    return resolution;
  }
  RETURN_IF_ERROR(
      db.Exec("UPDATE delivery SET claimed = 0, queue = 1, forced = max(forced, forced_again), "
              "forced_again = 0 WHERE id = ?1",
              row.delivery.id));
  return resolution;
}

absl::StatusOr<Resolution> EndAccepted(Database& db, const DeliveryRow& row,
                                       const DeliveryAttempt& attempt, DeliveryChanges& changes) {
  RETURN_IF_ERROR(db.Exec(
      "UPDATE connection_state SET acceptances = acceptances + 1, receiver_failing_since = NULL "
      "WHERE connection_id = ?1",
      row.delivery.connection));
  ASSIGN_OR_RETURN(const std::int64_t acceptances, Acceptances(db, row.delivery.connection));
  RETURN_IF_ERROR(
      RecordAttempt(db, row, attempt, /*accepted=*/true, row.delivery.spent, acceptances));
  RETURN_IF_ERROR(changes.End(row, DeliveryStatus::kDelivered, std::string_view(),
                              AttemptDetail(row, attempt)));
  return Resolution{.status = DeliveryStatus::kDelivered, .spent = row.delivery.spent};
}

absl::Status WaitForNext(Database& db, const DeliveryRow& row, const DeliveryOutcome& outcome,
                         const Instant& now, EventDetail detail, DeliveryChanges& changes) {
  const bool at_once = row.forced_again || outcome.retry_after <= absl::ZeroDuration();
  const absl::Duration wait = at_once ? absl::ZeroDuration() : outcome.retry_after;
  detail.next_attempt_at = now.wall + wait;
  RETURN_IF_ERROR(
      db.Exec("UPDATE delivery SET claimed = 0, queue = ?2, due_mono = ?3, next_attempt_at = ?4, "
              "forced = ?5, forced_again = 0, updated_at = ?6 WHERE id = ?1",
              row.delivery.id, at_once ? 1 : 2, Micros(now.mono + wait), *detail.next_attempt_at,
              row.forced_again, now.wall));
  return changes.Event(row, EventType::kDeliveryFailed, std::move(detail));
}

absl::StatusOr<Resolution> EndFailed(Database& db, const DeliveryRow& row,
                                     const DeliveryOutcome& outcome, const Instant& now,
                                     DeliveryChanges& changes) {
  ASSIGN_OR_RETURN(const std::int64_t acceptances, Acceptances(db, row.delivery.connection));
  Resolution resolution{.spent = row.delivery.spent};
  // Evidence against the order: others were accepted since it was refused before.
  resolution.blamed_order = outcome.may_blame_order && row.acceptances_seen.has_value() &&
                            acceptances > *row.acceptances_seen;
  if (resolution.blamed_order) ++resolution.spent;
  RETURN_IF_ERROR(
      RecordAttempt(db, row, outcome.attempt, /*accepted=*/false, resolution.spent, acceptances));
  EventDetail detail = AttemptDetail(row, outcome.attempt);
  ASSIGN_OR_RETURN(const Overtaken overtaken, OvertakenBy(db, row, /*requested=*/true));
  if (overtaken.status) {
    resolution.status = *overtaken.status;
    RETURN_IF_ERROR(changes.End(row, *overtaken.status, overtaken.reason, std::move(detail)));
  } else if (resolution.blamed_order && resolution.spent >= outcome.max_attempts) {
    resolution.status = DeliveryStatus::kDead;
    RETURN_IF_ERROR(changes.End(row, DeliveryStatus::kDead, "max_attempts", std::move(detail)));
  } else {
    RETURN_IF_ERROR(WaitForNext(db, row, outcome, now, std::move(detail), changes));
  }
  return resolution;
}

}  // namespace

absl::StatusOr<std::vector<SealedClaim>> ClaimDue(Database& db, const ConnectionRef& connection,
                                                  std::int64_t run, const Instant& now, int limit,
                                                  bool forced_only) {
  std::vector<DeliveryId> ids;
  ASSIGN_OR_RETURN(const bool held, IsHeld(db, connection.id));
  if (held) return std::vector<SealedClaim>();
  if (!forced_only) {
    for (const DeliveryClass priority : {DeliveryClass::kLive, DeliveryClass::kHistory}) {
      RETURN_IF_ERROR(
          db.Exec(kPromote, connection.id, Code(priority), Micros(now.mono), Promoted(limit)));
    }
  }
  {
    Query query = db.Run(forced_only ? kDueForced : kDue, connection.id, limit);
    while (query.Next()) ids.push_back(query.As<DeliveryId>(0));
    RETURN_IF_ERROR(query.status());
  }
  std::vector<SealedClaim> claims;
  for (const DeliveryId id : ids) {
    ASSIGN_OR_RETURN(SealedClaim claim, ClaimOne(db, connection, id, run, now));
    claims.push_back(std::move(claim));
  }
  return claims;
}

absl::StatusOr<absl::Duration> TimeUntilDue(Database& db, ConnectionId connection,
                                            const Instant& now) {
  ASSIGN_OR_RETURN(const bool held, IsHeld(db, connection));
  if (held) return absl::InfiniteDuration();
  {
    Query due = db.Run(kAnyDue, connection);
    if (due.Next()) return absl::ZeroDuration();
    RETURN_IF_ERROR(due.status());
  }
  absl::Duration next = absl::InfiniteDuration();
  for (const DeliveryClass priority : {DeliveryClass::kLive, DeliveryClass::kHistory}) {
    Query wait = db.Run(kNextWait, connection, Code(priority));
    if (wait.Next() && !wait.IsNull(0)) {
      next = std::min(next, absl::Microseconds(wait.Int(0)) - now.mono);
    }
    RETURN_IF_ERROR(wait.status());
  }
  return std::max(next, absl::ZeroDuration());
}

absl::StatusOr<Resolution> EndClaim(Transaction& transaction, const DeliveryRow& row,
                                    const DeliveryOutcome& outcome, const Instant& now,
                                    DeliveryChanges& changes) {
  Database& db = transaction.db;
  switch (outcome.kind) {
    case DeliveryOutcome::Kind::kReleased:
      return EndReleased(db, row, changes);
    case DeliveryOutcome::Kind::kAccepted:
      return EndAccepted(db, row, outcome.attempt, changes);
    case DeliveryOutcome::Kind::kFailed:
      break;
  }
  RETURN_IF_ERROR(db.Exec(
      "UPDATE connection_state SET receiver_failing_since = coalesce(receiver_failing_since, ?2) "
      "WHERE connection_id = ?1",
      row.delivery.connection, now.wall));
  return EndFailed(db, row, outcome, now, changes);
}

absl::Status FreeClaims(Transaction& transaction, const Instant& now) {
  Database& db = transaction.db;
  std::vector<DeliveryId> ids;
  {
    Query query = db.Run(kClaimed);
    while (query.Next()) ids.push_back(query.As<DeliveryId>(0));
    RETURN_IF_ERROR(query.status());
  }
  for (const DeliveryId id : ids) {
    ASSIGN_OR_RETURN(const std::optional<DeliveryRow> row, FindDelivery(db, id));
    const absl::StatusOr<ConnectionRef> connection = FindConnection(db, row->delivery.connection);
    if (absl::IsNotFound(connection.status())) continue;  // it is being deleted
    RETURN_IF_ERROR(connection);
    DeliveryChanges changes(transaction, *connection, now.wall);
    DeliveryOutcome outcome;
    outcome.id = id;
    outcome.kind = DeliveryOutcome::Kind::kFailed;
    outcome.attempt.at = row->claimed_at;
    outcome.attempt.failure = "interrupted";
    outcome.attempt.error = "the program ended before the answer came";
    // Not the receiver's failure: it is not noted as failing, and the next attempt is due at once.
    RETURN_IF_ERROR(EndFailed(db, *row, outcome, now, changes));
    RETURN_IF_ERROR(changes.Finish());
  }
  return absl::OkStatus();
}

absl::Status RestoreWaits(Database& db, const Instant& now) {
  // Rarely is anything to write: the store's clock begins at the wall time.
  return db.Exec(kWrongWaits, Micros(now.mono), now.wall, kLongestWaitMicros, kToleratedMicros);
}

std::vector<std::string> HotStatements() {
  return {std::string(kPromote), std::string(kDue), std::string(kDueForced), std::string(kAnyDue),
          std::string(kNextWait)};
}

std::vector<std::string> StartStatements() {
  return {std::string(kClaimed), std::string(kWrongWaits)};
}

}  // namespace poller

#include "core/storage/sqlite/ingest_transaction.h"

#include <utility>

#include "core/base/status.h"
#include "core/storage/sqlite/codes.h"
#include "core/storage/sqlite/ledger_rows.h"
#include "core/storage/sqlite/sync_log_rows.h"

namespace poller {
namespace {

void Tally(IngestDecision::Outcome outcome, IngestResult& result) {
  switch (outcome) {
    case IngestDecision::Outcome::kRecorded:
      ++result.recorded;
      break;
    case IngestDecision::Outcome::kUnchanged:
      ++result.unchanged;
      break;
    case IngestDecision::Outcome::kRequeued:
      ++result.requeued;
      break;
    case IngestDecision::Outcome::kDead:
      ++result.dead;
      break;
    case IngestDecision::Outcome::kCancelled:
      ++result.cancelled;
      break;
    case IngestDecision::Outcome::kStale:
      ++result.stale;
      break;
    case IngestDecision::Outcome::kIgnored:
      break;
  }
}

#define POLLER_HEAD_SELECT                                                                    \
  "SELECT h.name, h.revision, h.content_hash, h.write_date, h.line_write_date, h.condition, " \
  "h.young, h.observed_at, h.delivery_id, d.status, h.order_id, h.line_stamps, d.reason "     \
  "FROM head h JOIN delivery d ON d.id = h.delivery_id "

// Of a row of POLLER_HEAD_SELECT.
OrderHead HeadFrom(const Query& query) {
  OrderHead head;
  head.name = query.Text(0);
  head.revision = static_cast<int>(query.Int(1));
  head.content_hash = query.Text(2);
  head.write_date = query.Text(3);
  head.line_write_date = query.Text(4);
  head.condition = FromCode<OrderCondition>(query.Int(5));
  head.young = query.Bool(6);
  head.observed_at = query.TimeOr(7, absl::InfinitePast());
  head.delivery = query.As<DeliveryId>(8);
  head.status = FromCode<DeliveryStatus>(query.Int(9));
  head.order = query.As<OrderId>(10);
  head.line_stamps = query.Text(11);
  head.imported = query.Text(12) == kReasonImported;
  return head;
}

}  // namespace

absl::StatusOr<std::optional<OrderHead>> ReadHead(Database& db, const ConnectionRef& connection,
                                                  OrderId order) {
  Query query = db.Run(POLLER_HEAD_SELECT
                       "WHERE h.connection_id = ?1 AND h.order_id = ?2 AND h.generation = ?3",
                       connection.id, order, connection.generation);
  if (query.Next()) return HeadFrom(query);
  RETURN_IF_ERROR(query.status());
  return std::nullopt;
}

absl::StatusOr<std::vector<OrderHead>> ReadOpenHeads(Database& db, const ConnectionRef& connection,
                                                     const std::string& written_since,
                                                     OrderId after, int limit) {
  std::vector<OrderHead> heads;
  Query query = db.Run(
      POLLER_HEAD_SELECT
      "WHERE h.connection_id = ?1 AND h.order_id > ?2 AND h.generation = ?3 AND h.condition = 0 "
      "AND (h.write_date >= ?4 OR d.status IN (0, 2)) ORDER BY h.order_id LIMIT ?5",
      connection.id, after, connection.generation, written_since, limit);
  while (query.Next()) heads.push_back(HeadFrom(query));
  RETURN_IF_ERROR(query.status());
  return heads;
}

IngestTransaction::IngestTransaction(Transaction& transaction, const Vault& vault,
                                     const ConnectionRef& connection, const IngestBatch& batch,
                                     int revision_floor, absl::Time now)
    : transaction_(transaction),
      db_(transaction.db),
      vault_(vault),
      connection_(connection),
      batch_(batch),
      revision_floor_(revision_floor),
      now_(now),
      changes_(transaction, connection, now) {}

absl::StatusOr<IngestResult> IngestTransaction::Run() {
  ASSIGN_OR_RETURN(held_, IsHeld(db_, connection_.id));
  for (const Observation& order : batch_.orders) {
    ASSIGN_OR_RETURN(const OrderHistory history, History(order.order, Depth::kNewest));
    RETURN_IF_ERROR(Apply(order.order, Decide(history, order, batch_), order.content));
  }
  for (const UnmappableOrder& order : batch_.unmappable) {
    ASSIGN_OR_RETURN(const OrderHistory history, History(order.order, Depth::kNewest));
    RETURN_IF_ERROR(Apply(order.order, Decide(history, order, batch_), order.raw_record));
  }
  for (const CancelledOrder& order : batch_.cancelled) {
    ASSIGN_OR_RETURN(const OrderHistory history, History(order.order, Depth::kAll));
    RETURN_IF_ERROR(Apply(order.order, Decide(history, order, batch_), std::string()));
  }
  RETURN_IF_ERROR(changes_.Finish());
  RETURN_IF_ERROR(WriteMarks());
  RETURN_IF_ERROR(WriteLog());
  return result_;
}

absl::StatusOr<OrderHistory> IngestTransaction::History(OrderId order, Depth depth) {
  OrderHistory history;
  history.revision_floor = revision_floor_;
  history.held = held_;
  DeliveryId newest;
  {
    // Of any generation: revisions go on when the connection is moved to another Odoo.
    Query query =
        db_.Run("SELECT revision, delivery_id FROM head WHERE connection_id = ?1 AND order_id = ?2",
                connection_.id, order);
    if (!query.Next()) {
      RETURN_IF_ERROR(query.status());
      return history;
    }
    history.last_revision = static_cast<int>(query.Int(0));
    newest = query.As<DeliveryId>(1);
  }
  ASSIGN_OR_RETURN(history.head, ReadHead(db_, connection_, order));
  {
    Query query = db_.Run(
        "SELECT id, revision, attempts FROM delivery "
        "WHERE connection_id = ?1 AND order_id = ?2 AND claimed <> 0",
        connection_.id, order);
    if (query.Next()) {
      history.open.push_back({.id = query.As<DeliveryId>(0),
                              .revision = static_cast<int>(query.Int(1)),
                              .status = DeliveryStatus::kPending,
                              .in_flight = true,
                              .attempts = static_cast<int>(query.Int(2))});
    }
    RETURN_IF_ERROR(query.status());
  }
  RETURN_IF_ERROR(ReadNewest(newest, history));
  if (depth == Depth::kAll) RETURN_IF_ERROR(ReadPast(order, history));
  return history;
}

absl::Status IngestTransaction::ReadNewest(DeliveryId newest, OrderHistory& history) {
  ASSIGN_OR_RETURN(const std::optional<DeliveryRow> row, FindDelivery(db_, newest));
  if (!row) return absl::DataLossError("a head names a delivery that does not exist");
  history.unmappable = row->unmappable;
  history.unmappable_reason = row->unmappable ? row->delivery.last_error : std::string();
  history.damaged = row->delivery.reason == kReasonDamaged;
  history.reconfirmed = row->reconfirmed;
  history.base = row->base;
  const DeliveryStatus status = row->delivery.status;
  if (!row->delivery.in_flight &&
      (status == DeliveryStatus::kPending || status == DeliveryStatus::kDead)) {
    history.open.push_back({.id = newest,
                            .revision = row->delivery.revision,
                            .status = status,
                            .in_flight = false,
                            .attempts = row->ended});
  }
  return absl::OkStatus();
}

absl::Status IngestTransaction::ReadPast(OrderId order, OrderHistory& history) {
  ASSIGN_OR_RETURN(const ForgottenRevisions forgotten,
                   ReadForgotten(db_, connection_.id, order, connection_.generation));
  Query query = db_.Run(
      "SELECT max(attempts > 0 OR claimed <> 0 OR accepted OR fate_unknown), max(was_baseline), "
      "max(NOT unmappable AND id IN (SELECT delivery_id FROM payload)) "
      "FROM delivery WHERE connection_id = ?1 AND order_id = ?2 AND generation = ?3",
      connection_.id, order, connection_.generation);
  if (query.Next()) {
    history.attempted = forgotten.attempted || query.Bool(0);
    history.was_baseline = forgotten.baseline || query.Bool(1);
    history.has_content = query.Bool(2);
  }
  return query.status();
}

absl::Status IngestTransaction::Apply(OrderId order, const IngestDecision& decision,
                                      const std::string& content) {
  Tally(decision.outcome, result_);
  std::optional<DeliveryId> inserted;
  if (decision.revision) {
    ASSIGN_OR_RETURN(inserted, Insert(order, *decision.revision, content));
  }
  for (const DeliveryId id : decision.supersede) {
    ASSIGN_OR_RETURN(const std::optional<DeliveryRow> row, FindDelivery(db_, id));
    const std::string_view reason = decision.revision ? "newer_revision" : "cancelled";
    RETURN_IF_ERROR(changes_.End(*row, DeliveryStatus::kSuperseded, reason, EventDetail()));
  }
  if (decision.withdraw) {
    ASSIGN_OR_RETURN(const std::optional<DeliveryRow> row, FindDelivery(db_, *decision.withdraw));
    RETURN_IF_ERROR(changes_.End(*row, DeliveryStatus::kWithdrawn, "cancelled", EventDetail()));
  }
  if (decision.requeue) {
    ASSIGN_OR_RETURN(const std::optional<DeliveryRow> row, FindDelivery(db_, *decision.requeue));
    RETURN_IF_ERROR(DeliverAgain(*row));
  }
  if (decision.adopt) RETURN_IF_ERROR(Adopt(*decision.adopt, decision.head->content_hash, content));
  if (decision.head) {
    OrderHead head = *decision.head;
    if (inserted) head.delivery = *inserted;
    RETURN_IF_ERROR(WriteHead(head));
  }
  return absl::OkStatus();
}

// What an operator waits for goes at once. History keeps its place behind live orders and the
// breaker; of what is in flight an attempt is being made.
absl::Status IngestTransaction::DeliverAgain(const DeliveryRow& row) {
  const bool history = batch_.priority == DeliveryClass::kHistory;
  if (batch_.mode == IngestMode::kBackfill)
    return changes_.Enqueue(row, batch_.priority, batch_.actor);
  if (!history) return changes_.Force(row, batch_.actor);
  if (row.delivery.in_flight) return absl::OkStatus();
  if (row.delivery.status == DeliveryStatus::kBaseline)
    return changes_.Enqueue(row, batch_.priority, batch_.actor);
  return changes_.Requeue(row, batch_.actor);
}

// What is dead stays so, as if it had been tried here.
absl::Status IngestTransaction::Adopt(DeliveryId id, const std::string& content_hash,
                                      const std::string& content) {
  ASSIGN_OR_RETURN(const std::optional<DeliveryRow> row, FindDelivery(db_, id));
  if (!row) return absl::DataLossError("a head names a delivery that does not exist");
  RETURN_IF_ERROR(
      db_.Exec("UPDATE delivery SET content_hash = ?2, unmappable = 0, "
               "reason = CASE status WHEN ?3 THEN 'max_attempts' WHEN ?4 THEN 'operator' ELSE '' "
               "END WHERE id = ?1",
               id, content_hash, Code(DeliveryStatus::kDead), Code(DeliveryStatus::kDiscarded)));
  RETURN_IF_ERROR(db_.Exec("DELETE FROM payload WHERE delivery_id = ?1", id));
  return WritePayload(db_, vault_, id, row->delivery.webhook_id, /*unmappable=*/false, content);
}

absl::StatusOr<DeliveryId> IngestTransaction::Insert(OrderId order, const NewRevision& revision,
                                                     const std::string& content) {
  const bool unmappable = revision.content == NewRevision::Content::kRawRecord;
  std::string plain = content;
  std::string hash = revision.content_hash;
  if (revision.content == NewRevision::Content::kLastRecorded) {
    RETURN_IF_ERROR(LastRecorded(order, plain, hash));
  }
  const bool pending = revision.status == DeliveryStatus::kPending;
  const bool baseline = revision.status == DeliveryStatus::kBaseline;
  RETURN_IF_ERROR(LookAgain(db_, connection_.id, order));
  // What is found while a restored connection is held may have been delivered after the backup: the
  // receiver may know the order.
  const std::string webhook_id =
      vault_.WebhookId(connection_.uid, order, revision.revision, hash, revision.condition);
  RETURN_IF_ERROR(db_.Exec(
      "INSERT INTO delivery(connection_id, generation, order_id, order_name, revision, webhook_id, "
      "status, condition, priority, content_hash, write_date, unmappable, before_start, "
      "was_baseline, reconfirmed, base, created_at, updated_at, pending_since, queue, last_error, "
      "reason, fate_unknown) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, "
      "?15, ?16, ?17, ?17, ?17, ?18, ?19, ?20, ?21)",
      connection_.id, connection_.generation, order, revision.order_name, revision.revision,
      webhook_id, Code(revision.status), Code(revision.condition), Code(batch_.priority), hash,
      revision.write_date, unmappable, revision.confirmed_before_start || held_, baseline,
      revision.reconfirmed && !held_, revision.base, now_, pending ? 1 : 0, revision.error,
      revision.reason, held_ && !baseline));
  const DeliveryId id(db_.last_insert_id());
  RETURN_IF_ERROR(WritePayload(db_, vault_, id, webhook_id, unmappable, plain));
  changes_.CountNew(revision.status);
  if (revision.status == DeliveryStatus::kBaseline) return id;

  DeliveryRow row;
  row.delivery.id = id;
  row.delivery.order = order;
  row.delivery.order_name = revision.order_name;
  row.delivery.revision = revision.revision;
  row.delivery.webhook_id = webhook_id;
  RETURN_IF_ERROR(Announce(row, revision));
  return id;
}

absl::Status IngestTransaction::Announce(const DeliveryRow& row, const NewRevision& revision) {
  EventDetail found;
  if (revision.condition == OrderCondition::kCancelled) found.reason = "cancelled";
  RETURN_IF_ERROR(changes_.Event(row, EventType::kOrderFound, found));
  if (batch_.late_find) RETURN_IF_ERROR(changes_.Event(row, EventType::kLateFind, EventDetail()));
  if (revision.status != DeliveryStatus::kDead) return absl::OkStatus();
  EventDetail dead;
  dead.reason = revision.reason;
  dead.error = revision.error;
  return changes_.Event(row, EventType::kDeliveryDead, std::move(dead));
}

absl::Status IngestTransaction::LastRecorded(OrderId order, std::string& content,
                                             std::string& content_hash) {
  Query query = db_.Run(
      "SELECT d.webhook_id, d.content_hash, p.content FROM delivery d "
      "JOIN payload p ON p.delivery_id = d.id "
      "WHERE d.connection_id = ?1 AND d.order_id = ?2 AND d.generation = ?3 AND d.unmappable = 0 "
      "ORDER BY d.revision DESC LIMIT 1",
      connection_.id, order, connection_.generation);
  if (!query.Next()) {
    RETURN_IF_ERROR(query.status());
    return absl::DataLossError("an order has no recorded content");
  }
  content_hash = query.Text(1);
  ASSIGN_OR_RETURN(content, UnsealPayload(vault_, query.Text(0), false, query.Text(2)));
  return absl::OkStatus();
}

absl::Status IngestTransaction::WriteHead(const OrderHead& head) {
  return db_.Exec(
      "INSERT INTO head(connection_id, order_id, generation, name, revision, content_hash, "
      "write_date, line_write_date, condition, young, observed_at, delivery_id, line_stamps) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) "
      "ON CONFLICT(connection_id, order_id) DO UPDATE SET "
      // What was forgotten was said of the Odoo before.
      "known_revision = iif(generation = ?3, known_revision, 0), "
      "past_attempted = iif(generation = ?3, past_attempted, 0), "
      "past_baseline = iif(generation = ?3, past_baseline, 0), "
      "generation = ?3, name = ?4, revision = ?5, content_hash = ?6, write_date = ?7, "
      "line_write_date = ?8, condition = ?9, young = ?10, "
      "observed_at = ?11, delivery_id = ?12, line_stamps = ?13",
      connection_.id, head.order, connection_.generation, head.name, head.revision,
      head.content_hash, head.write_date, head.line_write_date, Code(head.condition), head.young,
      head.observed_at, head.delivery, head.line_stamps);
}

absl::Status IngestTransaction::WriteMarks() {
  if (!batch_.mark && !batch_.line_mark && !batch_.sweep_mark && !batch_.started) {
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(db_.Exec(
      "UPDATE connection_state SET mark = coalesce(?2, mark), line_mark = coalesce(?3, line_mark), "
      "sweep_mark = coalesce(?4, sweep_mark), started = coalesce(?5, started), "
      "held_polled = max(held_polled, ?2 IS NOT NULL), "
      "held_swept = max(held_swept, ?4 IS NOT NULL) WHERE connection_id = ?1",
      connection_.id, batch_.mark, batch_.line_mark, batch_.sweep_mark, batch_.started));
  return EndHold();
}

// Everything was compared with Odoo since the restore: what waits is what Odoo says now.
absl::Status IngestTransaction::EndHold() {
  RETURN_IF_ERROR(
      db_.Exec("UPDATE connection_state SET held_since = NULL WHERE connection_id = ?1 "
               "AND held_since IS NOT NULL AND held_polled = 1 AND held_swept = 1",
               connection_.id));
  if (db_.changes() == 0) return absl::OkStatus();
  result_.released = true;
  EventDetail detail;
  detail.reason = "restored";
  return AppendConnectionEvent(transaction_, connection_, EventType::kConnectionResumed,
                               std::move(detail), now_);
}

absl::Status IngestTransaction::WriteLog() {
  if (!batch_.log) return absl::OkStatus();
  SyncLog log = *batch_.log;
  log.connection = connection_.id;
  log.connection_name = connection_.name;
  log.recorded += result_.recorded + result_.cancelled;
  log.unchanged += result_.unchanged;
  log.dead += result_.dead;
  return InsertSyncLog(db_, log);
}

}  // namespace poller

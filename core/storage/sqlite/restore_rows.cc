#include "core/storage/sqlite/restore_rows.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/status.h"
#include "core/storage/sqlite/backup_mark.h"
#include "core/storage/sqlite/claim_rows.h"
#include "core/storage/sqlite/delivery_rows.h"
#include "core/storage/sqlite/event_rows.h"
#include "core/storage/sqlite/revision_floor.h"

namespace poller {
namespace {

// Ids that a table gives out in a day at most, generously. Sequences go on at a multiple of it.
struct Pace {
  std::string_view table;
  std::int64_t a_day;
};
constexpr Pace kPaces[] = {
    {"connection", 1'000},       {"token", 1'000},         {"job", 1'000'000},
    {"delivery", 1'000'000'000}, {"event", 1'000'000'000}, {"sync_log", 1'000'000'000},
};

absl::StatusOr<std::int64_t> Number(Query query) {
  std::int64_t number = 0;
  if (query.Next()) number = query.Int(0);
  RETURN_IF_ERROR(query.status());
  return number;
}

absl::Status RaiseSequences(Database& db, const GivenOut& known, absl::Duration age) {
  const std::int64_t days = std::max<std::int64_t>(absl::ToInt64Hours(age) / 24, 0) + 1;
  for (const auto& [table, a_day] : kPaces) {
    const auto found = known.sequences.find(std::string(table));
    const std::int64_t last = found == known.sequences.end() ? 0 : found->second;
    const std::int64_t next = (last / a_day + days) * a_day;
    RETURN_IF_ERROR(db.Exec("DELETE FROM sqlite_sequence WHERE name = ?1", table));
    RETURN_IF_ERROR(db.Exec("INSERT INTO sqlite_sequence(name, seq) VALUES (?1, ?2)", table, next));
  }
  return absl::OkStatus();
}

GivenOut Later(GivenOut a, const GivenOut& b) {
  for (const auto& [table, last] : b.sequences) {
    a.sequences[table] = std::max(a.sequences[table], last);
  }
  a.revision = std::max(a.revision, b.revision);
  return a;
}

// Revisions that were never requested while an older one of their order was in flight.
absl::StatusOr<std::vector<DeliveryId>> BehindAClaim(Database& db) {
  std::vector<DeliveryId> ids;
  Query query = db.Run(
      "SELECT h.delivery_id FROM delivery f INDEXED BY delivery_in_flight "
      "JOIN head h ON h.connection_id = f.connection_id AND h.order_id = f.order_id "
      "JOIN delivery d ON d.id = h.delivery_id "
      "WHERE f.claimed <> 0 AND d.id <> f.id AND d.event = ''");
  while (query.Next()) ids.push_back(query.As<DeliveryId>(0));
  RETURN_IF_ERROR(query.status());
  return ids;
}

// The name of its event depends on how the older one ended, which the backup cannot know. After the
// backup it may have gone out under the other name: it takes a new number, and so a new id.
absl::Status Renumber(Database& db, const Vault& vault, DeliveryId id, int revision) {
  ASSIGN_OR_RETURN(const std::optional<DeliveryRow> row, FindDelivery(db, id));
  const Delivery& delivery = row->delivery;
  const absl::StatusOr<ConnectionRef> connection = FindConnection(db, delivery.connection);
  if (absl::IsNotFound(connection.status())) return absl::OkStatus();  // it is being deleted
  RETURN_IF_ERROR(connection);
  ASSIGN_OR_RETURN(const std::string sealed, ReadSealedPayload(db, id));
  ASSIGN_OR_RETURN(const std::string content,
                   UnsealPayload(vault, delivery.webhook_id, row->unmappable, sealed));
  const std::string webhook_id = vault.WebhookId(connection->uid, delivery.order, revision,
                                                 row->content_hash, delivery.condition);
  RETURN_IF_ERROR(db.Exec("UPDATE delivery SET revision = ?2, webhook_id = ?3 WHERE id = ?1", id,
                          revision, webhook_id));
  RETURN_IF_ERROR(db.Exec("UPDATE head SET revision = ?2 WHERE delivery_id = ?1", id, revision));
  RETURN_IF_ERROR(db.Exec("DELETE FROM payload WHERE delivery_id = ?1", id));
  return WritePayload(db, vault, id, webhook_id, row->unmappable, content);
}

absl::Status AppendRestored(Transaction& transaction, const std::string& backup_name,
                            std::int64_t connections, absl::Time now) {
  SyncEvent event;
  event.at = now;
  event.type = EventType::kRestored;
  event.detail.change = backup_name;
  event.detail.count = connections;
  return AppendEvent(transaction, event).status();
}

absl::Status Hold(Database& db, absl::Time now) {
  return db.Exec(
      "UPDATE connection_state SET held_since = ?1, held_polled = 0, held_swept = 0 WHERE "
      "connection_id IN (SELECT id FROM connection WHERE deleted = 0)",
      now);
}

}  // namespace

absl::StatusOr<GivenOut> GivenOutBy(Database& db) {
  GivenOut given;
  {
    Query query = db.Run("SELECT name, seq FROM sqlite_sequence");
    while (query.Next()) given.sequences[query.Text(0)] = query.Int(1);
    RETURN_IF_ERROR(query.status());
  }
  ASSIGN_OR_RETURN(const std::int64_t revision, Number(db.Run("SELECT max(revision) FROM head")));
  ASSIGN_OR_RETURN(const int floor, ReadRevisionFloor(db));
  given.revision = std::max(static_cast<int>(revision), floor);
  return given;
}

absl::StatusOr<RestoreReport> RestoreRows(Transaction& transaction, const Vault& vault,
                                          const Replaced& before, const std::string& backup_name,
                                          const Instant& now) {
  Database& db = transaction.db;
  RestoreReport report;
  ASSIGN_OR_RETURN(const std::optional<absl::Time> made, BackupMade(db));
  report.made = made.value_or(now.wall);
  RETURN_IF_ERROR(RemoveBackupMark(db));
  RETURN_IF_ERROR(WriteMeta(db, "log_id", vault.RandomName()));

  ASSIGN_OR_RETURN(GivenOut known, GivenOutBy(db));
  known = Later(std::move(known), before.given);
  RETURN_IF_ERROR(RaiseSequences(db, known, now.wall - report.made));
  report.previous_read = before.secrets.has_value();
  if (before.secrets) RETURN_IF_ERROR(KeepNewerSecrets(db, vault, *before.secrets, report));
  const int floor = std::max(RevisionFloorAt(now.wall), known.revision + 1);
  RETURN_IF_ERROR(WriteRevisionFloor(db, floor));

  ASSIGN_OR_RETURN(const std::vector<DeliveryId> behind, BehindAClaim(db));
  for (const DeliveryId id : behind) RETURN_IF_ERROR(Renumber(db, vault, id, floor));
  ASSIGN_OR_RETURN(report.interrupted,
                   Number(db.Run("SELECT count(*) FROM delivery WHERE claimed <> 0")));
  RETURN_IF_ERROR(FreeClaims(transaction, now));
  RETURN_IF_ERROR(
      db.Exec("UPDATE delivery SET fate_unknown = 1 WHERE accepted = 0 AND status <> 6 AND id IN "
              "(SELECT delivery_id FROM head)"));

  RETURN_IF_ERROR(Hold(db, now.wall));
  ASSIGN_OR_RETURN(report.connections,
                   Number(db.Run("SELECT count(*) FROM connection WHERE deleted = 0")));
  ASSIGN_OR_RETURN(report.waiting, Number(db.Run("SELECT coalesce(sum(waiting), 0) FROM "
                                                 "connection_state WHERE held_since IS NOT NULL")));
  RETURN_IF_ERROR(AppendRestored(transaction, backup_name, report.connections, now.wall));
  return report;
}

}  // namespace poller

#include "core/storage/sqlite/sqlite_sync_log_store.h"

#include <cstdint>
#include <limits>

#include "core/base/status.h"
#include "core/storage/sqlite/connection_rows.h"
#include "core/storage/sqlite/sync_log_rows.h"

namespace poller {
namespace {

#define POLLER_SYNC_LOG_SELECT                                                                   \
  "SELECT id, connection_id, connection_name, kind, started_at, duration_us, listed, recorded, " \
  "unchanged, dead, error FROM sync_log "

SyncLog ReadRow(const Query& query) {
  SyncLog log;
  log.id = query.As<SyncLogId>(0);
  log.connection = query.As<ConnectionId>(1);
  log.connection_name = query.Text(2);
  log.kind = query.Text(3);
  log.started_at = query.TimeOr(4, absl::InfinitePast());
  log.duration = absl::Microseconds(query.Int(5));
  log.listed = query.Int(6);
  log.recorded = query.Int(7);
  log.unchanged = query.Int(8);
  log.dead = query.Int(9);
  log.error = query.Text(10);
  return log;
}

// Ids to delete because their connection has more than `keep`; oldest first. Reads an index alone.
absl::StatusOr<std::vector<std::int64_t>> Surplus(Database& db, int keep, int limit) {
  std::vector<std::int64_t> ids;
  Query query = db.Run(
      "SELECT l.id FROM (SELECT connection_id AS c, count(*) AS n FROM sync_log "
      "GROUP BY connection_id HAVING count(*) > ?1) "
      "JOIN sync_log l ON l.connection_id = c AND l.id <= (SELECT k.id FROM sync_log k "
      "WHERE k.connection_id = c ORDER BY k.id DESC LIMIT 1 OFFSET ?1) LIMIT ?2",
      keep, limit);
  while (query.Next()) ids.push_back(query.Int(0));
  RETURN_IF_ERROR(query.status());
  return ids;
}

absl::StatusOr<std::vector<std::int64_t>> Old(Database& db, absl::Time before, int limit) {
  std::vector<std::int64_t> ids;
  Query query = db.Run("SELECT id FROM sync_log WHERE started_at < ?1 ORDER BY started_at LIMIT ?2",
                       before, limit);
  while (query.Next()) ids.push_back(query.Int(0));
  RETURN_IF_ERROR(query.status());
  return ids;
}

}  // namespace

absl::Status SqliteSyncLogStore::Append(const SyncLog& log) {
  return context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    const absl::StatusOr<ConnectionRef> connection = FindConnection(transaction.db, log.connection);
    if (absl::IsNotFound(connection.status())) return absl::OkStatus();  // deleted meanwhile
    RETURN_IF_ERROR(connection);
    SyncLog named = log;
    named.connection_name = connection->name;
    return InsertSyncLog(transaction.db, named);
  });
}

absl::StatusOr<std::vector<SyncLog>> SqliteSyncLogStore::List(
    std::optional<ConnectionId> connection, SyncLogId before, int limit) {
  const std::int64_t below = before ? before.value() : std::numeric_limits<std::int64_t>::max();
  return context_.readers.Read([&](Database& db) -> absl::StatusOr<std::vector<SyncLog>> {
    std::vector<SyncLog> logs;
    Query query = connection
                      ? db.Run(POLLER_SYNC_LOG_SELECT
                               "WHERE connection_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3",
                               *connection, below, limit)
                      : db.Run(POLLER_SYNC_LOG_SELECT "WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
                               below, limit);
    while (query.Next()) logs.push_back(ReadRow(query));
    RETURN_IF_ERROR(query.status());
    return logs;
  });
}

absl::StatusOr<int> SqliteSyncLogStore::Prune(absl::Time before, int keep, int limit) {
  // The search runs beside the writer: it may read many rows.
  const auto search = [&](Database& db) -> absl::StatusOr<std::vector<std::int64_t>> {
    ASSIGN_OR_RETURN(std::vector<std::int64_t> found, Old(db, before, limit));
    if (!found.empty()) return found;
    return Surplus(db, keep, limit);
  };
  ASSIGN_OR_RETURN(const std::vector<std::int64_t> ids, context_.readers.Read(search));
  if (ids.empty()) return 0;
  const absl::Status stored = context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    for (const std::int64_t id : ids) {
      RETURN_IF_ERROR(transaction.db.Exec("DELETE FROM sync_log WHERE id = ?1", id));
    }
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(stored);
  return static_cast<int>(ids.size());
}

}  // namespace poller

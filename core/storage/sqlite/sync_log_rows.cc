#include "core/storage/sqlite/sync_log_rows.h"

namespace poller {

absl::Status InsertSyncLog(Database& db, const SyncLog& log) {
  return db.Exec(
      "INSERT INTO sync_log(connection_id, connection_name, kind, started_at, duration_us, listed, "
      "recorded, unchanged, dead, error) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
      log.connection, log.connection_name, log.kind, absl::ToUnixMicros(log.started_at),
      absl::ToInt64Microseconds(log.duration), log.listed, log.recorded, log.unchanged, log.dead,
      log.error);
}

}  // namespace poller

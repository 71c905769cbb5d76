#include "core/storage/sqlite/sqlite_status_store.h"

#include <filesystem>
#include <system_error>

#include "core/base/status.h"

namespace poller {
namespace {

std::int64_t SizeOf(const std::filesystem::path& path) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  return error ? 0 : static_cast<std::int64_t>(size);
}

}  // namespace

absl::StatusOr<StorageTotals> SqliteStatusStore::Totals() {
  return context_.readers.Read([&](Database& db) -> absl::StatusOr<StorageTotals> {
    StorageTotals totals;
    Query query = db.Run(
        "SELECT count(*), total(paused_polling OR paused_delivery), "
        "total(suspension_reason IS NOT NULL), total(unhealthy), total(waiting), total(dead), "
        "min(CASE WHEN waiting > 0 THEN (SELECT min(d.pending_since) FROM delivery d "
        "WHERE d.connection_id = shop AND d.status = 0) END), total(held_since IS NOT NULL), "
        "total(unhealthy OR NOT paused_polling), "
        "total(key_warned_of IS NOT NULL AND key_warned_of IS key_expires_at) FROM (SELECT c.id AS "
        "shop, c.paused_polling, "
        "c.paused_delivery, s.suspension_reason, s.waiting, s.dead, s.held_since, s.key_warned_of, "
        "s.key_expires_at, "
        "s.odoo_breaker_state <> 0 OR s.receiver_breaker_state <> 0 "
        "OR s.suspension_reason IS NOT NULL OR s.receiver_gone_since IS NOT NULL "
        "OR s.held_since IS NOT NULL OR s.last_poll_error <> '' OR s.dead > 0 AS unhealthy "
        "FROM connection c JOIN connection_state s ON s.connection_id = c.id WHERE c.deleted = 0)");
    if (query.Next()) {
      totals.connections = query.Int(0);
      totals.paused = query.Int(1);
      totals.suspended = query.Int(2);
      totals.unhealthy = query.Int(3);
      totals.waiting = query.Int(4);
      totals.dead = query.Int(5);
      totals.oldest_waiting = query.TimeOr(6, absl::InfiniteFuture());
      totals.held = query.Int(7);
      totals.unhealthy_or_polled = query.Int(8);
      totals.keys_expiring = query.Int(9);
    }
    RETURN_IF_ERROR(query.status());
    totals.database_bytes = SizeOf(db.path()) + SizeOf(db.path().string() + "-wal");
    return totals;
  });
}

}  // namespace poller

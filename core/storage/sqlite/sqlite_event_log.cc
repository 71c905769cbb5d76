#include "core/storage/sqlite/sqlite_event_log.h"

#include <utility>

#include "core/base/status.h"
#include "core/storage/sqlite/event_rows.h"

namespace poller {

absl::StatusOr<std::vector<SyncEvent>> SqliteEventLog::Read(EventSequence after, int limit) {
  return context_.readers.Read([&](Database& db) -> absl::StatusOr<std::vector<SyncEvent>> {
    std::vector<SyncEvent> events;
    Query query = db.Run(
        "SELECT sequence, at, type, connection_id, connection_name, order_id, order_name, detail "
        "FROM event WHERE sequence > ?1 ORDER BY sequence LIMIT ?2",
        after, limit);
    while (query.Next()) {
      ASSIGN_OR_RETURN(SyncEvent event, ReadEvent(query));
      events.push_back(std::move(event));
    }
    RETURN_IF_ERROR(query.status());
    return events;
  });
}

absl::StatusOr<EventRange> SqliteEventLog::Range() {
  return context_.readers.Read([&](Database& db) -> absl::StatusOr<EventRange> {
    EventRange range;
    range.log_id = log_id_;
    // The newest number ever given, also if its row is gone.
    Query query = db.Run(
        "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0), "
        "(SELECT min(sequence) FROM event)");
    if (query.Next()) {
      range.newest = query.As<EventSequence>(0);
      range.oldest = query.IsNull(1) ? EventSequence(query.Int(0) + 1) : query.As<EventSequence>(1);
    }
    RETURN_IF_ERROR(query.status());
    return range;
  });
}

absl::StatusOr<EventSequence> SqliteEventLog::Append(const SyncEvent& event) {
  EventSequence sequence;
  const absl::Status stored = context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(sequence, AppendEvent(transaction, event));
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(stored);
  return sequence;
}

void SqliteEventLog::SetListener(std::function<void()> listener) {
  context_.writer.SetEventListener(std::move(listener));
}

absl::StatusOr<int> SqliteEventLog::Prune(absl::Time before, int limit) {
  int pruned = 0;
  const absl::Status stored = context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    Database& db = transaction.db;
    // Only from the front: a hole in the middle would be a loss that no reader could notice.
    RETURN_IF_ERROR(db.Exec(
        "DELETE FROM event WHERE sequence < coalesce("
        "(SELECT min(sequence) FROM (SELECT sequence, at FROM event ORDER BY sequence LIMIT ?2) "
        "WHERE at >= ?1), "
        "(SELECT max(sequence) + 1 FROM (SELECT sequence FROM event ORDER BY sequence LIMIT ?2))) "
        "AND sequence < (SELECT max(sequence) FROM event)",
        before, limit));
    pruned = static_cast<int>(db.changes());
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(stored);
  return pruned;
}

}  // namespace poller

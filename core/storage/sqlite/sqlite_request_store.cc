#include "core/storage/sqlite/sqlite_request_store.h"

#include "core/base/status.h"
#include "core/storage/sqlite/request_rows.h"

namespace poller {

absl::StatusOr<std::optional<std::string>> SqliteRequestStore::Find(const std::string& kind,
                                                                    const Actor& actor,
                                                                    absl::Time now) {
  return context_.readers.Read([&](Database& db) -> absl::StatusOr<std::optional<std::string>> {
    ASSIGN_OR_RETURN(const auto known, FindRequest(db, context_.vault, kind, actor, now));
    if (!known) return std::nullopt;
    return ReadAnswer(db, kind, actor);
  });
}

absl::Status SqliteRequestStore::Keep(const std::string& kind, const Actor& actor,
                                      const std::string& answer, absl::Time now) {
  return context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    Database& db = transaction.db;
    ASSIGN_OR_RETURN(const auto known, FindRequest(db, context_.vault, kind, actor, now));
    if (!known) RETURN_IF_ERROR(KeepRequest(db, context_.vault, kind, actor, 0, now));
    return WriteAnswer(db, kind, actor, answer);
  });
}

absl::StatusOr<int> SqliteRequestStore::Prune(absl::Time now, int limit) {
  int removed = 0;
  const absl::Status stored = context_.writer.Run([&](Transaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(removed, PruneRequests(transaction.db, now, limit));
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(stored);
  return removed;
}

}  // namespace poller

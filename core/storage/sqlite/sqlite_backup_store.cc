#include "core/storage/sqlite/sqlite_backup_store.h"

#include <memory>
#include <string>
#include <system_error>

#include "core/base/status.h"
#include "core/storage/sqlite/backup_mark.h"
#include "core/storage/sqlite/database.h"
#include "core/storage/sqlite/disk_file.h"
#include "core/storage/sqlite/event_rows.h"

namespace poller {
namespace {

absl::Status Exists(const std::filesystem::path& path) {
  return WithReason(MakeStatus(absl::StatusCode::kAlreadyExists,
                               "file " + path.string() + " exists: name another, or remove it"),
                    "FILE_EXISTS");
}

}  // namespace

absl::StatusOr<BackupInfo> SqliteBackupStore::Backup(const std::filesystem::path& path,
                                                     const Actor& actor, absl::Time now) {
  if (running_.exchange(true)) {
    return WithReason(MakeStatus(absl::StatusCode::kFailedPrecondition,
                                 "a backup is being made: wait until it is complete"),
                      "BACKUP_RUNS");
  }
  absl::StatusOr<BackupInfo> info = Write(path, now);
  running_ = false;
  RETURN_IF_ERROR(info);
  SyncEvent event;
  event.at = now;
  event.type = EventType::kBackupMade;
  event.detail.change = path.filename().string();
  event.detail.actor = actor.token_name;
  event.detail.request_id = actor.request_id;
  RETURN_IF_ERROR(context_.writer.Run(
      [&](Transaction& transaction) { return AppendEvent(transaction, event).status(); }));
  return info;
}

// Pages that are free in the database are not copied.
absl::StatusOr<std::int64_t> SqliteBackupStore::NeededBytes() {
  return context_.readers.Read([](Database& db) -> absl::StatusOr<std::int64_t> {
    Query query = db.Run(
        "SELECT (page_count - freelist_count) * page_size "
        "FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()");
    if (query.Next()) return query.Int(0);
    RETURN_IF_ERROR(query.status());
    return 0;
  });
}

absl::StatusOr<BackupInfo> SqliteBackupStore::Write(const std::filesystem::path& path,
                                                    absl::Time now) {
  if (stopped_) return absl::CancelledError("the program is being stopped");
  std::error_code error;
  if (std::filesystem::exists(std::filesystem::symlink_status(path, error))) return Exists(path);
  // Of a name that no backup can have, so that none is taken for the rest of another.
  const std::filesystem::path partial =
      path.parent_path() / ("." + path.filename().string() + ".partial");
  RemoveDatabaseFiles(partial);  // of a backup that was cut short
  RETURN_IF_ERROR(CreatePrivateFile(partial));
  struct Cleaner {
    const std::filesystem::path& path;
    ~Cleaner() { RemoveDatabaseFiles(path); }
  } const cleaner{partial};
  {
    // A connection of its own: one snapshot, beside the writer. SQLite fills an empty file.
    ASSIGN_OR_RETURN(const auto db, Database::Open(database_, Database::Mode::kReadOnly));
    db->StopWhen(stopped_);
    RETURN_IF_ERROR(db->Exec("VACUUM INTO ?1", partial.string()));
  }
  {
    ASSIGN_OR_RETURN(const auto db, Database::Open(partial, Database::Mode::kReadWrite));
    RETURN_IF_ERROR(MarkAsBackup(*db, now));
  }
  RETURN_IF_ERROR(SyncFile(partial));
  RETURN_IF_ERROR(RenameToNew(partial, path));
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  return BackupInfo{.path = path, .bytes = error ? 0 : static_cast<std::int64_t>(size), .at = now};
}

}  // namespace poller

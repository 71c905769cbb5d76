#include "core/storage/sqlite/restore.h"

#include <unistd.h>

#include <memory>
#include <string>
#include <system_error>

#include "core/base/status.h"
#include "core/crypto/hash.h"
#include "core/crypto/key_ring.h"
#include "core/storage/sqlite/backup_mark.h"
#include "core/storage/sqlite/context.h"
#include "core/storage/sqlite/disk_file.h"
#include "core/storage/sqlite/file_check.h"
#include "core/storage/sqlite/file_lock.h"
#include "core/storage/sqlite/migrations.h"
#include "core/storage/sqlite/restore_rows.h"
#include "core/storage/sqlite/vault.h"

namespace poller {
namespace {

namespace fs = std::filesystem;

absl::Status CheckBackup(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) {
    return MakeStatus(absl::StatusCode::kUnavailable, "there is no file " + path.string());
  }
  const absl::Status checked = CheckFile(path);
  if (Reason(checked) == "IS_BACKUP") return absl::OkStatus();
  const bool other =
      checked.ok() || Reason(checked) == "NOT_OURS" || Reason(checked) == "PYTHON_POLLER";
  if (!other) return checked;
  return WithReason(MakeStatus(absl::StatusCode::kFailedPrecondition,
                               "file " + path.string() +
                                   " is not a backup of this program: name a file that "
                                   "`pollerctl backup` made"),
                    "NOT_A_BACKUP");
}

absl::Status CheckWhole(Database& db) {
  Query query = db.Run("PRAGMA quick_check(1)");
  const bool row = query.Next();
  RETURN_IF_ERROR(query.status());
  if (row && query.Text(0) == "ok") return absl::OkStatus();
  return MakeStatus(absl::StatusCode::kDataLoss, "backup is damaged");
}

// What is there is kept beside; but a file that is not ours is not ours to move.
absl::Status CheckPlace(const fs::path& database) {
  std::error_code error;
  if (fs::is_directory(database, error)) {
    return MakeStatus(absl::StatusCode::kUnavailable,
                      "database path " + database.string() + " is not a file");
  }
  const auto size = fs::file_size(database, error);
  if (error || size == 0) return absl::OkStatus();
  const absl::Status checked = CheckFile(database);
  const bool foreign = Reason(checked) == "NOT_OURS" || Reason(checked) == "PYTHON_POLLER";
  return foreign ? checked : absl::OkStatus();
}

Replaced ReadReplaced(const fs::path& database, const KeyRing& keys, RandomSource& random) {
  std::error_code error;
  if (!fs::exists(database, error)) return {};
  // For writing, so that SQLite leaves nothing beside it.
  const auto db = Database::Open(database, Database::Mode::kReadWrite);
  if (!db.ok()) return {};
  Replaced replaced;
  replaced.given = GivenOutBy(**db).value_or(GivenOut());
  const auto vault = Vault::Open(**db, keys, random);
  if (!vault.ok()) return replaced;
  auto secrets = ReadReplacedSecrets(**db, *vault);
  if (secrets.ok()) replaced.secrets = *std::move(secrets);
  return replaced;
}

// The copy becomes a database in use. All in one transaction.
absl::StatusOr<RestoreReport> Prepare(const fs::path& copy, const fs::path& backup,
                                      const KeyRing& keys, const Replaced& before,
                                      const Clock& clock, RandomSource& random) {
  ASSIGN_OR_RETURN(const auto db, Database::Open(copy, Database::Mode::kReadWrite));
  RETURN_IF_ERROR(db->Script("PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY"));
  RETURN_IF_ERROR(CheckWhole(*db));
  RETURN_IF_ERROR(Vault::Open(*db, keys, random));
  RETURN_IF_ERROR(Migrate(*db, SchemaSteps()));
  ASSIGN_OR_RETURN(const Vault vault, Vault::Open(*db, keys, random));
  const Instant now = clock.Read();
  RETURN_IF_ERROR(db->Exec("BEGIN IMMEDIATE"));
  Transaction transaction(*db);
  ASSIGN_OR_RETURN(RestoreReport report,
                   RestoreRows(transaction, vault, before, backup.filename().string(),
                               {now.wall, now.mono + EpochOf(now)}));
  RETURN_IF_ERROR(db->Exec("COMMIT"));
  return report;
}

// Everything that was committed is in the main file afterwards, if it can be read at all.
void FoldWal(const fs::path& database) {
  const auto db = Database::Open(database, Database::Mode::kReadWrite);
  if (db.ok()) (*db)->Script("PRAGMA wal_checkpoint(TRUNCATE)").IgnoreError();
}

// A second name for the database and what lies beside it, so that it is never without one.
absl::StatusOr<fs::path> KeepPrevious(const fs::path& database, absl::Time now) {
  std::error_code error;
  if (!fs::exists(database, error)) return fs::path();
  FoldWal(database);
  const std::string stem = database.string() + ".before-restore-" +
                           absl::FormatTime("%Y%m%dT%H%M%SZ", now, absl::UTCTimeZone());
  fs::path kept = stem;
  for (int i = 2; fs::exists(kept, error); ++i) kept = stem + "-" + std::to_string(i);
  for (const char* suffix : {"-wal", ""}) {
    const std::string from = database.string() + suffix;
    if (!fs::exists(from, error)) continue;
    fs::create_hard_link(from, kept.string() + suffix, error);
    if (error) RETURN_IF_ERROR(CopyToNewFile(from, kept.string() + suffix));
  }
  RETURN_IF_ERROR(SyncFolderOf(database));
  return kept;
}

}  // namespace

absl::StatusOr<RestoreReport> RestoreDatabase(const RestoreOptions& options, const Clock& clock,
                                              RandomSource& random) {
  CryptoInit();
  std::error_code error;
  const fs::path database = fs::weakly_canonical(options.database, error);
  RETURN_IF_ERROR(CheckBackup(options.backup));
  RETURN_IF_ERROR(CheckPlace(database));
  if (options.master_keys.empty()) {
    return WithReason(MakeStatus(absl::StatusCode::kPermissionDenied,
                                 "backup " + options.backup.string() +
                                     " needs the encryption key of the database that it was made "
                                     "of, and none was given: name the key file"),
                      "NO_KEY");
  }
  ASSIGN_OR_RETURN(const KeyRing keys, KeyRing::Parse(options.master_keys));
  ASSIGN_OR_RETURN(const auto lock, FileLock::Acquire(database));

  const fs::path copy = database.string() + ".restoring";
  RemoveDatabaseFiles(copy);  // of a restore that was cut short
  RETURN_IF_ERROR(CopyToNewFile(options.backup, copy));
  absl::StatusOr<RestoreReport> report =
      Prepare(copy, options.backup, keys, ReadReplaced(database, keys, random), clock, random);
  if (!report.ok()) {
    RemoveDatabaseFiles(copy);
    return AddContext(report.status(), "restoring " + options.backup.string());
  }
  RETURN_IF_ERROR(SyncFile(copy));
  ASSIGN_OR_RETURN(report->previous, KeepPrevious(database, clock.Now()));
  // Whatever lies beside the previous database has its second name by now; beside the restored one
  // it would be replayed into it.
  for (const char* suffix : {"-wal", "-shm", "-journal"}) {
    fs::remove(database.string() + suffix, error);
  }
  RETURN_IF_ERROR(ReplaceFile(copy, database));
  return report;
}

}  // namespace poller

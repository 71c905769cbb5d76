#include "core/storage/sqlite/open_database.h"

#include <string>

#include "core/base/status.h"
#include "core/storage/sqlite/disk_file.h"
#include "core/storage/sqlite/migrations.h"
#include "core/storage/sqlite/vault.h"

namespace poller {
namespace {

absl::Status Fill(const std::filesystem::path& path, const KeyRing& keys, RandomSource& random) {
  ASSIGN_OR_RETURN(const auto db, Database::Open(path, Database::Mode::kReadWrite));
  RETURN_IF_ERROR(db->Script("PRAGMA synchronous=FULL; PRAGMA application_id=" +
                             std::to_string(kApplicationId)));
  RETURN_IF_ERROR(Migrate(*db, SchemaSteps()));
  RETURN_IF_ERROR(db->Exec("BEGIN"));
  RETURN_IF_ERROR(Vault::Create(*db, keys, random));
  RETURN_IF_ERROR(WriteMeta(*db, "log_id", Vault::RandomName(random)));
  RETURN_IF_ERROR(WriteMeta(*db, "run", "0"));
  return db->Exec("COMMIT");
}

}  // namespace

absl::Status CreateDatabase(const std::filesystem::path& path, const KeyRing& keys,
                            RandomSource& random) {
  const std::filesystem::path temporary = path.string() + ".new";
  RemoveDatabaseFiles(temporary);  // of a creation that was cut short
  // WAL and shared memory files take the rights of the file.
  absl::Status filled = CreatePrivateFile(temporary);
  if (filled.ok()) filled = Fill(temporary, keys, random);
  if (!filled.ok()) {
    RemoveDatabaseFiles(temporary);
    return AddContext(filled, "creating database " + path.string());
  }
  RETURN_IF_ERROR(SyncFile(temporary));
  // Of an earlier database whose main file was removed: they do not belong to this one.
  RemoveDatabaseFiles(path);
  return ReplaceFile(temporary, path);
}

absl::StatusOr<std::unique_ptr<Database>> OpenForWriting(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(auto db, Database::Open(path, Database::Mode::kReadWrite));
  {
    Query mode = db->Run("PRAGMA journal_mode=WAL");
    const bool row = mode.Next();
    RETURN_IF_ERROR(mode.status());
    if (!row || mode.Text(0) != "wal") {
      return MakeStatus(absl::StatusCode::kUnavailable,
                        "database " + path.string() +
                            " lies on a filesystem without shared memory: use a local disk");
    }
  }
  RETURN_IF_ERROR(
      db->Script("PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; "
                 "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; "
                 "PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-16000"));
  return db;
}

}  // namespace poller

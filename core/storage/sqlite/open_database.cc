#include "core/storage/sqlite/open_database.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>
#include <utility>

#include "core/base/status.h"
#include "core/storage/sqlite/migrations.h"
#include "core/storage/sqlite/vault.h"

namespace poller {
namespace {

absl::Status FileError(const std::filesystem::path& path, std::string_view what, int error) {
  return MakeStatus(absl::StatusCode::kUnavailable, "database " + path.string() + " cannot be " +
                                                        std::string(what) + ": " +
                                                        std::generic_category().message(error));
}

absl::Status Sync(const std::filesystem::path& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC);
  if (fd < 0) return FileError(path, "opened", errno);
  const int result = fsync(fd);
  const int error = errno;
  close(fd);
  return result == 0 ? absl::OkStatus() : FileError(path, "written", error);
}

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
  for (const char* suffix : {"", "-journal"}) {
    std::error_code ignored;  // of a creation that was cut short
    std::filesystem::remove(temporary.string() + suffix, ignored);
  }
  // Only its owner may read it, whatever the umask; WAL and shared memory files take the same
  // rights.
  const int fd = open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return FileError(path, "created", errno);
  close(fd);
  const absl::Status filled = Fill(temporary, keys, random);
  if (!filled.ok()) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    return AddContext(filled, "creating " + path.string());
  }
  RETURN_IF_ERROR(Sync(temporary, O_RDWR));
  // Of an earlier database whose main file was removed: they do not belong to this one.
  for (const char* suffix : {"-wal", "-shm", "-journal"}) {
    std::error_code ignored;
    std::filesystem::remove(path.string() + suffix, ignored);
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) return FileError(path, "created", errno);
  return Sync(path.parent_path().empty() ? "." : path.parent_path(), O_RDONLY | O_DIRECTORY);
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

// Copies of the database while it is in use.
#pragma once

#include <cstdint>
#include <filesystem>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/model/event.h"

namespace poller {

struct BackupInfo {
  std::filesystem::path path;
  std::int64_t bytes = 0;
  absl::Time at;  // what was committed until then is in it
};

// Thread-safe. Blocking, for as long as the copy takes: seconds a gigabyte.
class BackupStore {
 public:
  virtual ~BackupStore() = default;

  // Writes one state of the database to a new file at `path`, whose folder exists, and makes sure
  // that it is on the disk; others write meanwhile. The file appears when it is complete, is
  // readable by its owner alone, and holds secrets sealed as the database does: it is worth nothing
  // without the key. The program does not run on it: it is put back with RestoreDatabase. Writes
  // kBackupMade. kAlreadyExists (reason FILE_EXISTS): there is a file; kFailedPrecondition (reason
  // BACKUP_RUNS): one at a time; kCancelled: Stop; kUnavailable: it cannot be written (disk full,
  // no such folder). Whatever the error, no half a file stays.
  virtual absl::StatusOr<BackupInfo> Backup(const std::filesystem::path& path, const Actor& actor,
                                            absl::Time now) = 0;
  // Bytes that a backup made now would take, rounded up. kUnavailable.
  virtual absl::StatusOr<std::int64_t> NeededBytes() = 0;
  // A backup that runs ends soon with kCancelled, and so do all later ones.
  virtual void Stop() = 0;
};

}  // namespace poller

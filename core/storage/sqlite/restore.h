// Putting a backup back.
//
// A backup does not know what happened after it: which orders were delivered, which numbers and ids
// were given out. So a restored database
//  - has a new log id, and its sequences go on far above those of the backup;
//  - gives new revisions numbers that were never given out (revision_floor.h);
//  - takes whatever the backup does not know to be accepted for possibly delivered: what follows is
//    announced as an update;
//  - leaves tokens revoked, and webhook secrets replaced, that were so since (replaced_rows.h);
//  - holds every connection's deliveries until a complete poll and a complete sweep
//    (ConnectionState::held_since), so that nothing stale goes out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/random_source.h"
#include "core/base/secret.h"

namespace poller {

struct RestoreOptions {
  std::filesystem::path backup;    // made by BackupStore; it stays as it is
  std::filesystem::path database;  // where to; its folder exists
  Secret master_keys;              // as for SqliteOptions
};

struct RestoreReport {
  absl::Time made;                 // when the backup was made
  std::filesystem::path previous;  // where the database that was there is kept; empty: none was
  std::int64_t connections = 0;    // that are held now
  std::int64_t waiting = 0;        // deliveries that wait
  std::int64_t interrupted = 0;    // deliveries that were in flight when the backup was made
  // What was taken over from the previous database, if it could be read.
  bool previous_read = false;
  std::int64_t revoked = 0;               // tokens of the backup that were revoked since
  std::vector<std::string> secrets_kept;  // connections whose newer webhook secret stays
  std::vector<std::string> secrets_old;   // connections that have the older one of the backup again
};

// Offline: nobody else has the database open. A crash at any moment leaves the database as it was,
// or restored. Errors, each naming the file; the database is then as it was:
// - kFailedPrecondition: the file is no backup of this program (reason NOT_A_BACKUP), or of a newer
//   one (NEWER_SCHEMA); or what lies at the place is not ours (NOT_OURS, PYTHON_POLLER).
// - kAlreadyExists: a program has the database open (LOCKED).
// - kPermissionDenied: the key does not open it (WRONG_KEY), or there is none (NO_KEY).
// - kDataLoss: the backup is damaged.
// - kUnavailable: something cannot be read or written.
absl::StatusOr<RestoreReport> RestoreDatabase(const RestoreOptions& options, const Clock& clock,
                                              RandomSource& random);

}  // namespace poller

// What tells a backup from a database in use: a row, so that nobody runs on it by mistake.
#pragma once

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/storage/sqlite/database.h"

namespace poller {

absl::Status MarkAsBackup(Database& db, absl::Time made);
// When the backup was made; nothing: it is none.
absl::StatusOr<std::optional<absl::Time>> BackupMade(Database& db);
absl::Status RemoveBackupMark(Database& db);

}  // namespace poller

// Sync logs as rows.
#pragma once

#include "absl/status/status.h"
#include "core/model/sync_log.h"
#include "core/storage/sqlite/database.h"

namespace poller {

// `log.id` is ignored.
absl::Status InsertSyncLog(Database& db, const SyncLog& log);

}  // namespace poller

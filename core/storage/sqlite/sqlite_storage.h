// All store roles in one SQLite file.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/base/metrics.h"
#include "core/base/random_source.h"
#include "core/base/secret.h"
#include "core/storage/backup.h"
#include "core/storage/connection_store.h"
#include "core/storage/event_log.h"
#include "core/storage/import_store.h"
#include "core/storage/ingest_store.h"
#include "core/storage/job_store.h"
#include "core/storage/ledger_store.h"
#include "core/storage/outbox_store.h"
#include "core/storage/request_store.h"
#include "core/storage/retry_store.h"
#include "core/storage/status_store.h"
#include "core/storage/sync_log_store.h"
#include "core/storage/token_store.h"

namespace poller {

struct SqliteOptions {
  std::filesystem::path path;
  // The master key: 32 bytes in URL-safe base64, one a line; the last seals, all open. Never
  // stored.
  Secret master_keys;
  bool create = true;  // false: kNotFound when there is no file
};

// Owns the file, its lock, one writer thread with group commit (WAL, synchronous=FULL) and a pool
// of readers. The stores live as long as this object and may be used from any thread.
class SqliteStorage {
 public:
  // Migrates an older schema forward. Errors, each naming the file and what to do:
  // - kFailedPrecondition: not our database (reason NOT_OURS; PYTHON_POLLER when it is the Python
  //   poller's, with the import command), or newer than this program (NEWER_SCHEMA), or a backup
  //   (IS_BACKUP). The file is left untouched.
  // - kAlreadyExists: another process holds it (LOCKED); names its pid.
  // - kPermissionDenied: the master key does not open it (WRONG_KEY), or there is none (NO_KEY).
  // - kDataLoss: the file is damaged.
  // - kUnavailable: it cannot be opened, created or written; says why.
  static absl::StatusOr<std::unique_ptr<SqliteStorage>> Open(const SqliteOptions& options,
                                                             const Clock& clock,
                                                             RandomSource& random,
                                                             Metrics& metrics);
  // True if `path` is missing or empty: the next Open makes a new database, which needs a new or
  // given key.
  static bool IsNew(const std::filesystem::path& path);
  // OK: `path` is new, or ours. The errors of Open that tell whose file it is, before a key is
  // looked for: who is told of a missing key believes that the file is the right one.
  static absl::Status CheckOurs(const std::filesystem::path& path);
  ~SqliteStorage();

  ConnectionStore& connections();
  IngestStore& ingest();
  OutboxStore& outbox();
  OrderStore& orders();
  EventLog& events();
  SyncLogStore& sync_logs();
  TokenStore& tokens();
  RequestStore& requests();
  JobStore& jobs();
  LedgerStore& ledger();
  RetryStore& retries();
  BackupStore& backups();
  StatusStore& status();
  ImportStore& imports();

 private:
  struct Impl;
  explicit SqliteStorage(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace poller
